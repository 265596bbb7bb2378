"""Backups: whole, private, made while others write; put back without losing what was there."""

import asyncio
import contextlib
import json
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from couachgptd.core.errors import NotFound, StoreCorrupt, StoreFull, StoreTooNew
from couachgptd.core.upkeep import Backup, BackupKind
from couachgptd.core.users import User
from couachgptd.storage import backups, migrate
from couachgptd.storage.database import FILE_NAME
from couachgptd.storage.store import SqliteStore, opened_store
from couachgptd.storage.upkeep import SqliteUpkeep
from tests.storage.conftest import make_old_store


@pytest.fixture
def upkeep(store: SqliteStore, tmp_path: Path) -> SqliteUpkeep:
    return store.upkeep(tmp_path / "models")


async def backed_up(upkeep: SqliteUpkeep) -> Backup:
    return await upkeep.back_up(BackupKind.MANUAL)


def settings_in(path: Path) -> dict[str, str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return dict(connection.execute("SELECT name, value FROM settings"))


async def test_a_backup_is_one_whole_private_file_named_by_time_schema_and_kind(
    store: SqliteStore, upkeep: SqliteUpkeep, data: Path
) -> None:
    await store.set_setting("a", "1")

    made = await backed_up(upkeep)

    path = await upkeep.path_of(made.name)
    assert settings_in(path) == {"a": "1"}
    assert path.name == f"couachgpt-{made.made_at:%Y%m%dT%H%M%SZ}-s{made.schema:04d}-manual.db"
    assert made.schema == newest_schema()
    assert made.size_bytes == path.stat().st_size
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == [made.name]
    assert path.parent == data / "backups"


async def test_while_one_is_made_the_store_goes_on(
    store: SqliteStore, upkeep: SqliteUpkeep
) -> None:
    await asyncio.gather(*(store.set_setting(f"s{n}", "x" * 200_000) for n in range(40)))

    making = asyncio.create_task(backed_up(upkeep))
    written = 0
    while not making.done():
        await store.set_setting("during", str(written))
        written += 1

    assert written > 1, "one write at most would mean that they waited"
    assert len(settings_in(await upkeep.path_of((await making).name))) >= 40


async def test_what_a_killed_daemon_left_half_written_goes_with_the_next(
    upkeep: SqliteUpkeep, data: Path
) -> None:
    (data / "backups").mkdir()
    (data / "backups" / "couachgpt-20260101T000000Z-s0003-manual.db.part").write_bytes(b"half")

    made = await backed_up(upkeep)

    assert [each.name for each in (data / "backups").iterdir()] == [made.name]


async def test_they_are_listed_newest_first_and_nothing_else_is(
    upkeep: SqliteUpkeep, data: Path
) -> None:
    first, second = await backed_up(upkeep), await backed_up(upkeep)
    (data / "backups" / "notes.txt").write_text("mine")
    (data / "backups" / "couachgpt-20260101T000000Z-s0001-unheard-of.db").write_text("no")

    assert [each.name for each in await upkeep.backups()] == [
        each.name for each in sorted((first, second), key=lambda b: b.name, reverse=True)
    ]
    assert first.name != second.name


async def test_there_are_none_before_the_first(upkeep: SqliteUpkeep) -> None:
    assert await upkeep.backups() == []


@pytest.mark.parametrize(
    "name",
    ["../couachgpt.db", "couachgpt.db", "", ".", "/etc/passwd", "couachgpt-x.db"],
)
async def test_what_is_no_backup_is_neither_found_nor_deleted_nor_put_back(
    upkeep: SqliteUpkeep, data: Path, name: str
) -> None:
    await backed_up(upkeep)

    with pytest.raises(NotFound):
        await upkeep.delete_backup(name)
    with pytest.raises(NotFound):
        await upkeep.stage_restore(name, "ada")
    with pytest.raises(NotFound):
        await upkeep.path_of(name)
    assert (data / FILE_NAME).exists()


async def test_one_is_deleted_by_its_name(upkeep: SqliteUpkeep) -> None:
    made = await backed_up(upkeep)

    await upkeep.delete_backup(made.name)

    assert await upkeep.backups() == []


# --- the disk ------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(path: Path, size: str) -> Iterator[None]:
    path.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


async def test_a_copy_that_would_fill_the_disk_is_not_begun(
    upkeep: SqliteUpkeep, data: Path
) -> None:
    with small_disk(data / "backups", "8m"):
        with pytest.raises(StoreFull):
            await backed_up(upkeep)

        assert list((data / "backups").iterdir()) == []


async def test_a_disk_that_fills_up_meanwhile_leaves_nothing_half_written(
    store: SqliteStore, upkeep: SqliteUpkeep, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.set_setting("large", "x" * 4_000_000)
    monkeypatch.setattr(backups, "SPARE_BYTES", -8_000_000)  # as if another took the room
    with small_disk(data / "backups", "1m"):
        with pytest.raises(StoreFull):
            await backed_up(upkeep)

        assert list((data / "backups").iterdir()) == []
    assert await store.setting("large") is not None


# --- putting one back ----------------------------------------------------------------------------


async def test_after_the_next_start_it_is_as_it_was_and_what_was_there_is_a_backup(
    data: Path, tmp_path: Path
) -> None:
    async with opened_store(data) as store:
        await store.set_setting("a", "before")
        made = await backed_up(store.upkeep(tmp_path))
        await store.set_setting("a", "after")
        await store.upkeep(tmp_path).stage_restore(made.name, "ada")
        assert await store.setting("a") == "after", "nothing changes before the next start"
        await store.set_setting("late", "1")

    async with opened_store(data) as store:
        assert await store.setting("a") == "before"
        kept = await store.upkeep(tmp_path).backups()

    assert {each.kind for each in kept} == {BackupKind.BEFORE_RESTORE, BackupKind.MANUAL}
    before = next(each for each in kept if each.kind is BackupKind.BEFORE_RESTORE)
    assert settings_in(data / "backups" / before.name) == {"a": "after", "late": "1"}
    assert not (data / backups.STAGED).exists()


async def test_what_is_put_back_says_who_did_it_and_where_the_store_before_is(
    data: Path, tmp_path: Path
) -> None:
    async with opened_store(data) as store:
        made = await backed_up(store.upkeep(tmp_path))
        await store.upkeep(tmp_path).stage_restore(made.name, "ada")

    async with opened_store(data) as store:
        names = [each.name for each in await store.upkeep(tmp_path).backups()]
    with contextlib.closing(sqlite3.connect(data / FILE_NAME)) as connection:
        (actor, verb, detail), *_ = connection.execute(
            "SELECT actor, verb, detail FROM audit ORDER BY id DESC"
        ).fetchall()

    (before,) = set(names) - {made.name}
    assert (actor, verb) == ("ada", "db.restore")
    assert json.loads(detail) == {"name": made.name, "before": before}


async def test_in_what_is_put_back_nobody_is_logged_in(
    data: Path, store: SqliteStore, upkeep: SqliteUpkeep, claire: User
) -> None:
    from datetime import UTC, datetime, timedelta

    await store.add_session("key", claire.id, {}, datetime.now(UTC) + timedelta(days=1))
    made = await backed_up(upkeep)

    await upkeep.stage_restore(made.name, "ada")

    with contextlib.closing(sqlite3.connect(data / backups.STAGED)) as connection:
        assert connection.execute("SELECT count(*) FROM sessions").fetchone() == (0,)
        assert connection.execute("SELECT login FROM users").fetchall() == [("claire",)]


async def test_a_store_that_crashed_is_kept_with_what_was_in_its_log(
    data: Path, tmp_path: Path
) -> None:
    async with opened_store(data) as store:
        made = await backed_up(store.upkeep(tmp_path))
        await store.upkeep(tmp_path).stage_restore(made.name, "ada")
        await store.set_setting("late", "1")
        for name in (FILE_NAME, f"{FILE_NAME}-wal"):
            shutil.copy(data / name, tmp_path / name)
    for name in (FILE_NAME, f"{FILE_NAME}-wal"):
        shutil.copy(tmp_path / name, data / name)

    async with opened_store(data) as store:
        assert await store.setting("late") is None

    (before,) = (data / "backups").glob("*-before-restore.db*")
    assert settings_in(before) == {"late": "1"}


async def test_a_damaged_store_gives_way_and_is_kept_as_it_is(data: Path, tmp_path: Path) -> None:
    async with opened_store(data) as store:
        await store.set_setting("a", "1")
        made = await backed_up(store.upkeep(tmp_path))
        await store.upkeep(tmp_path).stage_restore(made.name, "ada")
    (data / FILE_NAME).write_bytes(b"damaged!" * 1000)

    async with opened_store(data) as store:
        assert await store.setting("a") == "1"

    (before,) = (data / "backups").glob("*-before-restore.db")
    assert before.read_bytes() == b"damaged!" * 1000


async def test_a_start_that_was_cut_between_the_two_renames_is_made_good(
    data: Path, tmp_path: Path
) -> None:
    async with opened_store(data) as store:
        await store.set_setting("a", "1")
        made = await backed_up(store.upkeep(tmp_path))
        await store.upkeep(tmp_path).stage_restore(made.name, "ada")
    (data / FILE_NAME).rename(data / "backups" / "aside.db")

    async with opened_store(data) as store:
        assert await store.setting("a") == "1"


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for page in range(3, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)


async def test_a_damaged_backup_is_refused(upkeep: SqliteUpkeep, data: Path) -> None:
    made = await backed_up(upkeep)
    damage(await upkeep.path_of(made.name))

    with pytest.raises(StoreCorrupt):
        await upkeep.stage_restore(made.name, "ada")
    assert not (data / backups.STAGED).exists()


@pytest.mark.parametrize("content", [b"", b"text" * 5000])
async def test_what_is_no_database_is_refused(upkeep: SqliteUpkeep, content: bytes) -> None:
    made = await backed_up(upkeep)
    (await upkeep.path_of(made.name)).write_bytes(content)

    with pytest.raises(StoreCorrupt):
        await upkeep.stage_restore(made.name, "ada")


async def test_a_database_of_another_program_is_refused(upkeep: SqliteUpkeep) -> None:
    made = await backed_up(upkeep)
    path = await upkeep.path_of(made.name)
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE music (title)")
        connection.commit()

    with pytest.raises(StoreCorrupt):
        await upkeep.stage_restore(made.name, "ada")


async def test_a_backup_of_a_newer_version_is_refused(upkeep: SqliteUpkeep) -> None:
    made = await backed_up(upkeep)
    with contextlib.closing(sqlite3.connect(await upkeep.path_of(made.name))) as connection:
        connection.execute("INSERT INTO schema_migration (name, applied) VALUES ('0099_new', 1)")
        connection.commit()

    with pytest.raises(StoreTooNew) as raised:
        await upkeep.stage_restore(made.name, "ada")
    assert raised.value.fields["unknown"] == ["0099_new"]


def newest_schema() -> int:
    return int(max(migrate.known())[:4])


async def test_an_older_backup_is_brought_up_to_date_at_the_start(
    data: Path, tmp_path: Path
) -> None:
    name = "couachgpt-20260101T000000Z-s0002-manual.db"
    async with opened_store(data) as store:
        make_old_store(data / "backups" / name, schema=2)
        await store.upkeep(tmp_path).stage_restore(name, "ada")

    async with opened_store(data) as store:
        assert await store.upkeep(tmp_path).check(is_quick=False) == []
        assert (await backed_up(store.upkeep(tmp_path))).schema == newest_schema()


# --- checks, vacuum, sizes -----------------------------------------------------------------------


async def test_a_check_finds_nothing_in_a_store_that_is_well(upkeep: SqliteUpkeep) -> None:
    assert await upkeep.check(is_quick=True) == []
    assert await upkeep.check(is_quick=False) == []


@pytest.mark.usefixtures("claire")
async def test_a_check_names_broken_references(store: SqliteStore, upkeep: SqliteUpkeep) -> None:
    def work() -> None:
        db = store._db._peewee
        db.execute_sql("COMMIT")
        db.execute_sql("PRAGMA foreign_keys = OFF")
        db.execute_sql("INSERT INTO memberships VALUES ('none', 1, 'member', 0)")
        db.execute_sql("PRAGMA foreign_keys = ON")
        db.execute_sql("BEGIN")

    await store._db.write(work)

    (complaint,) = await upkeep.check(is_quick=True)
    assert "memberships" in complaint
    assert "conversations" in complaint


async def test_a_vacuum_gives_the_disk_back_what_is_unused(
    store: SqliteStore, upkeep: SqliteUpkeep
) -> None:
    for n in range(20):
        await store.set_setting(f"s{n}", "x" * 100_000)
    for n in range(20):
        await store.set_setting(f"s{n}", None)
    before = await upkeep.sizes()

    await upkeep.vacuum()

    after = await upkeep.sizes()
    assert before.unused > 1_000_000
    assert after.unused == 0
    assert after.database < before.database - 1_000_000
    assert await upkeep.check(is_quick=False) == []


async def test_sizes_count_what_lies_beside_the_store(
    claire: User, upkeep: SqliteUpkeep, tmp_path: Path
) -> None:
    (tmp_path / "models" / "deep").mkdir(parents=True)
    (tmp_path / "models" / "deep" / "a.gguf").write_bytes(b"x" * 1234)
    made = await backed_up(upkeep)

    sizes = await upkeep.sizes()

    assert sizes.models == 1234
    assert sizes.backups == made.size_bytes
    assert sizes.database > 0
    assert sizes.disk_free <= sizes.disk_total
    assert sizes.people == claire.id == 1
    assert shutil.disk_usage(tmp_path).total == sizes.disk_total
