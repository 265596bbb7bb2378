"""Conversations that came in files, and snapshots that colleagues may read."""

from typing import Any

CHANGES = (
    # What came once is known by it when it comes again. Not unique: an heir may have it twice.
    "ALTER TABLE conversations ADD COLUMN origin TEXT",
    """CREATE INDEX conversations_origin ON conversations (owner_id, origin)
        WHERE origin IS NOT NULL""",
    # A snapshot goes with its conversation, and has no owner but that one's.
    """CREATE TABLE shares (
        id TEXT PRIMARY KEY,
        conversation_id TEXT NOT NULL UNIQUE REFERENCES conversations (id) ON DELETE CASCADE,
        title TEXT NOT NULL,
        created_at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE share_messages (
        share_id TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
        number INTEGER NOT NULL,
        author TEXT NOT NULL CHECK (author IN ('person', 'model')),
        text TEXT NOT NULL,
        model TEXT,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (share_id, number)
    )""",
    """CREATE TABLE share_people (
        share_id TEXT NOT NULL REFERENCES shares (id) ON DELETE CASCADE,
        user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        created_at INTEGER NOT NULL,
        PRIMARY KEY (share_id, user_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX share_people_user ON share_people (user_id)",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
