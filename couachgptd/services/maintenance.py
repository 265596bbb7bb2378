"""Keeps the data in order: the work of the night, and what an administrator does by hand."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from couachgptd.core.errors import CouachError, StoreError
from couachgptd.core.ports import Store
from couachgptd.core.rotation import is_due, is_overdue, superfluous
from couachgptd.core.upkeep import Backup, BackupKind, Kind, Retention, Sizes, Upkeep, cutoffs

log = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
AGAIN_SECONDS = 3600.0  # after a night whose work failed
NIGHT = "upkeep_night"  # the setting that holds when the night's work was done last
NIGHT_ACTOR = "daemon"


class Maintenance:
    """One piece of work at a time: two backups at once would only be slower than one by one.

    `retention` is asked anew each time, for it may be changed while we run; `now` is the clock.
    """

    def __init__(
        self,
        upkeep: Upkeep,
        store: Store,
        *,
        is_nightly: bool,
        hour: int,
        retention: Callable[[], Retention],
        zone: tzinfo | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._upkeep = upkeep
        self._store = store
        self.is_nightly = is_nightly
        self.hour = hour
        self._retention = retention
        self._zone = zone
        self._now = now
        self._one = asyncio.Lock()
        self._began = now()
        self._failed_at: datetime | None = None
        self.failure: CouachError | None = None
        self.is_overdue = False  # nightly backups are wanted, and none is of the last two days

    @property
    def retention(self) -> Retention:
        return self._retention()

    @property
    def schema(self) -> int:
        return self._upkeep.schema

    @property
    def folder(self) -> str:
        """Where the backups are, for people."""
        return self._upkeep.folder

    async def sizes(self) -> Sizes:
        return await self._upkeep.sizes()

    async def backups(self) -> list[Backup]:
        return await self._upkeep.backups()

    async def last_night(self) -> datetime | None:
        """Return when the work of the night was done last; the first start counts as one."""
        kept = await self._store.setting(NIGHT)
        return None if kept is None else datetime.fromisoformat(kept)

    # by night

    async def keep(self) -> None:
        """Look every now and then whether the night's work is due."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.look()
            except Exception:  # a fault of ours here must not end the daemon
                log.exception("the night's work failed; trying again in an hour")
                self._failed_at = self._now()

    async def look(self) -> None:
        """Do the night's work if it is due; one that failed is tried again after an hour."""
        now = self._now()
        await self._work_if_due(now)
        made = await self._nightly()
        self.is_overdue = self.is_nightly and is_overdue(made, self._began, now)

    async def _work_if_due(self, now: datetime) -> None:
        # A clock that was set back since the failure is no reason to wait for it.
        if self._failed_at and 0 <= (now - self._failed_at).total_seconds() < AGAIN_SECONDS:
            return
        last = await self.last_night()
        if last is None:  # the first start: there is nothing yet that a backup would save
            await self._store.set_setting(NIGHT, now.isoformat())
        elif is_due(last, now, self.hour, self._zone):
            await self._work_the_night(now)

    async def _work_the_night(self, now: datetime) -> None:
        try:
            if self.is_nightly:
                async with self._one:
                    await self._upkeep.back_up(BackupKind.NIGHTLY)
                await self._rotate()
            deleted = await self._clean(cutoffs(self.retention, now), NIGHT_ACTOR)
            await self._store.set_setting(NIGHT, now.isoformat())
        except StoreError as error:
            log.error("the night's work failed; trying again in an hour: %s", error)  # noqa: TRY400
            self._failed_at, self.failure = now, error
        else:
            self._failed_at = self.failure = None
            log.info("the night's work is done", extra={"deleted": sum(deleted.values())})

    async def _rotate(self) -> None:
        nightly = await self._nightly()
        for moment in superfluous(nightly, self._now(), self._zone):
            await self._upkeep.delete_backup(nightly[moment])

    async def _nightly(self) -> dict[datetime, str]:
        return {
            each.made_at: each.name
            for each in await self._upkeep.backups()
            if each.kind is BackupKind.NIGHTLY
        }

    # by hand

    async def back_up(self, actor: str) -> Backup:
        """Raises StoreFull, StoreCorrupt."""
        async with self._one:
            made = await self._upkeep.back_up(BackupKind.MANUAL)
        await self._store.audit(actor, "db.backup.add", {"name": made.name})
        return made

    async def delete_backup(self, name: str, actor: str) -> None:
        await self._upkeep.delete_backup(name)
        await self._store.audit(actor, "db.backup.rm", {"name": name})

    async def path_of(self, name: str) -> Path:
        """Raises NotFound."""
        return await self._upkeep.path_of(name)

    async def restore(self, name: str, actor: str) -> Backup:
        """Lay a backup ready for the next start of the daemon, which the caller brings about."""
        async with self._one:
            staged = await self._upkeep.stage_restore(name, actor)
        await self._store.audit(actor, "db.restore", {"name": name})
        return staged

    async def check(self, *, is_quick: bool) -> list[str]:
        async with self._one:
            return await self._upkeep.check(is_quick=is_quick)

    async def vacuum(self, actor: str) -> int:
        """Return how many bytes the disk got back."""
        async with self._one:
            before = await self._upkeep.sizes()
            await self._upkeep.vacuum()
            after = await self._upkeep.sizes()
        freed = max(0, before.database + before.log - after.database - after.log)
        await self._store.audit(actor, "db.vacuum", {"freed_bytes": freed})
        return freed

    async def preview(self, retention: Retention | None = None) -> dict[Kind, int]:
        """Return how many of each `clean` would delete now; nothing is deleted."""
        return await self._upkeep.count_old(cutoffs(retention or self.retention, self._now()))

    async def clean(self, kinds: set[Kind] | None, actor: str) -> dict[Kind, int]:
        """Delete what is old, or only these kinds of it, and return how many of each."""
        old = cutoffs(self.retention, self._now())
        chosen = {kind: at for kind, at in old.items() if kinds is None or kind in kinds}
        return await self._clean(chosen, actor)

    async def _clean(self, old: dict[Kind, datetime], actor: str) -> dict[Kind, int]:
        async with self._one:
            deleted = await self._upkeep.clean(old)
        if actor != NIGHT_ACTOR or any(deleted.values()):  # an uneventful night is not worth a line
            await self._store.audit(
                actor, "db.clean", {kind.value: n for kind, n in deleted.items()}
            )
        return deleted
