"""Conversations: pinned, archived, with a title of their owner's, and a bin that is emptied."""

from typing import Any

CHANGES = (
    "ALTER TABLE conversations ADD COLUMN is_title_own INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE conversations ADD COLUMN is_pinned INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE conversations ADD COLUMN is_archived INTEGER NOT NULL DEFAULT 0",
    # The list comes out of it in order, those that are pinned first.
    "DROP INDEX conversations_owner",
    "CREATE INDEX conversations_owner ON conversations (owner_id, is_pinned, updated_at)",
    """CREATE INDEX conversations_binned ON conversations (deleted_at)
        WHERE deleted_at IS NOT NULL""",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
