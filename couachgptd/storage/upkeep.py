"""The store kept in order: backups, checks, sizes, and what is old deleted a bit at a time."""

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from peewee import fn

from couachgptd.core.upkeep import Backup, BackupKind, Kind, Sizes
from couachgptd.storage import backups, migrate, search
from couachgptd.storage.chats import OPEN_STATES
from couachgptd.storage.database import Database, file_error, store_error
from couachgptd.storage.files import folder_bytes, make_durable
from couachgptd.storage.tables import (
    AttachmentTable,
    AuditTable,
    ConversationTable,
    IncidentTable,
    LinkTable,
    MessageTable,
    SessionTable,
    Table,
    TurnTable,
    UserTable,
)

COMPLAINTS = 20  # more of them tell no more
DELETED_AT_ONCE = 50  # rows a transaction: people who write wait behind it

T = TypeVar("T")


class SqliteUpkeep:
    """See `core.upkeep.Upkeep` for what each method promises."""

    def __init__(self, database: Database, models: Path) -> None:
        self._db = database
        self._models = models
        self._directory = database.path.parent
        self._folder = self._directory / backups.FOLDER

    @property
    def schema(self) -> int:
        return max(int(name.partition("_")[0]) for name in migrate.known())

    @property
    def folder(self) -> str:
        return str(self._folder)

    async def back_up(self, kind: BackupKind) -> Backup:
        def work(connection: sqlite3.Connection) -> Backup:
            return backups.copy_into(connection, self._folder, kind)

        return await self._files(self._db.aside(work))

    async def backups(self) -> list[Backup]:
        return await asyncio.to_thread(backups.listed, self._folder)

    async def path_of(self, name: str) -> Path:
        return await asyncio.to_thread(backups.find, self._folder, name)

    async def delete_backup(self, name: str) -> None:
        def work() -> None:
            backups.find(self._folder, name).unlink()
            make_durable(self._folder)

        await self._files(asyncio.to_thread(work))

    async def stage_restore(self, name: str, actor: str) -> Backup:
        def work() -> Backup:
            path = backups.find(self._folder, name)
            backups.stage(path, self._directory, actor)
            return next(each for each in backups.listed(self._folder) if each.name == name)

        return await self._files(asyncio.to_thread(work))

    async def check(self, *, is_quick: bool) -> list[str]:
        def work(connection: sqlite3.Connection) -> list[str]:
            complaints = backups.complaints_of(connection, is_quick=is_quick, most=COMPLAINTS)
            return [*complaints, *search.complaints_of(connection)]

        return await self._db.aside(work)

    async def vacuum(self) -> None:
        # The new file is written whole, then goes through the log into the old one.
        used = (await self.sizes()).database
        await asyncio.to_thread(backups.require_room, self._directory, 2 * used)
        await self._db.vacuum(search.mend)

    async def sizes(self) -> Sizes:
        def rows() -> tuple[int, int, int, int, int]:
            counts = [
                table.select().count() for table in (UserTable, ConversationTable, MessageTable)
            ]
            uploads = AttachmentTable.select(fn.SUM(AttachmentTable.size_bytes)).scalar() or 0
            db: Any = UserTable._meta.database  # noqa: SLF001 -- peewee's documented name of it
            unused = db.pragma("freelist_count") * db.pragma("page_size")
            return counts[0], counts[1], counts[2], uploads, unused

        people, conversations, messages, uploads, unused = await self._db.read(rows)

        def files() -> Sizes:
            disk = shutil.disk_usage(self._directory)
            log = self._db.path.with_name(f"{self._db.path.name}-wal")
            return Sizes(
                database=self._db.path.stat().st_size,
                unused=unused,
                log=log.stat().st_size if log.exists() else 0,
                backups=folder_bytes(self._folder),
                uploads=uploads,
                models=folder_bytes(self._models),
                disk_free=disk.free,
                disk_total=disk.total,
                people=people,
                conversations=conversations,
                messages=messages,
            )

        return await asyncio.to_thread(files)

    async def count_old(self, old: dict[Kind, datetime]) -> dict[Kind, int]:
        return await self._db.read(
            lambda: {kind: _OLD[kind](before).count() for kind, before in old.items()}
        )

    async def clean(self, old: dict[Kind, datetime]) -> dict[Kind, int]:
        deleted = {}
        for kind, before in old.items():
            deleted[kind] = 0
            while count := await self._db.write(lambda: _delete_some(_OLD[kind](before))):  # noqa: B023 -- awaited at once
                deleted[kind] += count
        return deleted

    async def _files(self, work: Awaitable[T]) -> T:
        """Wait for work on files; what keeps it from being done is an error of ours."""
        try:
            return await work
        except sqlite3.Error as error:
            raise store_error(self._db.path, error) from error
        except OSError as error:
            raise file_error(self._directory, error) from error


def _delete_some(old: Any) -> int:
    table: type[Table] = old.model
    key: Any = table._meta.primary_key  # noqa: SLF001 -- peewee's documented name of it
    some = [row[0] for row in old.select(key).limit(DELETED_AT_ONCE).tuples()]
    return int(table.delete().where(key.in_(some)).execute()) if some else 0


def _empty_conversations(before: datetime) -> Any:
    filled = MessageTable.select().where(MessageTable.conversation == ConversationTable.id)
    return ConversationTable.select().where(
        (ConversationTable.created_at < before) & ~fn.EXISTS(filled)
    )


def _old_conversations(before: datetime) -> Any:
    growing = TurnTable.select().where(
        (TurnTable.conversation == ConversationTable.id) & TurnTable.state.in_(OPEN_STATES)
    )
    return ConversationTable.select().where(
        (ConversationTable.updated_at < before) & ~fn.EXISTS(growing)
    )


_OLD: dict[Kind, Callable[[datetime], Any]] = {
    Kind.EMPTY_CONVERSATIONS: _empty_conversations,
    Kind.OLD_CONVERSATIONS: _old_conversations,
    Kind.EXPIRED_BIN: lambda at: ConversationTable.select().where(
        ConversationTable.deleted_at < at
    ),
    Kind.UNSENT_FILES: lambda at: AttachmentTable.select().where(
        AttachmentTable.message.is_null() & (AttachmentTable.created_at < at)
    ),
    Kind.EXPIRED_SESSIONS: lambda at: SessionTable.select().where(SessionTable.expires_at <= at),
    Kind.EXPIRED_LINKS: lambda at: LinkTable.select().where(LinkTable.expires_at <= at),
    Kind.OLD_AUDIT: lambda at: AuditTable.select().where(AuditTable.at < at),
    Kind.OLD_INCIDENTS: lambda at: IncidentTable.select().where(IncidentTable.at < at),
}
