"""The file itself: who may write, what is refused, what a crash leaves, who else may read."""

import asyncio
import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from couachgptd.core.errors import (
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreReadOnly,
    StoreTooNew,
)
from couachgptd.storage import migrate, tables
from couachgptd.storage.database import FILE_NAME, Database, opened_database, store_error
from couachgptd.storage.search import INDEXES
from couachgptd.storage.store import SqliteStore, opened_store
from couachgptd.storage.tables import SettingTable

ROOT = Path(__file__).parents[2]
SECOND = '''"""The second schema."""


def up(migrator, db):
    db.execute_sql("CREATE TABLE extra (id INTEGER PRIMARY KEY)")
'''


def pragmas(db: Database, *names: str) -> Callable[[], dict[str, Any]]:
    return lambda: {name: db._peewee.pragma(name) for name in names}


async def made(data: Path) -> Path:
    """Make a store, close it and return its file."""
    async with opened_store(data) as store:
        await store.set_setting("a", "1")
    return data / FILE_NAME


def checked(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("PRAGMA integrity_check")]


@contextlib.contextmanager
def mounted(path: Path, *options: str) -> Iterator[None]:
    """Mount something at `path`: what root itself cannot write to, or fills, is real there."""
    subprocess.run(["mount", *options, str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


# --- threads and their rights ------------------------------------------------------------------


async def test_the_writer_is_durable_and_checks_references(store: SqliteStore) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "query_only")

    found = await store._db.write(pragmas(store._db, *names))

    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "query_only": 0,
    }


async def test_readers_can_only_query_and_never_checkpoint(store: SqliteStore) -> None:
    names = ("query_only", "wal_autocheckpoint", "trusted_schema")

    found = await store._db.read(pragmas(store._db, *names))

    assert found == {"query_only": 1, "wal_autocheckpoint": 0, "trusted_schema": 0}


async def test_a_write_on_a_reader_is_refused(store: SqliteStore) -> None:
    with pytest.raises(StoreReadOnly):
        await store._db.read(lambda: SettingTable.insert(name="a", value="1").execute())


async def test_what_fails_half_way_leaves_nothing(store: SqliteStore) -> None:
    def work() -> None:
        SettingTable.insert(name="a", value="1").execute()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store._db.write(work)

    assert await store.setting("a") is None


