"""What is written down to be looked up: who changed what, and samples for charts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from couachgptd.core.samples import Row


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: int
    at: datetime
    actor: str
    verb: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """What is looked for; None does not matter. `actor` and `verb` are how the two begin.

    `text` is anywhere in an entry; `before` is an id: only older entries.
    """

    actor: str | None = None
    verb: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    before: int | None = None


class RecordStore(Protocol):
    """A part of `core.ports.Store`. Each method is one transaction, and durable once it returns."""

    async def audit(self, actor: str, verb: str, detail: dict[str, Any]) -> None: ...

    async def audited(self, query: AuditQuery, limit: int) -> list[AuditEntry]:
        """Return the newest entries of a query, newest first."""
        ...

    async def add_samples(self, rows: Sequence[Row], kept_seconds: dict[int, float]) -> None:
        """Keep samples; of each span, forget those older than its seconds before the newest."""
        ...

    async def samples(self, span: int, since: datetime) -> list[Row]:
        """Return the samples of one span, oldest first."""
        ...
