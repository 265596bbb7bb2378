"""What the watchdog saw and did: each change of its verdict, with the evidence."""

from typing import Any


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    db.execute_sql("""CREATE TABLE incidents (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        evidence TEXT NOT NULL
    )""")
