"""Conversations, kept: the list, the archive, the bin; what is in them is in `chats`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from peewee import Tuple

from couachgptd.core.choices import Choices
from couachgptd.core.conversations import Conversation, Place, Shelf
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import ConversationId, FolderId, UserId
from couachgptd.core.users import Belongings
from couachgptd.storage import statements
from couachgptd.storage.database import Database
from couachgptd.storage.people import belongings_of
from couachgptd.storage.rows import now, to_conversation
from couachgptd.storage.tables import ConversationTable, MessageTable


class ConversationStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def conversations(
        self,
        user_id: UserId,
        limit: int,
        shelf: Shelf = Shelf.LIST,
        *,
        before: Place | None = None,
        folder_id: FolderId | None = None,
    ) -> list[Conversation]:
        order = _ORDERS[shelf]

        def work() -> list[Conversation]:
            rows = ConversationTable.select().where(_on(user_id, shelf))
            if folder_id is not None:
                rows = rows.where(ConversationTable.folder == folder_id)
            if before is not None:
                rows = rows.where(Tuple(*order) < Tuple(*_placed(before, shelf)))
            rows = rows.order_by(*(field.desc() for field in order))
            return [to_conversation(row) for row in rows.limit(limit)]

        return await self._db.read(work)

    async def count_binned(self, user_id: UserId) -> int:
        def work() -> int:
            return int(ConversationTable.select().where(_on(user_id, Shelf.BIN)).count())

        return await self._db.read(work)

    async def conversation(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> Conversation | None:
        def work() -> Conversation | None:
            row = statements.find(ConversationTable, id=conversation_id, owner=user_id)
            return None if row is None else to_conversation(row)

        return await self._db.read(work)

    async def change_conversation(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        *,
        title: str | None = None,
        is_pinned: bool | None = None,
        is_archived: bool | None = None,
    ) -> Conversation:
        given = {"title": title, "is_pinned": is_pinned, "is_archived": is_archived}
        changes: dict[str, Any] = {
            name: value for name, value in given.items() if value is not None
        }
        if title is not None:
            changes["is_title_own"] = True

        def work() -> Conversation:
            row = _own(user_id, conversation_id)
            if row.deleted_at is not None:
                raise NotFound
            return _changed(row, changes)

        return await self._db.write(work)

    async def set_choices(
        self, user_id: UserId, conversation_id: ConversationId, choices: Choices
    ) -> None:
        def work() -> None:
            row = _own(user_id, conversation_id)
            if row.deleted_at is not None:
                raise NotFound
            _changed(row, {"choices": choices.document()})

        await self._db.write(work)

    async def bin_conversation(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> Conversation:
        def work() -> Conversation:
            row = _own(user_id, conversation_id)
            return _changed(row, {"deleted_at": row.deleted_at or now()})

        return await self._db.write(work)

    async def restore_conversation(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> Conversation:
        def work() -> Conversation:
            return _changed(_own(user_id, conversation_id), {"deleted_at": None})

        return await self._db.write(work)

    async def purge_binned(self, user_id: UserId, conversation_id: ConversationId) -> None:
        def work() -> None:
            gone = ConversationTable.delete().where(
                (ConversationTable.id == conversation_id)
                & (ConversationTable.owner == user_id)
                & ~ConversationTable.deleted_at.is_null()
            )
            if not gone.execute():
                raise NotFound

        await self._db.write(work)

    async def empty_bin(self, user_id: UserId, until: datetime) -> int:
        def work() -> int:
            old = ConversationTable.deleted_at <= until
            gone = ConversationTable.delete().where(_on(user_id, Shelf.BIN) & old)
            return int(gone.execute())

        return await self._db.write(work)

    async def count_conversation(self, conversation_id: ConversationId) -> Belongings:
        def work() -> Belongings:
            if statements.find(ConversationTable, id=conversation_id) is None:
                raise NotFound
            messages = MessageTable.select().where(MessageTable.conversation == conversation_id)
            return Belongings(1, messages.count())

        return await self._db.read(work)

    async def purge_conversation(self, conversation_id: ConversationId) -> UserId:
        def work() -> UserId:
            row = statements.find(ConversationTable, id=conversation_id)
            if row is None:
                raise NotFound
            row.delete_instance()
            return UserId(row.owner_id)

        return await self._db.write(work)

    async def purge_conversations(self, user_id: UserId) -> Belongings:
        def work() -> Belongings:
            found = belongings_of(user_id)
            ConversationTable.delete().where(ConversationTable.owner == user_id).execute()
            return found

        return await self._db.write(work)


_NEWEST = (ConversationTable.updated_at, ConversationTable.id)
_ORDERS: Mapping[Shelf, tuple[Any, ...]] = {
    Shelf.LIST: (ConversationTable.is_pinned, *_NEWEST),
    Shelf.ARCHIVE: _NEWEST,
    Shelf.BIN: (ConversationTable.deleted_at, ConversationTable.id),
}


def _on(user_id: UserId, shelf: Shelf) -> Any:
    is_own = ConversationTable.owner == user_id
    if shelf is Shelf.BIN:
        return is_own & ~ConversationTable.deleted_at.is_null()
    is_there = ConversationTable.is_archived == (shelf is Shelf.ARCHIVE)
    return is_own & ConversationTable.deleted_at.is_null() & is_there


def _placed(before: Place, shelf: Shelf) -> list[Any]:
    """Return the columns of a shelf's order; in a tuple peewee does not know their kinds."""
    at = [ConversationTable.updated_at.db_value(before.at), before.id]
    return [int(before.is_pinned), *at] if shelf is Shelf.LIST else at


def _own(user_id: UserId, conversation_id: ConversationId) -> ConversationTable:
    row = statements.find(ConversationTable, id=conversation_id, owner=user_id)
    if row is None:
        raise NotFound
    return row


def _changed(row: ConversationTable, changes: dict[str, Any]) -> Conversation:
    if changes:
        statements.update(ConversationTable, [(row.id, changes)])
    for name, value in changes.items():
        setattr(row, name, value)
    return to_conversation(row)
