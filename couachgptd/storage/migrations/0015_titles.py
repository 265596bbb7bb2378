"""Which conversations the model was already asked a title for."""

from typing import Any

CHANGES = (
    "ALTER TABLE conversations ADD COLUMN is_title_tried INTEGER NOT NULL DEFAULT 0",
    # Those begun lately are looked for whenever the engine rests.
    "CREATE INDEX conversations_begun ON conversations (created_at)",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
