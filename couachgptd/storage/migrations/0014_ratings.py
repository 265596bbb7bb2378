"""What people think of answers: one thumb of a person a message, and a word if they like."""

from typing import Any

CHANGES = (
    # `model` as it was: the answer may be gone on with by another, and models come and go.
    """CREATE TABLE ratings (
        message_id INTEGER NOT NULL REFERENCES messages (id) ON DELETE CASCADE,
        user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        value INTEGER NOT NULL CHECK (value IN (-1, 1)),
        word TEXT NOT NULL DEFAULT '' CHECK (length(word) <= 500),
        model TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (message_id, user_id)
    ) WITHOUT ROWID""",
    "CREATE INDEX ratings_user ON ratings (user_id)",
    "CREATE INDEX ratings_at ON ratings (at)",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
