"""Brings a store's schema up to this version, forwards only, with a backup first."""

import logging
from pathlib import Path
from typing import Any

from playhouse.migrations import Runner

from couachgptd.core.errors import StoreCorrupt, StoreTooNew
from couachgptd.storage.files import written_aside

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
HISTORY_TABLE = "schema_migration"


def known() -> set[str]:
    """Return the names of this version's migrations."""
    return {path.stem for path in MIGRATIONS.glob("[0-9]*.py")}


def up(db: Any, path: Path, directory: Path = MIGRATIONS, *, crashed: bool) -> list[str]:
    """Apply what is pending and return the names; the whole file is checked where it `crashed`.

    Raises StoreTooNew, before anything is written, for a store that a newer version made, and
    StoreCorrupt for one that SQLite finds damaged.
    """
    runner = Runner(db, str(directory), HISTORY_TABLE)
    rows = runner.status()
    unknown = [row.name for row in rows if row.path is None]
    if unknown:
        raise StoreTooNew(path=str(path), unknown=unknown)
    db.execute_sql("PRAGMA journal_mode = WAL")
    pending = [row.name for row in rows if not row.applied]
    if crashed or pending:
        check(db, path)
    if not pending:
        return []
    if len(pending) < len(rows):
        back_up(db, path, pending[0])
    applied: list[str] = runner.up()
    broken = db.execute_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise StoreCorrupt(path=str(path), reason=f"{len(broken)} broken references")
    check(db, path)
    return applied


def check(db: Any, path: Path) -> None:
    """Raise StoreCorrupt with SQLite's first complaint."""
    (found,) = db.execute_sql("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise StoreCorrupt(path=str(path), reason=found)


def back_up(db: Any, path: Path, before: str) -> Path:
    """Write a whole copy beside the store, named after the migration it precedes."""
    target = path.with_name(f"{path.stem}.before-{before}.db")
    with written_aside(target) as partial:
        db.execute_sql("VACUUM INTO ?", (str(partial),))
    log.info("store backed up", extra={"path": str(target)})
    return target
