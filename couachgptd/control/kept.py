"""What the verbs of what is kept answer: sizes, backups, the audit, samples, the site."""

from typing import Any, Literal, TypedDict


class Sizes(TypedDict):
    """Bytes, then counts; `unused` is what a vacuum would free, `log` the write-ahead log."""

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


class Retention(TypedDict):
    """Days; 0 is for ever."""

    conversation_days: int
    bin_days: int
    audit_days: int
    incident_days: int


class Error(TypedDict):
    code: str
    fields: dict[str, Any]


class Night(TypedDict):
    is_backed_up: bool
    hour: int
    done_at: str | None
    error: Error | None


class Data(TypedDict):
    sizes: Sizes
    schema: int
    retention: Retention
    night: Night


class Check(TypedDict):
    is_well: bool
    complaints: list[str]


class Freed(TypedDict):
    freed_bytes: int


class Old(TypedDict):
    """How many of each kind; a kind that is kept for ever is left out."""

    old: dict[str, int]
    retention: Retention


class Deleted(TypedDict):
    deleted: dict[str, int]


class Backup(TypedDict):
    name: str
    kind: Literal["nightly", "manual", "before-restore"]
    made_at: str
    schema: int
    size_bytes: int


class BackupList(TypedDict):
    backups: list[Backup]
    folder: str


class BackupAnswer(TypedDict):
    backup: Backup
    path: str


class Restore(TypedDict):
    backup: Backup
    is_restarting: bool


class File(TypedDict):
    """No JSON: the bytes of a file."""


class AuditEntry(TypedDict):
    id: int
    at: str
    actor: str
    verb: str
    detail: dict[str, Any]


class AuditPage(TypedDict):
    """`next` is the `before` of the next page; null at the last."""

    entries: list[AuditEntry]
    next: int | None


class Samples(TypedDict):
    """`at` in seconds since 1970; each series is as long, null where it could not be had."""

    range: Literal["1h", "24h", "7d"]
    span_seconds: int
    at: list[int]
    series: dict[str, list[float | None]]


class RatingCount(TypedDict):
    model: str
    up: int
    down: int


class RatingCounts(TypedDict):
    """Of the last `days`, by the models' names; the words that people wrote are in no answer."""

    days: int
    models: list[RatingCount]


class Setting(TypedDict):
    """`configured` is what the configuration says; `source` is whose word counts."""

    name: str
    value: Any
    configured: Any
    source: Literal["configuration", "stored"]


class SettingList(TypedDict):
    settings: list[Setting]


class SettingAnswer(TypedDict):
    setting: Setting


class Banner(TypedDict):
    text: str
    level: Literal["info", "warning", "error"]
    until: str | None


class BannerAnswer(TypedDict):
    banner: Banner | None


class Logo(TypedDict):
    type: Literal["image/png", "image/svg+xml"]
    size_bytes: int


class LogoAnswer(TypedDict):
    logo: Logo | None
