"""What keeping the data in order is about: backups, checks, sizes, what may be cleaned away."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol


class BackupKind(StrEnum):
    """Why a backup was made; only nightly ones are deleted by themselves."""

    NIGHTLY = "nightly"
    MANUAL = "manual"
    BEFORE_RESTORE = "before-restore"


@dataclass(frozen=True, slots=True)
class Backup:
    """A whole copy of the store; `schema` is the number of the newest migration in it."""

    name: str
    kind: BackupKind
    made_at: datetime
    schema: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Sizes:
    """Bytes, of the store and of what lies beside it, and how many of each there are."""

    database: int
    unused: int
    log: int
    backups: int
    uploads: int
    models: int
    disk_free: int
    disk_total: int
    people: int
    conversations: int
    messages: int


class Kind(StrEnum):
    """What can be cleaned away."""

    EMPTY_CONVERSATIONS = "empty_conversations"
    OLD_CONVERSATIONS = "old_conversations"
    EXPIRED_BIN = "expired_bin"
    UNSENT_FILES = "unsent_files"
    EXPIRED_SESSIONS = "expired_sessions"
    EXPIRED_LINKS = "expired_links"
    OLD_AUDIT = "old_audit"
    OLD_INCIDENTS = "old_incidents"


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days things are kept; 0 is for ever."""

    conversation_days: int = 0
    bin_days: int = 0
    audit_days: int = 0
    incident_days: int = 0


# A conversation without a message may be one that is just being begun.
EMPTY_DAYS = 1
# A file that was attached to a question which was not sent.
UNSENT_DAYS = 1


def cutoffs(retention: Retention, now: datetime) -> dict[Kind, datetime]:
    """Return what may be cleaned away, each with the moment before which it is old."""
    days = {
        Kind.EMPTY_CONVERSATIONS: EMPTY_DAYS,
        Kind.UNSENT_FILES: UNSENT_DAYS,
        Kind.OLD_CONVERSATIONS: retention.conversation_days,
        Kind.EXPIRED_BIN: retention.bin_days,
        Kind.OLD_AUDIT: retention.audit_days,
        Kind.OLD_INCIDENTS: retention.incident_days,
    }
    old = {kind: now - timedelta(days=each) for kind, each in days.items() if each}
    return {Kind.EXPIRED_SESSIONS: now, Kind.EXPIRED_LINKS: now, **old}


class Upkeep(Protocol):
    """Keeps the store's file in order. Each call is long work, away from the event loop.

    `schema` is the number of the newest migration, `folder` where the backups are.
    """

    @property
    def schema(self) -> int: ...

    @property
    def folder(self) -> str: ...

    async def back_up(self, kind: BackupKind) -> Backup:
        """Write a whole copy, checked. Raises StoreFull and leaves nothing half written."""
        ...

    async def backups(self) -> list[Backup]:
        """Return every backup, newest first."""
        ...

    async def path_of(self, name: str) -> Path:
        """Return a backup's file, to be downloaded. Raises NotFound."""
        ...

    async def delete_backup(self, name: str) -> None:
        """Raises NotFound."""
        ...

    async def stage_restore(self, name: str, actor: str) -> Backup:
        """Check a backup and lay it ready for the next start; its audit then names who did it.

        Nobody is logged in after it, and no link in it works: what was revoked since must not
        come back. Raises NotFound, StoreCorrupt, StoreTooNew, StoreFull.
        """
        ...

    async def check(self, *, is_quick: bool) -> list[str]:
        """Return what SQLite complains of, and broken references; nothing where all is well."""
        ...

    async def vacuum(self) -> None:
        """Give the disk back what is unused; writes wait meanwhile. Raises StoreFull."""
        ...

    async def sizes(self) -> Sizes: ...

    async def count_old(self, old: dict[Kind, datetime]) -> dict[Kind, int]:
        """Return how many of each `clean` would delete."""
        ...

    async def clean(self, old: dict[Kind, datetime]) -> dict[Kind, int]:
        """Delete it, a bit at a time, and return how many of each."""
        ...
