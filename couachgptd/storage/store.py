"""The one store: every port method of `core.ports.Store`, over one database."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from couachgptd.storage.chats import ChatStore
from couachgptd.storage.database import opened_database
from couachgptd.storage.incidents import IncidentStore
from couachgptd.storage.links import LinkStore
from couachgptd.storage.records import RecordStore
from couachgptd.storage.tables import SettingTable
from couachgptd.storage.turns import TurnStore
from couachgptd.storage.upkeep import SqliteUpkeep


class SqliteStore(LinkStore, ChatStore, TurnStore, IncidentStore, RecordStore):
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


@asynccontextmanager
async def opened_store(
    directory: Path, *, make_parents: bool = False
) -> AsyncGenerator[SqliteStore]:
    """Open the store of a data directory. Raises a child of StoreError."""
    async with opened_database(directory, make_parents=make_parents) as database:
        yield SqliteStore(database)
