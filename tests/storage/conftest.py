"""A real store in a directory of the test's own, and a person to own what is kept."""

from collections.abc import AsyncIterator
from pathlib import Path

import playhouse.migrations
import pytest
from peewee import SqliteDatabase

from couachgptd.core.users import Role, User, UserState
from couachgptd.storage import migrate
from couachgptd.storage.store import SqliteStore, opened_store


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def store(data: Path) -> AsyncIterator[SqliteStore]:
    async with opened_store(data) as opened:
        yield opened


@pytest.fixture
async def claire(store: SqliteStore) -> User:
    return await new_person(store, "claire")


@pytest.fixture
async def marc(store: SqliteStore) -> User:
    return await new_person(store, "marc")


async def new_person(store: SqliteStore, login: str) -> User:
    return await store.add_user(
        login=login,
        name=login.title(),
        password_hash=f"hash of {login}",
        role=Role.MEMBER,
        state=UserState.ACTIVE,
        language="fr",
    )


def make_old_store(path: Path, schema: int) -> None:
    """Make a store as a version made it that knew no migration after that one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    database = SqliteDatabase(str(path))
    runner = playhouse.migrations.Runner(database, str(migrate.MIGRATIONS), migrate.HISTORY_TABLE)
    runner.up(target=next(name for name in migrate.known() if name.startswith(f"{schema:04d}_")))
    database.close()
