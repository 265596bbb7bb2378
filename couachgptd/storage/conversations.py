"""Conversations, kept: the list, the archive, the bin; what is in them is in `chats`."""

from typing import Any

from couachgptd.core.conversations import Conversation, Shelf
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import ConversationId, UserId
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
        self, user_id: UserId, limit: int, shelf: Shelf = Shelf.LIST
    ) -> list[Conversation]:
        def work() -> list[Conversation]:
            rows = ConversationTable.select().where(ConversationTable.owner == user_id)
            newest = ConversationTable.updated_at.desc()
            if shelf is Shelf.BIN:
                rows = rows.where(~ConversationTable.deleted_at.is_null())
                rows = rows.order_by(ConversationTable.deleted_at.desc())
            else:
                is_archived = ConversationTable.is_archived == (shelf is Shelf.ARCHIVE)
                rows = rows.where(ConversationTable.deleted_at.is_null() & is_archived)
                pinned = [ConversationTable.is_pinned.desc()] if shelf is Shelf.LIST else []
                rows = rows.order_by(*pinned, newest)
            return [to_conversation(row) for row in rows.limit(limit)]

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
