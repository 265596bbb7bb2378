"""The audit log and the samples, kept and looked up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from peewee import fn

from couachgptd.core.records import AuditEntry, AuditQuery
from couachgptd.core.samples import Row
from couachgptd.storage.database import Database
from couachgptd.storage.rows import now
from couachgptd.storage.tables import AuditTable, SampleTable


class RecordStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def audit(self, actor: str, verb: str, detail: dict[str, Any]) -> None:
        def work() -> None:
            AuditTable.create(at=now(), actor=actor, verb=verb, detail=detail)

        await self._db.write(work)

    async def audited(self, query: AuditQuery, limit: int) -> list[AuditEntry]:
        def work() -> list[AuditEntry]:
            rows = AuditTable.select().order_by(AuditTable.id.desc()).limit(limit)
            for condition in _conditions(query):
                rows = rows.where(condition)
            return [AuditEntry(row.id, row.at, row.actor, row.verb, row.detail) for row in rows]

        return await self._db.read(work)

    async def add_samples(self, rows: Sequence[Row], kept_seconds: dict[int, float]) -> None:
        def work() -> None:
            for row in rows:
                SampleTable.insert(
                    span=row.span, at=row.at, figures=row.figures
                ).on_conflict_replace().execute()
                oldest = row.at - timedelta(seconds=kept_seconds[row.span])
                SampleTable.delete().where(
                    (SampleTable.span == row.span) & (SampleTable.at < oldest)
                ).execute()

        await self._db.write(work)

    async def samples(self, span: int, since: datetime) -> list[Row]:
        def work() -> list[Row]:
            rows = (
                SampleTable.select()
                .where((SampleTable.span == span) & (SampleTable.at >= since))
                .order_by(SampleTable.at)
            )
            return [Row(row.span, row.at, row.figures) for row in rows]

        return await self._db.read(work)


def _conditions(query: AuditQuery) -> list[Any]:
    found: list[Any] = []
    if query.actor:
        found.append(AuditTable.actor.startswith(query.actor))
    if query.verb:
        found.append(AuditTable.verb.startswith(query.verb))
    if query.since:
        found.append(AuditTable.at >= query.since)
    if query.until:
        found.append(AuditTable.at <= query.until)
    if query.before is not None:
        found.append(AuditTable.id < query.before)
    if query.text:
        # INSTR knows no wildcards; SQLite's own lower-casing is of ASCII letters alone.
        whole = AuditTable.actor.concat(" ").concat(AuditTable.verb).concat(" ")
        whole = whole.concat(AuditTable.detail)
        found.append(fn.INSTR(fn.LOWER(whole), fn.LOWER(query.text)) > 0)
    return found
