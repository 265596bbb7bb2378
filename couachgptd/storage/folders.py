"""Folders, kept; the last one that a person removed is kept, too, so that it can come back."""

from dataclasses import replace

from couachgptd.core.conversations import Conversation
from couachgptd.core.errors import NotFound
from couachgptd.core.folders import Folder, require_free, require_room
from couachgptd.core.ids import ConversationId, FolderId, UserId
from couachgptd.storage import statements
from couachgptd.storage.database import Database
from couachgptd.storage.rows import now, to_conversation, to_folder
from couachgptd.storage.tables import ConversationTable, FolderTable


class FolderStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def folders(self, user_id: UserId) -> list[Folder]:
        return await self._db.read(lambda: _folders(user_id))

    async def add_folder(self, user_id: UserId, name: str) -> FolderId:
        def work() -> FolderId:
            others = _folders(user_id)
            require_room(others)
            require_free(name, others)
            return FolderId(FolderTable.create(owner=user_id, name=name).id)

        return await self._db.write(work)

    async def rename_folder(self, user_id: UserId, folder_id: FolderId, name: str) -> None:
        def work() -> None:
            row = _own(user_id, folder_id)
            require_free(name, (each for each in _folders(user_id) if each.id != folder_id))
            statements.update(FolderTable, [(row.id, {"name": name})])

        await self._db.write(work)

    async def remove_folder(self, user_id: UserId, folder_id: FolderId) -> None:
        def work() -> None:
            row = _own(user_id, folder_id)
            FolderTable.delete().where(
                (FolderTable.owner == user_id) & ~FolderTable.removed_at.is_null()
            ).execute()
            statements.update(FolderTable, [(row.id, {"removed_at": now()})])

        await self._db.write(work)

    async def restore_folder(self, user_id: UserId, folder_id: FolderId) -> None:
        def work() -> None:
            row = statements.find(FolderTable, id=folder_id, owner=user_id)
            if row is None:
                raise NotFound
            if row.removed_at is None:
                return
            others = _folders(user_id)
            require_room(others)
            require_free(row.name, others)
            statements.update(FolderTable, [(row.id, {"removed_at": None})])

        await self._db.write(work)

    async def move_conversation(
        self, user_id: UserId, conversation_id: ConversationId, folder_id: FolderId | None
    ) -> Conversation:
        def work() -> Conversation:
            row = statements.find(ConversationTable, id=conversation_id, owner=user_id)
            if row is None or row.deleted_at is not None:
                raise NotFound
            if folder_id is not None:
                _own(user_id, folder_id)
            statements.update(ConversationTable, [(row.id, {"folder": folder_id})])
            return replace(to_conversation(row), folder_id=folder_id)

        return await self._db.write(work)


def _folders(user_id: UserId) -> list[Folder]:
    rows = FolderTable.select().where(
        (FolderTable.owner == user_id) & FolderTable.removed_at.is_null()
    )
    return [to_folder(row) for row in rows]


def _own(user_id: UserId, folder_id: FolderId) -> FolderTable:
    row = statements.find(FolderTable, id=folder_id, owner=user_id)
    if row is None or row.removed_at is not None:
        raise NotFound
    return row
