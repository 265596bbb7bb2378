"""The rows of what is kept: conversations, the database, its backups."""

from couachgptd.control import bodies, kept, shapes
from couachgptd.control.verb import Verb
from couachgptd.core.ratings import COUNTED_DAYS, COUNTED_DAYS_MOST
from couachgptd.services.operator import data, leaving, records

FILTER = {
    "actor": "how the actor begins",
    "verb": "how the verb begins",
    "since": "a moment, ISO 8601",
    "until": "a moment, ISO 8601",
    "text": "what is anywhere in the entry",
    "before": "an id: only older entries",
}

VERBS = (
    Verb(
        "control.conversation.purge",
        "Delete for good one conversation, or all of a person.",
        leaving.purge,
        shapes.Belongings,
        bodies.Purge,
    ),
    Verb(
        "control.db.show",
        "Tell how large the data are, how long they are kept, when the night's work was done.",
        data.show,
        kept.Data,
    ),
    Verb(
        "control.db.check",
        "Check the whole database; nothing waits meanwhile.",
        data.check,
        kept.Check,
        bodies.Quick,
    ),
    Verb(
        "control.db.vacuum",
        "Give the disk back what the database does not use; what is written waits meanwhile.",
        data.vacuum,
        kept.Freed,
    ),
    Verb(
        "control.db.old",
        "Tell how much of each kind is old; nothing is deleted.",
        data.preview,
        kept.Old,
        query={
            f"{name}_days": f"days to think of instead of those in force: 0 to {data.DAYS_MOST}"
            for name in ("conversation", "bin", "audit", "incident")
        },
    ),
    Verb(
        "control.db.clean",
        "Delete what is old, or only some kinds of it.",
        data.clean,
        kept.Deleted,
        bodies.Kinds,
    ),
    Verb(
        "control.db.backup.list", "List the backups, newest first.", data.backups, kept.BackupList
    ),
    Verb(
        "control.db.backup.add",
        "Make a backup now, and check it; nothing waits meanwhile.",
        data.back_up,
        kept.BackupAnswer,
        status=201,
    ),
    Verb("control.db.backup.download", "Download a backup.", data.download, kept.File),
    Verb("control.db.backup.rm", "Delete a backup.", data.delete_backup, shapes.Nothing),
    Verb(
        "control.db.restore",
        "Check a backup, and restart the daemon with it in the place of the database.",
        data.restore,
        kept.Restore,
        bodies.NamedBackup,
    ),
    Verb(
        "control.audit",
        "Look up who changed what, newest first.",
        records.audit,
        kept.AuditPage,
        query={
            **FILTER,
            "limit": f"how many at most: 1 to {records.PAGE_MOST}, {records.PAGE} by default",
        },
    ),
    Verb(
        "control.audit.csv",
        "The same, all of it, as CSV.",
        records.audit_csv,
        kept.File,
        query=FILTER,
    ),
    Verb(
        "control.samples",
        "The figures of the charts: at most 400 moments, each figure a series.",
        records.samples,
        kept.Samples,
        query={"range": "1h (the default), 24h or 7d"},
    ),
    Verb(
        "control.ratings",
        "Count the thumbs up and down that answers got, by model: never whose, nor their words.",
        records.ratings,
        kept.RatingCounts,
        query={
            "days": f"how far back: 1 to {COUNTED_DAYS_MOST}, {COUNTED_DAYS} by default",
        },
    ),
)
