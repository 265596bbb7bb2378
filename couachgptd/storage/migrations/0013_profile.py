"""What people choose for themselves, and which browser each session is."""

from typing import Any

CHANGES = (
    # '' is the browser's own zone, and the server's own model.
    "ALTER TABLE users ADD COLUMN zone TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE users ADD COLUMN model TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT ''",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
