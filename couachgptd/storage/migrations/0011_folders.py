"""Folders of one's own, and in which of them a conversation is."""

from typing import Any

CHANGES = (
    """CREATE TABLE folders (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        owner_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        removed_at INTEGER
    )""",
    "CREATE INDEX folders_owner ON folders (owner_id)",
    """ALTER TABLE conversations ADD COLUMN
        folder_id INTEGER REFERENCES folders (id) ON DELETE SET NULL""",
    """CREATE INDEX conversations_folder ON conversations (folder_id, is_pinned, updated_at)
        WHERE folder_id IS NOT NULL""",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
