"""One-time links, samples, where a session is from, and what makes deleting quick."""

from typing import Any

CHANGES = (
    """CREATE TABLE links (
        key TEXT PRIMARY KEY,
        kind TEXT NOT NULL CHECK (kind IN ('password', 'invitation')),
        user_id INTEGER REFERENCES users (id) ON DELETE CASCADE,
        uses_left INTEGER NOT NULL,
        created_by TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX links_user ON links (user_id)",
    """CREATE TABLE samples (
        span INTEGER NOT NULL,
        at INTEGER NOT NULL,
        figures TEXT NOT NULL,
        PRIMARY KEY (span, at)
    ) WITHOUT ROWID""",
    "ALTER TABLE sessions ADD COLUMN address TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE sessions ADD COLUMN seen_at INTEGER",
    # A conversation that goes takes its turns along; without this, each walks through all turns.
    "CREATE INDEX turns_conversation ON turns (conversation_id)",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
