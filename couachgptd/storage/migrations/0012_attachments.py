"""What is known of a file that somebody attached, and which files nobody has any more."""

from typing import Any

CHANGES = (
    "ALTER TABLE attachments ADD COLUMN stored TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE attachments ADD COLUMN kind TEXT NOT NULL DEFAULT 'text'",
    "ALTER TABLE attachments ADD COLUMN is_cut INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE attachments ADD COLUMN part TEXT",
    "ALTER TABLE attachments ADD COLUMN place INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX attachments_stored ON attachments (stored)",
    "CREATE INDEX attachments_unsent ON attachments (created_at) WHERE message_id IS NULL",
    # Whoever deletes a row (a message, a conversation, an account), its bytes go soon after.
    "CREATE TABLE gone_files (stored TEXT PRIMARY KEY) WITHOUT ROWID",
    """CREATE TRIGGER attachment_gone AFTER DELETE ON attachments BEGIN
        INSERT OR IGNORE INTO gone_files (stored) VALUES (old.stored);
    END""",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
