"""Makes a snapshot of what the engine's control sees and of what our own streams know."""

import random
import time
from collections.abc import Callable

from couachgptd.core.snapshots import EngineFacts, Process, Snapshot
from couachgptd.core.vitals import Abilities, Life, Probe, Vitals
from couachgptd.services.attempts import Attempts


class Sight:
    """Remembers what only two looks can tell: failures in a row, and sleep."""

    def __init__(
        self, attempts: Attempts, abilities: Abilities, size_of: Callable[[str], int | None]
    ) -> None:
        self._attempts = attempts
        self._size_of = size_of
        self._abilities = abilities
        self._probe_failures = 0
        self._asleep = asleep_so_far()

    def snapshot(
        self,
        seen: Vitals,
        *,
        late_seconds: float,
        is_acted_on: bool,
        is_maintenance: bool,
        is_stopped: bool,
        refusal: str | None = None,
    ) -> Snapshot:
        """Return what is so at `seen.at`; the news of the attempts are taken with it."""
        process = process_of(seen)
        if is_stopped and process in {Process.IDLE, Process.EXITED}:
            process = Process.STOPPED  # our own child, which no unit remembers as stopped
        failed = seen.liveness is not None and not seen.liveness.is_answered
        self._probe_failures = self._probe_failures + 1 if failed else 0
        asleep_before, self._asleep = self._asleep, asleep_so_far()
        news = self._attempts.news()
        unit = seen.unit
        return Snapshot(
            now=seen.at,
            late_seconds=late_seconds,
            asleep_seconds=self._asleep - asleep_before,
            liveness=seen.liveness,
            probe_failures=self._probe_failures,
            inventory=seen.inventory,
            loaded=frozenset(seen.models or ()),
            busy_slots=None if seen.slots is None else sum(slot.is_busy for slot in seen.slots),
            engine=EngineFacts(
                process=process,
                incarnation=seen.process.birth,
                is_acted_on=is_acted_on or (unit is not None and unit.is_in_other_hands),
                is_port_taken=unit is not None
                and process is Process.EXITED
                and is_served(seen.liveness),
                is_ours=unit is None and process is not Process.UNKNOWN,
            ),
            meters=seen.meters,
            attempts=self._attempts.facts(self._size_of),
            failures=news.failures,
            answers=news.answers,
            refusal=refusal,
            abilities=self._abilities,
            is_maintenance=is_maintenance,
            chance=random.random(),  # noqa: S311 -- the jitter of a back-off
        )


def process_of(seen: Vitals) -> Process:
    unit = seen.unit
    if unit is not None and unit.was_stopped_by_a_person:
        return Process.STOPPED
    lives = {
        Life.UNKNOWN: Process.UNKNOWN,
        Life.NONE: Process.IDLE,
        Life.STARTING: Process.RUNNING,
        Life.RUNNING: Process.RUNNING,
        Life.ENDED: Process.EXITED,
    }
    return lives[seen.process.life]


def is_served(liveness: Probe | None) -> bool:
    """Say whether somebody answers there, be it with 404 or 503."""
    return liveness is not None and liveness.is_answered


def asleep_so_far() -> float:
    """Return for how many seconds this machine was suspended since it booted."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