async def test_a_write_whose_caller_leaves_is_still_done(store: SqliteStore) -> None:
    task = asyncio.create_task(store.set_setting("a", "1"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await store.ping()  # behind it, on the same thread
    assert await store.setting("a") == "1"


async def test_writes_that_wait_together_share_one_commit(store: SqliteStore) -> None:
    free = threading.Event()
    statements: list[str] = []

    def trace() -> None:
        store._db._peewee.connection().set_trace_callback(statements.append)
        free.wait(10)

    blocker = asyncio.create_task(store._db.write(trace))
    await asyncio.sleep(0.05)  # the writer is in it now
    waiting = [asyncio.create_task(store.set_setting(f"s{n}", "1")) for n in range(20)]
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(blocker, *waiting)

    assert statements.count("BEGIN IMMEDIATE") == 1
    assert [await store.setting(f"s{n}") for n in range(20)] == ["1"] * 20


async def test_one_write_that_fails_takes_none_of_its_neighbours_with_it(
    store: SqliteStore,
) -> None:
    def failing() -> None:
        SettingTable.insert(name="bad", value="1").execute()
        raise ZeroDivisionError

    free = threading.Event()
    blocker = asyncio.create_task(store._db.write(lambda: free.wait(10)))
    await asyncio.sleep(0.05)
    before = asyncio.create_task(store.set_setting("before", "1"))
    bad = asyncio.create_task(store._db.write(failing))
    after = asyncio.create_task(store.set_setting("after", "1"))
    await asyncio.sleep(0)
    free.set()
    outcomes = await asyncio.gather(blocker, before, bad, after, return_exceptions=True)

    assert [type(each) for each in outcomes] == [bool, type(None), ZeroDivisionError, type(None)]
    assert [await store.setting(name) for name in ("before", "bad", "after")] == ["1", None, "1"]


async def test_a_long_read_holds_up_neither_writers_nor_other_readers(store: SqliteStore) -> None:
    import threading

    begun, go_on = threading.Event(), threading.Event()

    def long_read() -> None:
        list(SettingTable.select())
        begun.set()
        assert go_on.wait(30)

    reading = asyncio.create_task(store._db.read(long_read))
    await asyncio.to_thread(begun.wait, 30)
    await asyncio.wait_for(store.set_setting("a", "1"), 10)
    assert await asyncio.wait_for(store.setting("a"), 10) == "1"
    go_on.set()
    await reading


# --- the file ----------------------------------------------------------------------------------


async def test_the_directory_and_the_files_are_nobody_elses_to_read(data: Path) -> None:
    async with opened_store(data) as store:
        await store.set_setting("a", "1")
        modes = {each.name: each.stat().st_mode & 0o777 for each in data.iterdir()}

    assert data.stat().st_mode & 0o777 == 0o700
    assert set(modes) == {FILE_NAME, f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", "lock"}
    assert set(modes.values()) == {0o600}


async def test_a_closed_store_is_one_file_with_everything_in_it(data: Path) -> None:
    path = await made(data)

    wal = path.with_name(f"{FILE_NAME}-wal")
    assert not wal.exists() or wal.stat().st_size == 0
    assert checked(path) == ["ok"]
    async with opened_store(data) as store:
        assert await store.setting("a") == "1"


async def test_opening_leaves_the_umask_as_it_was(data: Path) -> None:
    before = os.umask(0o022)
    try:
        await made(data)
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


async def test_the_schema_that_migrations_make_is_the_one_of_the_tables(
    store: SqliteStore,
) -> None:
    def columns() -> dict[str, list[tuple[str, bool]]]:
        return {
            table._meta.table_name: [
                (row[1], bool(row[3]) or bool(row[5]))
                for row in store._db._peewee.execute_sql(
                    f"PRAGMA table_info({table._meta.table_name})"
                )
            ]
            for table in tables.TABLES
        }

    made_by_migrations = await store._db.read(columns)

    assert made_by_migrations == {
        table._meta.table_name: [
            (field.column_name, not field.null) for field in table._meta.sorted_fields
        ]
        for table in tables.TABLES
    }


async def test_there_is_no_table_that_the_code_does_not_know(store: SqliteStore) -> None:
    names = await store._db.read(store._db._peewee.get_tables)

    known = {table._meta.table_name for table in tables.TABLES}
    kept_by_triggers = {name for name in names if name.startswith(tuple(INDEXES))}
    others = {migrate.HISTORY_TABLE, "sqlite_sequence", "conversation_numbers", "searched_files"}
    assert set(names) - others - kept_by_triggers == known


# --- what is refused ---------------------------------------------------------------------------


async def refusal(data: Path, **options: bool) -> StoreError:
    with pytest.raises(StoreError) as raised:
        async with opened_store(data, **options):
            pass
    assert str(data) in str(raised.value.fields["path"])
    return raised.value


@pytest.mark.parametrize("journal", ["wal", "delete"])
async def test_a_newer_database_is_refused_and_not_a_byte_of_it_changes(
    data: Path, journal: str
) -> None:
    path = await made(data)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO schema_migration (name, applied) VALUES ('0099_new', 1)")
        connection.commit()
        connection.execute(f"PRAGMA journal_mode = {journal}")
    before = path.read_bytes()

    error = await refusal(data)

    assert isinstance(error, StoreTooNew)
    assert error.fields["unknown"] == ["0099_new"]
    assert path.read_bytes() == before
    assert not list(data.glob("*.before-*"))


@pytest.mark.parametrize("size", [1, 100, 5000])
async def test_a_file_that_is_no_database_is_refused_and_kept(data: Path, size: int) -> None:
    data.mkdir()
    path = data / FILE_NAME
    path.write_bytes(b"garbage!" * size)
    before = path.read_bytes()

    error = await refusal(data)

    assert isinstance(error, StoreCorrupt)
    assert path.read_bytes() == before


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    page = 4096
    for number in range(3, len(content) // page):
        content[number * page : number * page + 64] = b"\xff" * 64
    path.write_bytes(content)


async def test_a_damaged_database_is_refused_after_a_crash(data: Path) -> None:
    path = await made(data)
    damage(path)
    path.with_name(f"{FILE_NAME}-wal").write_bytes(b"\0" * 32)

    assert isinstance(await refusal(data), StoreCorrupt)


async def test_damage_after_an_orderly_end_shows_at_the_first_use_of_the_page(data: Path) -> None:
    damage(await made(data))

    async def read_everything() -> None:
        async with opened_store(data) as store:
            await store._db.read(lambda: [list(table.select()) for table in tables.TABLES])

    with pytest.raises(StoreCorrupt):
        await read_everything()


async def test_a_half_written_database_is_refused(data: Path) -> None:
    path = await made(data)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    path.with_name(f"{FILE_NAME}-wal").write_bytes(b"\0" * 32)

    assert isinstance(await refusal(data), StoreCorrupt)


async def test_a_missing_parent_is_told_and_not_made(tmp_path: Path) -> None:
    error = await refusal(tmp_path / "absent" / "data")

    assert isinstance(error, StoreMissing)
    assert not (tmp_path / "absent").exists()


async def test_a_missing_parent_is_made_where_the_place_is_our_own_choice(tmp_path: Path) -> None:
    data = tmp_path / "absent" / "data"

    async with opened_store(data, make_parents=True):
        assert data.is_dir()


@pytest.mark.parametrize("place", ["/proc/couachgpt", "/dev/null/couachgpt", "a file"])
async def test_a_place_that_cannot_be_a_directory_is_told(tmp_path: Path, place: str) -> None:
    if place == "a file":
        (tmp_path / "file").write_text("x")
        place = str(tmp_path / "file")

    assert isinstance(await refusal(Path(place)), StoreMissing)


async def test_a_read_only_disk_is_told(data: Path) -> None:
    await made(data)
    with mounted(data, "--bind", str(data)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(data)], check=True)

        assert isinstance(await refusal(data), StoreReadOnly)


async def test_a_disk_that_is_full_at_the_start_is_told(data: Path) -> None:
    data.mkdir()
    with mounted(data, "-t", "tmpfs", "-o", "size=64k", "tmpfs"):
        with contextlib.suppress(OSError):
            (data / "filler").write_bytes(b"x" * 65536)

        assert isinstance(await refusal(data), StoreFull)


async def test_a_disk_that_fills_up_is_told_and_nothing_kept_is_lost(data: Path) -> None:
    data.mkdir()
    with mounted(data, "-t", "tmpfs", "-o", "size=1m", "tmpfs"):
        async with opened_store(data) as store:
            await store.set_setting("kept", "1")
            with pytest.raises(StoreFull):
                await store.set_setting("large", "x" * 2_000_000)

            assert await store.setting("kept") == "1"
            assert await store.setting("large") is None
            await store.set_setting("small", "2")  # it goes on once there is room
        assert checked(data / FILE_NAME) == ["ok"]


async def test_a_second_daemon_on_the_same_data_is_refused_and_the_first_lives(
    data: Path,
) -> None:
    async with opened_store(data) as store:
        assert isinstance(await refusal(data), StoreLocked)

        await store.set_setting("a", "1")
        assert await store.setting("a") == "1"


async def test_the_lock_ends_with_its_holder(data: Path) -> None:
    await made(data)

    await made(data)


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("attempt to write a readonly database", StoreReadOnly),
        ("file is not a database", StoreCorrupt),
        ("database disk image is malformed", StoreCorrupt),
        ("database or disk is full", StoreFull),
        ("unable to open database file", StoreMissing),
        ("disk I/O error", StoreError),
    ],
)
def test_what_sqlite_says_becomes_an_error_of_ours(message: str, kind: type[StoreError]) -> None:
    error = store_error(Path("/x"), sqlite3.OperationalError(message))

    assert type(error) is kind
    assert error.fields == {"path": "/x", "reason": message}


async def test_a_connection_that_could_not_get_its_rights_is_never_used(
    data: Path,
) -> None:
    path = await made(data)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    good = path.read_bytes()
    path.write_bytes(b"garbage!" * 1000)
    db = Database(path)
    with pytest.raises(StoreError):
        await db.read(lambda: list(SettingTable.select()))
    path.write_bytes(good)  # it was a passing trouble

    found = await db.read(pragmas(db, "query_only", "foreign_keys"))

    assert found == {"query_only": 1, "foreign_keys": 1}
    await db.close()


# --- migrations --------------------------------------------------------------------------------


@pytest.fixture
def migrations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory of migrations of the test's own, where only the first one is yet."""
    directory = tmp_path / "migrations"
    directory.mkdir()
    shutil.copy(migrate.MIGRATIONS / "0001_first.py", directory)
    monkeypatch.setattr(migrate.up, "__defaults__", (directory,))
    return directory


async def test_a_fresh_store_is_not_backed_up(data: Path) -> None:
    await made(data)

    assert not list(data.glob("*.before-*"))


async def test_a_backup_is_made_before_a_second_migration(data: Path, migrations: Path) -> None:
    await made(data)
    (migrations / "0002_second.py").write_text(SECOND)

    async with opened_store(data) as store:
        names = await store._db.read(store._db._peewee.get_tables)
        assert "extra" in names
        assert await store.setting("a") == "1"

    (backup,) = data.glob("*.before-*")
    assert backup.name == "couachgpt.before-0002_second.db"
    assert backup.stat().st_mode & 0o777 == 0o600
    assert checked(backup) == ["ok"]
    with contextlib.closing(sqlite3.connect(backup)) as connection:
        assert connection.execute("SELECT value FROM settings").fetchall() == [("1",)]
        assert not connection.execute("SELECT 1 FROM sqlite_schema WHERE name='extra'").fetchall()


async def test_a_migration_that_fails_leaves_the_schema_as_it_was(
    data: Path, migrations: Path
) -> None:
    path = await made(data)
    (migrations / "0002_second.py").write_text(SECOND + '    db.execute_sql("SELECT nonsense")\n')

    assert type(await refusal(data)) is StoreError

    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert not connection.execute("SELECT 1 FROM sqlite_schema WHERE name='extra'").fetchall()
    (migrations / "0002_second.py").write_text(SECOND)
    async with opened_store(data) as store:
        assert await store.setting("a") == "1"


async def test_a_backup_put_in_place_of_the_database_works(data: Path, migrations: Path) -> None:
    path = await made(data)
    (migrations / "0002_second.py").write_text(SECOND)
    await made(data)
    (backup,) = data.glob("*.before-*")
    (migrations / "0002_second.py").unlink()
    backup.replace(path)

    async with opened_store(data) as store:
        assert await store.setting("a") == "1"


# --- crashes -----------------------------------------------------------------------------------

WRITES = """
import asyncio, sys
from pathlib import Path
from couachgptd.storage.store import opened_store

async def main():
    async with opened_store(Path(sys.argv[1])) as store:
        number = 0
        while True:
            number += 1
            await store.set_setting("number", str(number))
            await store.set_setting(f"large{number % 50}", "x" * 20_000)
            print(number, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 37, 120])
async def test_kill_9_in_mid_write_loses_nothing_acknowledged_and_damages_nothing(
    data: Path, lines: int
) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITES, str(data)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert writer.stdout is not None
    acknowledged = 0
    for _ in range(lines):
        acknowledged = int(writer.stdout.readline())
    writer.send_signal(signal.SIGKILL)
    rest = writer.stdout.read().split()
    writer.wait(10)
    writer.stdout.close()
    acknowledged = max([acknowledged, *(int(line) for line in rest[:-1])])

    assert data.joinpath(f"{FILE_NAME}-wal").stat().st_size > 0
    async with opened_store(data) as store:
        kept = await store.setting("number")
        assert kept is not None
        assert int(kept) >= acknowledged
    assert checked(data / FILE_NAME) == ["ok"]


async def test_a_start_after_an_orderly_end_does_not_read_the_whole_file(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(data)
    read: list[str] = []

    def note(_db: object, path: Path) -> None:
        read.append(path.name)

    monkeypatch.setattr(migrate, "check", note)
    await made(data)
    assert read == []

    (data / f"{FILE_NAME}-wal").write_bytes(b"\0" * 32)
    async with opened_database(data):
        assert read == [FILE_NAME]
