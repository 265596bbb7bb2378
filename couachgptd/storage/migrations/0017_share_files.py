"""Which files a snapshot shows: those of its questions, for as long as it stands."""

from typing import Any

CHANGES = (
    # Of snapshots that are there already nobody was told that files are shared: they show none.
    """CREATE TABLE share_files (
        share_id TEXT NOT NULL,
        number INTEGER NOT NULL,
        attachment_id TEXT NOT NULL REFERENCES attachments (id) ON DELETE CASCADE,
        PRIMARY KEY (share_id, number, attachment_id),
        FOREIGN KEY (share_id, number) REFERENCES share_messages (share_id, number)
            ON DELETE CASCADE
    ) WITHOUT ROWID""",
    "CREATE INDEX share_files_attachment ON share_files (attachment_id)",
)


def up(migrator: Any, db: Any) -> None:  # noqa: ARG001 -- the signature is the runner's
    for statement in CHANGES:
        db.execute_sql(statement)
