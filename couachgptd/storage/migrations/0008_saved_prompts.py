"""Prompts that are kept to be asked again; without an owner they are everybody's."""

from typing import Any


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    db.execute_sql("""CREATE TABLE saved_prompts (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        owner_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        text TEXT NOT NULL
    )""")
    db.execute_sql("CREATE INDEX saved_prompts_owner ON saved_prompts (owner_id)")
