"""The verbs of somebody's conversations: list, rename, pin, archive, delete, restore."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime

from couachgptd.core import wire
from couachgptd.core.conversations import Conversation, Place, Shelf, own_title
from couachgptd.core.ids import ConversationId, FolderId, UserId
from couachgptd.core.ports import Store
from couachgptd.core.shares import SHARES_CHANGED
from couachgptd.core.users import Belongings, User
from couachgptd.core.wire import Json
from couachgptd.services.runner import TurnRunner
from couachgptd.services.topics import Topics

LISTED = 200


class ConversationService:
    """Every change is told to all open pages of the owner; what is another's raises NotFound.

    `bin_days` is how long the bin keeps, 0 for ever; asked anew each time, for it may be changed.
    """

    def __init__(
        self, store: Store, topics: Topics, runner: TurnRunner, *, bin_days: Callable[[], int]
    ) -> None:
        self._store = store
        self._topics = topics
        self._runner = runner
        self._bin_days = bin_days

    async def listed(
        self,
        user_id: UserId,
        shelf: Shelf = Shelf.LIST,
        *,
        before: Place | None = None,
        folder_id: FolderId | None = None,
    ) -> Json:
        """Return the newest of a shelf, or of a folder on it, that come after a place."""
        found = await self._store.conversations(
            user_id, LISTED + 1, shelf, before=before, folder_id=folder_id
        )
        shapes = [wire.conversation(conversation) for conversation in found[:LISTED]]
        return {"conversations": shapes, "has_more": len(found) > LISTED}

    async def in_bin(self, user_id: UserId, *, before: Place | None = None) -> Json:
        """Return the newest of the bin, how many there are in all, and the days that it keeps."""
        return {
            **await self.listed(user_id, Shelf.BIN, before=before),
            "count": await self._store.count_binned(user_id),
            "days": self._bin_days(),
        }

    async def rename(self, user: User, conversation_id: ConversationId, title: str) -> None:
        """Give it a title of its owner's. Raises TitleInvalid."""
        written = own_title(title)
        self._tell(await self._store.change_conversation(user.id, conversation_id, title=written))

    async def pin(self, user: User, conversation_id: ConversationId, *, is_on: bool) -> None:
        self._tell(await self._store.change_conversation(user.id, conversation_id, is_pinned=is_on))

    async def archive(self, user: User, conversation_id: ConversationId, *, is_on: bool) -> None:
        self._tell(
            await self._store.change_conversation(user.id, conversation_id, is_archived=is_on)
        )

    async def delete(self, user: User, conversation_id: ConversationId) -> None:
        """Put it into the bin; what is being answered in it is stopped, and kept."""
        # First the bin, where nothing new can be asked, then the stop: so nothing slips between.
        binned = await self._store.bin_conversation(user.id, conversation_id)
        self._tell(binned)
        self._topics.tell_all(SHARES_CHANGED, {})
        await self._stop(binned.id)

    async def restore(self, user: User, conversation_id: ConversationId) -> None:
        self._tell(await self._store.restore_conversation(user.id, conversation_id))
        self._topics.tell_all(SHARES_CHANGED, {})

    async def purge_binned(self, user: User, conversation_id: ConversationId) -> None:
        """Delete for good what its owner has in the bin."""
        await self._store.purge_binned(user.id, conversation_id)
        await self.list_anew(user.id)

    async def empty_bin(self, user: User, until: datetime) -> int:
        """Delete for good what had gone into a person's bin by then; return how many."""
        count = await self._store.empty_bin(user.id, until)
        await self.list_anew(user.id)
        return count

    # the operator's

    async def purge(self, conversation_id: ConversationId, actor: str) -> Belongings:
        """Delete anybody's conversation for good. Raises NotFound."""
        found = await self._store.count_conversation(conversation_id)
        await self._stop(conversation_id)
        owner = await self._store.purge_conversation(conversation_id)
        await self.list_anew(owner)
        detail = {"conversation": conversation_id, **asdict(found)}
        await self._store.audit(actor, "conversation.purge", detail)
        return found

    async def purge_all(self, user: User, actor: str) -> Belongings:
        """Delete for good every conversation of a person, who stays."""
        await asyncio.gather(*(self._runner.stop(turn) for turn in self._runner.turns_of(user.id)))
        found = await self._store.purge_conversations(user.id)
        await self.list_anew(user.id)
        detail = {"user": user.login, **asdict(found)}
        await self._store.audit(actor, "conversation.purge", detail)
        return found

    # how it works

    async def _stop(self, conversation_id: ConversationId) -> None:
        growing = [
            live.turn.id
            for live in self._runner.lives()
            if live.turn.conversation_id == conversation_id
        ]
        await asyncio.gather(*(self._runner.stop(turn) for turn in growing))

    def _tell(self, changed: Conversation) -> None:
        fields = {"conversation": wire.conversation(changed)}
        self._topics.tell(changed.owner_id, "conversation", fields)

    async def list_anew(self, user_id: UserId) -> None:
        """Tell the open pages of a person which conversations are left."""
        self._topics.tell(user_id, "conversations", await self.listed(user_id))
        self._topics.tell_all(SHARES_CHANGED, {})
