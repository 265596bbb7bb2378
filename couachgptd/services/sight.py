"""Makes a snapshot of what the engine's control sees and of what our own streams know."""

import random
import time

from couachgptd.core import snapshots, vitals
from couachgptd.core.snapshots import EngineFacts, Process, Snapshot
from couachgptd.core.vitals import Life, Vitals
from couachgptd.services.attempts import Attempts


class Sight:
    """Remembers what only two looks can tell: failures in a row, sleep, kills so far."""

    def __init__(self, attempts: Attempts, abilities: vitals.Abilities) -> None:
        self._attempts = attempts
        self._abilities = abilities
        self.can_restart = True  # as far as is known: it may be refused
        self._probe_failures = 0
        self._oom_kills = 0
        self._asleep = asleep_so_far()

    def snapshot(
        self,
        seen: Vitals,
        *,
        late_seconds: float,
        is_acted_on: bool,
        is_maintenance: bool,
    ) -> Snapshot:
        """Return what is so at `seen.at`; the news of the attempts are taken with it."""
        process = process_of(seen)
        liveness = liveness_of(seen, process)
        failed = liveness in {snapshots.Probe.FAILED, snapshots.Probe.TIMED_OUT}
        self._probe_failures = self._probe_failures + 1 if failed else 0
        self._oom_kills += seen.meters.oom_kills or 0
        asleep_before, self._asleep = self._asleep, asleep_so_far()
        news = self._attempts.news()
        unit = seen.unit
        return Snapshot(
            now=seen.at,
            late_seconds=late_seconds,
            asleep_seconds=self._asleep - asleep_before,
            liveness=liveness,
            probe_failures=self._probe_failures,
            inventory=probe_of(seen.inventory),
            loaded=frozenset(name for each in seen.models or () for name in names_of(each)),
            busy_slots=None if seen.slots is None else sum(slot.is_busy for slot in seen.slots),
            engine=EngineFacts(
                process=process,
                incarnation=seen.process.birth,
                is_acted_on=is_acted_on or (unit is not None and unit.is_in_other_hands),
                is_port_taken=unit is not None
                and process is Process.EXITED
                and liveness is snapshots.Probe.OK,
                is_ours=unit is None and process is not Process.UNKNOWN,
            ),
            meters=snapshots.Meters(
                cpu_cores=seen.meters.cpu_cores,
                io_bytes_per_second=seen.meters.io_bytes_per_second,
                memory_growth_bytes_per_second=seen.meters.memory_growth_per_second,
                memory_pressure_percent=seen.meters.memory_pressure_percent,
                oom_kills=self._oom_kills,
            ),
            attempts=self._attempts.facts(),
            failures=news.failures,
            answers=news.answers,
            abilities=snapshots.Abilities(
                can_unload=self._abilities.can_unload,
                can_restart=self._abilities.can_restart and self.can_restart,
            ),
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


def liveness_of(seen: Vitals, process: Process) -> snapshots.Probe:
    """Return the probe's word; a child that loads, or is not wanted, needs not be asked."""
    if seen.liveness is None:
        is_well = process in {Process.IDLE, Process.RUNNING}
        return snapshots.Probe.OK if is_well else snapshots.Probe.UNKNOWN
    if seen.liveness.status is not None:  # also 404 or 503: somebody serves
        return snapshots.Probe.OK
    return probe_of(seen.liveness)


def names_of(model: str) -> tuple[str, ...]:
    """Return what a model may be called: Ollama lists `couac:latest`, people ask for `couac`."""
    return (model, model.removesuffix(":latest"))


def probe_of(probe: vitals.Probe | None) -> snapshots.Probe:
    if probe is None:
        return snapshots.Probe.UNKNOWN
    if probe.is_ok:
        return snapshots.Probe.OK
    is_late = probe.failure is vitals.Failure.TIMEOUT
    return snapshots.Probe.TIMED_OUT if is_late else snapshots.Probe.FAILED


def asleep_so_far() -> float:
    """Return for how many seconds this machine was suspended since it booted."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
