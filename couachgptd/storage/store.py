"""The one store: every port method of `core.ports.Store`, over one database."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from couachgptd.storage import backups
from couachgptd.storage.attachments import AttachmentStore
from couachgptd.storage.chats import ChatStore
from couachgptd.storage.conversations import ConversationStore
from couachgptd.storage.database import locked, opened_database, prepare_directory
from couachgptd.storage.folders import FolderStore
from couachgptd.storage.imports import ImportStore
from couachgptd.storage.incidents import IncidentStore
from couachgptd.storage.links import LinkStore
from couachgptd.storage.model_rules import ModelRulesStore
from couachgptd.storage.portable import PortableStore
from couachgptd.storage.presets import PresetStore
from couachgptd.storage.ratings import RatingStore
from couachgptd.storage.records import RecordStore
from couachgptd.storage.saved_prompts import SavedPromptStore
from couachgptd.storage.search import SearchStore
from couachgptd.storage.shares import ShareStore
from couachgptd.storage.tables import SettingTable
from couachgptd.storage.titles import TitleStore
from couachgptd.storage.turns import TurnStore
from couachgptd.storage.upkeep import SqliteUpkeep


class SqliteStore(
    LinkStore,
    ConversationStore,
    FolderStore,
    ChatStore,
    AttachmentStore,
    TurnStore,
    IncidentStore,
    RecordStore,
    SearchStore,
    ModelRulesStore,
    PortableStore,
    PresetStore,
    SavedPromptStore,
    ImportStore,
    ShareStore,
    RatingStore,
    TitleStore,
):
    """See `core.ports.Store` for what each method promises."""

    async def setting(self, name: str) -> str | None:
        def work() -> str | None:
            row = SettingTable.get_or_none(SettingTable.name == name)
            return row.value if row else None

        return await self._db.read(work)

    async def set_setting(self, name: str, value: str | None) -> None:
        def work() -> None:
            if value is None:
                SettingTable.delete().where(SettingTable.name == name).execute()
            else:
                SettingTable.insert(name=name, value=value).on_conflict_replace().execute()

        await self._db.write(work)

    def upkeep(self, models: Path) -> SqliteUpkeep:
        """Return what keeps the file itself in order; `models` is a folder that it measures."""
        return SqliteUpkeep(self._db, models)

    async def ping(self) -> None:
        if not self._db.is_vacuuming:
            await self._db.write(lambda: None)


async def restored(directory: Path, source: Path) -> None:
    """Put a backup in place while no daemon runs, and bring it up to date.

    Root may do it for the daemon's user: what is made belongs to whom the directory belongs.
    Raises StoreLocked, NotFound, and what `SqliteUpkeep.stage_restore` does.
    """
    prepare_directory(directory, make_parents=False)
    with locked(directory):
        backups.stage(source, directory, f"uid:{os.getuid()} pid:{os.getpid()}")
    try:
        async with opened_database(directory):
            pass
    finally:
        _hand_over(directory)


def _hand_over(directory: Path) -> None:
    owner = directory.stat()
    if os.geteuid() == 0 != owner.st_uid:
        for path in (*directory.glob("*"), *(directory / backups.FOLDER).glob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


@asynccontextmanager
async def opened_store(
    directory: Path, *, make_parents: bool = False
) -> AsyncGenerator[SqliteStore]:
    """Open the store of a data directory. Raises a child of StoreError."""
    async with opened_database(directory, make_parents=make_parents) as database:
        yield SqliteStore(database)
