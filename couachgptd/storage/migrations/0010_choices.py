"""What is chosen for a conversation, and what of it each answer was sent."""

from typing import Any


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    db.execute_sql("ALTER TABLE conversations ADD COLUMN choices TEXT NOT NULL DEFAULT '{}'")
    db.execute_sql("ALTER TABLE turns ADD COLUMN sent TEXT NOT NULL DEFAULT '{}'")
