"""Incidents, kept: the newest of them, for an engine that fails every minute fails for years."""

from collections.abc import Sequence

from peewee import fn

from couachgptd.core.incidents import Incident
from couachgptd.storage.database import Database
from couachgptd.storage.tables import IncidentTable

KEPT = 2000


class IncidentStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def add_incidents(self, incidents: Sequence[Incident]) -> None:
        def work() -> None:
            for each in incidents:
                IncidentTable.create(
                    at=each.at, before=each.before, after=each.after, evidence=each.evidence
                )
            newest = IncidentTable.select(fn.MAX(IncidentTable.id)).scalar()
            IncidentTable.delete().where(IncidentTable.id <= newest - KEPT).execute()

        if incidents:
            await self._db.write(work)

    async def incidents(self, limit: int, after: str | None = None) -> list[Incident]:
        def work() -> list[Incident]:
            rows = IncidentTable.select().order_by(IncidentTable.id.desc()).limit(limit)
            if after is not None:
                rows = rows.where(IncidentTable.after == after)
            return [Incident(row.at, row.before, row.after, row.evidence) for row in rows]

        return await self._db.read(work)
