"""Choices of a conversation, kept under a name; without an owner they are everybody's."""

from typing import Any


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    db.execute_sql("""CREATE TABLE presets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        owner_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        choices TEXT NOT NULL
    )""")
    # Two nulls differ in an index, two presets of everybody's with one name do not; no person is 0.
    db.execute_sql("CREATE UNIQUE INDEX presets_name ON presets (ifnull(owner_id, 0), name)")
    db.execute_sql("CREATE INDEX presets_owner ON presets (owner_id)")
