"""What the domain asks of whoever keeps conversations: their list, the archive, the bin."""

from datetime import datetime
from typing import Protocol

from couachgptd.core.choices import Choices
from couachgptd.core.conversations import Conversation, Place, Shelf
from couachgptd.core.ids import ConversationId, FolderId, UserId
from couachgptd.core.users import Belongings


class ConversationStore(Protocol):
    """A part of `core.ports.Store`. Each method is one transaction, and durable once it returns.

    Where it takes a user, another's conversation is not found.
    """

    async def conversations(
        self,
        user_id: UserId,
        limit: int,
        shelf: Shelf = Shelf.LIST,
        *,
        before: Place | None = None,
        folder_id: FolderId | None = None,
    ) -> list[Conversation]:
        """Return the newest of a shelf, newest first, on the list after those that are pinned.

        In the bin the newest is what was deleted last. `before` asks for those that come after
        that place, `folder_id` for those in a folder alone.
        """
        ...

    async def count_binned(self, user_id: UserId) -> int:
        """Return how many lie in a person's bin."""
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

    async def set_choices(
        self, user_id: UserId, conversation_id: ConversationId, choices: Choices
    ) -> None:
        """Keep what its owner chose for it. Raises NotFound, also for what is in the bin."""
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

    async def empty_bin(self, user_id: UserId, until: datetime) -> int:
        """Delete for good what a person had put into the bin by then; return how many."""
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
