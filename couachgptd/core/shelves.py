"""What the domain asks of whoever keeps conversations: their list, the archive, the bin."""

from typing import Protocol

from couachgptd.core.conversations import Conversation, Shelf
from couachgptd.core.ids import ConversationId, UserId
from couachgptd.core.users import Belongings


class ConversationStore(Protocol):
    """A part of `core.ports.Store`. Each method is one transaction, and durable once it returns.

    Where it takes a user, another's conversation is not found.
    """

    async def conversations(
        self, user_id: UserId, limit: int, shelf: Shelf = Shelf.LIST
    ) -> list[Conversation]:
        """Return the newest of a shelf, newest first, on the list after those that are pinned.

        In the bin the newest is what was deleted last.
        """
        ...

    async def conversation(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> Conversation | None:
        """Find one on any shelf."""
        ...

    async def change_conversation(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        *,
        title: str | None = None,
        is_pinned: bool | None = None,
        is_archived: bool | None = None,
    ) -> Conversation:
        """Change what is not None; the title is then the owner's own.

        Raises NotFound, also for what is in the bin.
        """
        ...

    async def bin_conversation(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> Conversation:
        """Put it into the bin, where nothing can be asked in it; twice is once. Raises NotFound."""
        ...

    async def restore_conversation(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> Conversation:
        """Put it back where it was before the bin; twice is once. Raises NotFound."""
        ...

    async def purge_binned(self, user_id: UserId, conversation_id: ConversationId) -> None:
        """Delete for good what is in the bin. Raises NotFound for what is not."""
        ...

    async def count_conversation(self, conversation_id: ConversationId) -> Belongings:
        """Return how much is in anybody's conversation. Raises NotFound."""
        ...

    async def purge_conversation(self, conversation_id: ConversationId) -> UserId:
        """Delete anybody's conversation for good and return whose it was. Raises NotFound."""
        ...

    async def purge_conversations(self, user_id: UserId) -> Belongings:
        """Delete for good all that a person owns."""
        ...
