"""Whole copies of the store: made beside it, checked, listed, and put back at a start."""

import json
import logging
import os
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from couachgptd.core.errors import NotFound, StoreCorrupt, StoreFull, StoreTooNew
from couachgptd.core.upkeep import Backup, BackupKind
from couachgptd.storage import migrate
from couachgptd.storage.files import make_durable, written_aside

log = logging.getLogger(__name__)

FOLDER = "backups"
STAGED = "restore.db"  # what takes the store's place at the next start
SPARE_BYTES = 32 * 1024 * 1024  # a copy leaves this much, for the daemon goes on writing meanwhile
_NAME = re.compile(r"couachgpt-(\d{8}T\d{6}Z)-s(\d{4})-([a-z-]+)(?:-\d)?\.db")
_TIME = "%Y%m%dT%H%M%SZ"


def copy_into(connection: sqlite3.Connection, folder: Path, kind: BackupKind) -> Backup:
    """Write a whole copy of what this connection sees, and check it.

    Raises StoreFull, StoreCorrupt; nothing half written stays.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    for left in folder.glob("*.part*"):  # by a daemon that was killed meanwhile
        left.unlink()
    require_room(folder, _used_bytes(connection))
    target = _new_path(folder, datetime.now(UTC), kind, schema_of(connection))
    with written_aside(target) as partial:
        # An empty file is taken as it is, so the copy is private from its first byte on.
        connection.execute("VACUUM INTO ?", (str(partial),))
        with closing(_reading(partial)) as copy:
            require_whole(copy, partial)
    made = described(target)
    if made is None:
        raise AssertionError(target.name)
    return made


def _new_path(folder: Path, moment: datetime, kind: BackupKind, schema: int) -> Path:
    stem = f"couachgpt-{moment:{_TIME}}-s{schema:04d}-{kind.value}"
    names = [f"{stem}.db", *(f"{stem}-{n}.db" for n in range(2, 10))]  # two in one second
    return next(path for name in names if not (path := folder / name).exists())


def described(path: Path) -> Backup | None:
    """Return what a backup's name says of it; None for a file that is none."""
    found = _NAME.fullmatch(path.name)
    try:
        moment = datetime.strptime(found[1], _TIME).replace(tzinfo=UTC) if found else None
        if found is None or moment is None:
            return None
        size = path.stat().st_size
        return Backup(path.name, BackupKind(found[3]), moment, int(found[2]), size)
    except (ValueError, OSError):
        return None


def listed(folder: Path) -> list[Backup]:
    """Return every backup, newest first."""
    paths = folder.iterdir() if folder.is_dir() else ()
    found = [each for path in paths if (each := described(path))]
    return sorted(found, key=lambda each: (each.made_at, each.name), reverse=True)


def find(folder: Path, name: str) -> Path:
    """Return a backup's file. Raises NotFound, also for a name that is a path."""
    path = folder / name
    if Path(name).name != name or described(path) is None:
        raise NotFound
    return path


# --- is it one of ours, and whole ----------------------------------------------------------------


def schema_of(connection: sqlite3.Connection) -> int:
    """Return the number of the newest migration in it; 0 where it has none."""
    (newest,) = connection.execute(f"SELECT max(name) FROM {migrate.HISTORY_TABLE}").fetchone()  # noqa: S608
    return int(newest.partition("_")[0]) if newest else 0


def require_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreCorrupt with what is wrong with a database."""
    complaints = complaints_of(connection, is_quick=False, most=1)
    if complaints:
        raise StoreCorrupt(path=str(path), reason=complaints[0])


def complaints_of(connection: sqlite3.Connection, *, is_quick: bool, most: int) -> list[str]:
    """Return SQLite's complaints, then the broken references; nothing where all is well."""
    pragma = "quick_check" if is_quick else "integrity_check"
    found = [row[0] for row in connection.execute(f"PRAGMA {pragma}({most:d})")]
    broken = connection.execute("PRAGMA foreign_key_check").fetchmany(most)
    references = [f"{table} {row}: no such {parent}" for table, row, parent, _ in broken]
    return [*(each for each in found if each != "ok"), *references]


