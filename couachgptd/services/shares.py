"""The verbs of sharing: let colleagues read a snapshot, shut them out, make it one's own."""

from collections.abc import AsyncGenerator
from dataclasses import asdict
from datetime import UTC, datetime

from couachgptd.core import portable, wire
from couachgptd.core.ids import ConversationId, MessageId
from couachgptd.core.ports import Store
from couachgptd.core.shares import SHARES_CHANGED, Share, Shared, ShareId, called
from couachgptd.core.users import User, normal_login
from couachgptd.core.wire import Json
from couachgptd.services.topics import Topics

READ_AT_ONCE = 32


class ShareService:
    """What is another's, or was never shared with somebody, raises NotFound."""

    def __init__(self, store: Store, topics: Topics) -> None:
        self._store = store
        self._topics = topics

    # the owner's

    async def show(self, user: User, conversation_id: ConversationId) -> Json:
        return _told(await self._store.share_of(user.id, conversation_id))

    async def people(self, user: User, typed: str) -> list[Json]:
        """Return who may be meant: active colleagues, by name and login only."""
        return [asdict(each) for each in called(await self._store.colleagues(user.id), typed)]

    async def add(
        self, user: User, conversation_id: ConversationId, login: str, leaf: MessageId | None
    ) -> Json:
        share = await self._store.add_to_share(user.id, conversation_id, normal_login(login), leaf)
        return self._changed(share)

    async def renew(
        self, user: User, conversation_id: ConversationId, leaf: MessageId | None
    ) -> Json:
        return self._changed(await self._store.renew_share(user.id, conversation_id, leaf))

    async def remove(self, user: User, conversation_id: ConversationId, login: str | None) -> Json:
        """Shut somebody out, or everybody; pages that show it say so at once."""
        found = None if login is None else normal_login(login)
        return self._changed(await self._store.remove_from_share(user.id, conversation_id, found))

    # their colleagues'

    async def listed(self, user: User) -> list[Json]:
        return [_seen(each) for each in await self._store.shared_with(user.id)]

    async def open(self, user: User, share_id: ShareId) -> Json:
        return _seen(await self._store.shared(user.id, share_id))

    async def content(self, user: User, share_id: ShareId) -> AsyncGenerator[bytes]:
        """Return its messages in our format (docs/export.md). Raises NotFound."""
        return self._content(user, await self._store.shared(user.id, share_id))

    async def fork(self, user: User, share_id: ShareId) -> Json:
        made = wire.conversation(await self._store.fork_share(user.id, share_id))
        self._topics.tell(user.id, "conversation", {"conversation": made})
        return made

    # how it works

    async def _content(self, user: User, shared: Shared) -> AsyncGenerator[bytes]:
        yield portable.json_begin(datetime.now(UTC)).encode()
        at = portable.moment(shared.created_at)
        fields = {"id": shared.id, "title": shared.title, "created_at": at, "updated_at": at}
        yield portable.conversation_begin(fields, is_first=True).encode()
        after, is_first = -1, True
        while some := await self._store.shared_messages(user.id, shared.id, after, READ_AT_ONCE):
            for message in some:
                yield portable.message_json(message, is_first=is_first).encode()
                after, is_first = message.id, False
        yield (portable.CONVERSATION_END + portable.json_end({})).encode()

    def _changed(self, share: Share | None) -> Json:
        self._topics.tell_all(SHARES_CHANGED, {})
        return _told(share)


def _told(share: Share | None) -> Json:
    if share is None:
        return {"share": None}
    return {
        "share": {
            "id": share.id,
            "created_at": wire.moment(share.created_at),
            "messages": share.messages,
            "people": [asdict(each) for each in share.people],
        }
    }


def _seen(shared: Shared) -> Json:
    return {
        "id": shared.id,
        "title": shared.title,
        "owner": asdict(shared.owner),
        "created_at": wire.moment(shared.created_at),
        "messages": shared.messages,
    }
