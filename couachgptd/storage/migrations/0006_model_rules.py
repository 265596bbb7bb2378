"""Who is offered a model, and how it answers."""

from typing import Any


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    db.execute_sql("""CREATE TABLE model_rules (
        model TEXT PRIMARY KEY,
        visible_to TEXT NOT NULL CHECK (visible_to IN ('everyone', 'members', 'admins')),
        options TEXT NOT NULL
    ) WITHOUT ROWID""")