def require_ours(path: Path) -> int:
    """Return the schema of a store of ours that this version can open.

    Raises StoreCorrupt, StoreTooNew.
    """
    try:
        with closing(_reading(path)) as connection:
            query = f"SELECT name FROM {migrate.HISTORY_TABLE}"  # noqa: S608 -- a name of ours
            names = {row[0] for row in connection.execute(query)}
            if not names:
                raise StoreCorrupt(path=str(path), reason="no database of CouachGPT")
            if unknown := sorted(names - migrate.known()):
                raise StoreTooNew(path=str(path), unknown=unknown)
            require_whole(connection, path)
            return schema_of(connection)
    except sqlite3.DatabaseError as error:
        raise StoreCorrupt(path=str(path), reason=str(error)) from None


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)


# --- room ----------------------------------------------------------------------------------------


def _used_bytes(connection: sqlite3.Connection) -> int:
    pages, unused, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - unused) * size)


def require_room(folder: Path, size_bytes: int) -> None:
    """Raise StoreFull where so many bytes more would leave the daemon too little to go on."""
    seen = os.statvfs(folder)
    if seen.f_bavail * seen.f_frsize < size_bytes + SPARE_BYTES:
        raise StoreFull(path=str(folder), reason=f"no room for {size_bytes} bytes more")


# --- putting one back ----------------------------------------------------------------------------


def stage(source: Path, directory: Path, actor: str) -> None:
    """Lay a copy of a backup ready: it becomes the store at the next start.

    It is checked, and in it nobody is logged in and no link works: what was revoked since must
    not come back. Its audit says who put it back, for that of the store goes with the store.
    Raises StoreCorrupt, StoreTooNew, StoreFull, NotFound.
    """
    if not source.is_file():
        raise NotFound
    require_ours(source)
    require_room(directory, source.stat().st_size)
    with written_aside(directory / STAGED) as partial:
        shutil.copyfile(source, partial)
        with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
            for name in sorted(tables & {"sessions", "links"}):
                connection.execute(f"DELETE FROM {name}")  # noqa: S608 -- names of ours
            if "audit" in tables:  # else it is older than the audit
                at, detail = datetime.now(UTC).timestamp() * 1000, json.dumps({"name": source.name})
                connection.execute(
                    "INSERT INTO audit (at, actor, verb, detail) VALUES (?, ?, 'db.restore', ?)",
                    (round(at), actor, detail),
                )
        require_ours(partial)


def _note_before(staged: Path, name: str) -> None:
    """Add to what the audit says of this restore where the store before it went.

    It may fail: what is checked and staged is put in place all the same.
    """
    with suppress(sqlite3.Error), closing(sqlite3.connect(staged)) as connection, connection:
        connection.execute(
            "UPDATE audit SET detail = json_set(detail, '$.before', ?) WHERE verb = 'db.restore'"
            " AND id = (SELECT max(id) FROM audit)",
            (name,),
        )


def put_in_place(directory: Path, store: Path) -> Path | None:
    """Make what is staged the store; the one before it becomes a backup, whose path is returned.

    Nothing has the store open. A crash in between is made good by the next start. The store
    before needs no room, and goes where it is even if it is damaged: it is only renamed.
    """
    staged = directory / STAGED
    if not staged.exists():
        return None
    folder = directory / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    kept = None
    if store.exists():
        schema = 0
        with suppress(sqlite3.Error), closing(sqlite3.connect(store)) as connection:
            schema = schema_of(connection)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        kept = _new_path(folder, datetime.now(UTC), BackupKind.BEFORE_RESTORE, schema)
        _note_before(staged, kept.name)
        for suffix in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                store.with_name(store.name + suffix).rename(kept.with_name(kept.name + suffix))
        store.rename(kept)
        make_durable(folder)
    staged.rename(store)
    make_durable(directory)
    log.warning("store restored", extra={"before": str(kept)})
    return kept
