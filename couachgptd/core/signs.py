"""What a row of snapshots says of the engine: stillness, movement, and silences beside budgets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from couachgptd.core.budgets import MEGABYTE, Budget, Limits, Rates
from couachgptd.core.snapshots import Attempt, Phase, Process, Snapshot
from couachgptd.core.vitals import Meters


@dataclass(frozen=True, slots=True)
class Signs:
    """What only a row of snapshots can say. Times are when it began, None while it is not so.

    `calm_from`: before it we were not looking, no silence counts; `moved_at`: the engine read
    from disk or grew; `still_from`: nothing of it moves; `spinning_from`: it computes while nothing
    of ours is open; `mute_from`: the probe fails; `suspect_from`: a soft budget is spent.
    `is_orphaned`: an attempt of ours was cut, and its CPU has not fallen since.
    """

    calm_from: float = float("-inf")
    moved_at: float = float("-inf")
    still_from: float | None = None
    still_samples: int = 0
    spinning_from: float | None = None
    is_orphaned: bool = False
    mute_from: float | None = None
    suspect_from: float | None = None

    def after(self, snapshot: Snapshot, limits: Limits) -> Self:
        """Take in one more snapshot; a pause of our own makes all that was seen worthless."""
        now, meters = snapshot.now, snapshot.meters
        was_cut = bool(snapshot.failures) or any(
            each.phase is Phase.DRAIN for each in snapshot.attempts
        )
        has_fallen = is_below(meters.cpu_cores, limits.drained_below_cores)
        is_orphaned = was_cut or (self.is_orphaned and not has_fallen)
        if has_paused(snapshot, limits):
            return type(self)(calm_from=now, is_orphaned=is_orphaned)
        moves = is_moving(meters, limits)
        is_still = is_below(meters.cpu_cores, limits.still_below_cores) and not (
            moves or is_thrashing(meters, limits)
        )
        spins = not snapshot.attempts and is_above(meters.cpu_cores, limits.spin_above_cores)
        is_mute = snapshot.probe_failures >= limits.probe_failures
        return replace(
            self,
            moved_at=now if moves else self.moved_at,
            still_from=_since(self.still_from, now, is_so=is_still),
            still_samples=self.still_samples + 1 if is_still else 0,
            spinning_from=_since(self.spinning_from, now, is_so=spins),
            is_orphaned=is_orphaned,
            mute_from=_since(self.mute_from, now, is_so=is_mute),
        )

    def suspecting(self, now: float, *, is_so: bool) -> Self:
        return replace(self, suspect_from=_since(self.suspect_from, now, is_so=is_so))

    def is_confirmed(self, now: float, limits: Limits) -> bool:
        return self.suspect_from is not None and now - self.suspect_from >= limits.confirm_seconds

    def is_frozen(self, now: float, limits: Limits) -> bool:
        """Say whether nothing has moved for as long as a suspicion is watched."""
        return (
            self.still_from is not None
            and now - self.still_from >= limits.confirm_seconds
            and self.still_samples >= limits.confirm_samples
        )


@dataclass(frozen=True, slots=True)
class Wait:
    """One silence, in seconds, beside its budget; without an attempt it is the engine's own."""

    silence: float
    budget: Budget
    attempt: Attempt | None = None
    is_excused: bool = False  # past its hard budget, but it moves: a slow disk

    def is_past_soft(self, limits: Limits, *, is_still: bool) -> bool:
        """An engine at work computes: one that is quite still has no right to a long budget."""
        soft = self.budget.soft
        if is_still and self.attempt is not None:
            soft = min(soft, least_soft(self.attempt.phase, limits))
        return self.silence >= soft

    @property
    def is_past_hard(self) -> bool:
        return self.silence >= self.budget.hard and not self.is_excused


def waits(
    snapshot: Snapshot,
    signs: Signs,
    attempts: Iterable[Attempt],
    rates: Mapping[str, Rates],
    limits: Limits,
) -> list[Wait]:
    """Return what is waited for: each attempt's next news, and a quiet engine when nobody asks."""
    now, idle = snapshot.now, Rates().drain(limits)
    found = [
        _wait(each, snapshot, signs, rates.get(each.model, Rates()), limits) for each in attempts
    ]
    if signs.spinning_from is not None and not is_for_others(snapshot, signs):
        found.append(Wait(now - signs.spinning_from, idle))
    if signs.mute_from is not None:
        # A suspicion at once; but while it works for us, only the attempts' budgets end it.
        budget = Budget(idle.soft, float("inf")) if snapshot.attempts else idle
        found.append(Wait(now - signs.mute_from + idle.soft, budget))
    return found


def is_for_others(snapshot: Snapshot, signs: Signs) -> bool:
    """Say whether what it computes may be somebody else's, as on an Ollama that others use, too.

    Our own child serves nobody else; of a shared one, only what goes on after a cut is ours.
    """
    return not (snapshot.engine.is_ours or signs.is_orphaned)


def _wait(attempt: Attempt, snapshot: Snapshot, signs: Signs, rates: Rates, limits: Limits) -> Wait:
    begun = max(signs.calm_from, attempt.phase_from)
    if attempt.progress_at is not None:
        begun = max(begun, attempt.progress_at)
    if attempt.phase is Phase.LOAD:
        begun = max(begun, signs.moved_at)
    budget = budget_of(attempt, rates, limits)
    moved = snapshot.now - signs.moved_at <= limits.confirm_seconds
    busy = is_above(snapshot.meters.cpu_cores, limits.busy_above_cores)
    return Wait(snapshot.now - begun, budget, attempt, is_excused=moved and not busy)


def least_soft(phase: Phase, limits: Limits) -> float:
    return {
        Phase.LOAD: limits.load_soft_min_seconds,
        Phase.READ: limits.read_soft_min_seconds,
        Phase.WRITE: limits.gap_soft_min_seconds,
        Phase.DRAIN: limits.drain_soft_min_seconds,
    }[phase]


def budget_of(attempt: Attempt, rates: Rates, limits: Limits) -> Budget:
    remaining = max(0, attempt.prompt_tokens - attempt.read_tokens)
    match attempt.phase:
        case Phase.LOAD:
            load = rates.load(attempt.model_bytes, limits)
            # Ollama does not say when it passes from loading to reading.
            return Budget(load.soft, load.hard + rates.read(remaining, limits).hard)
        case Phase.READ:
            return rates.read(remaining, limits)
        case Phase.WRITE:
            return rates.gap(limits)
        case Phase.DRAIN:
            return rates.drain(limits)


def is_flowing(
    attempt: Attempt, now: float, rates: Rates, limits: Limits, *, is_still: bool
) -> bool:
    """Say whether news of it came lately enough: then the engine is well, whatever else fails."""
    if attempt.progress_at is None or attempt.phase not in {Phase.READ, Phase.WRITE}:
        return False
    most = least_soft(attempt.phase, limits) if is_still else limits.gap_soft_max_seconds
    return now - attempt.progress_at < min(budget_of(attempt, rates, limits).soft, most)


def is_runaway(attempt: Attempt, now: float, rates: Rates, limits: Limits) -> bool:
    """Say whether an answer goes on beyond what was asked for, in tokens or in time."""
    if now - attempt.opened_at > limits.total_max_seconds:
        return True
    if attempt.phase is not Phase.WRITE:
        return False
    if 0 < attempt.max_tokens < attempt.tokens:
        return True
    return now - attempt.phase_from > rates.writing_seconds(attempt.max_tokens, limits)


def is_drained(attempt: Attempt, snapshot: Snapshot, rates: Rates, limits: Limits) -> bool:
    """Say whether the engine has let go of an attempt that ended, by the best clue there is."""
    live = sum(each.phase is not Phase.DRAIN for each in snapshot.attempts)
    cpu = snapshot.meters.cpu_cores
    if snapshot.engine.process in {Process.EXITED, Process.IDLE, Process.STOPPED}:
        return True
    if snapshot.engine.process is Process.UNKNOWN:
        # Others may use it too: their slots and their work are no sign of ours.
        is_over = snapshot.now - attempt.phase_from > rates.drain(limits).soft
        return is_over or (snapshot.busy_slots is None and not live) or snapshot.busy_slots == 0
    if snapshot.busy_slots is not None and snapshot.has_inventory:
        return snapshot.busy_slots <= live
    if live:  # the CPU is theirs
        return snapshot.now - attempt.phase_from > rates.drain(limits).soft
    return cpu is None or cpu < limits.drained_below_cores


def has_paused(snapshot: Snapshot, limits: Limits) -> bool:
    return max(snapshot.late_seconds, snapshot.asleep_seconds) > limits.pause_seconds


def is_moving(meters: Meters, limits: Limits) -> bool:
    """Say whether it reads from disk or grows; what thrashing reads leads nowhere."""
    least = limits.moving_megabytes_per_second * MEGABYTE
    return not is_thrashing(meters, limits) and (
        is_above(meters.io_bytes_per_second, least)
        or is_above(meters.memory_growth_bytes_per_second, least)
    )


def is_thrashing(meters: Meters, limits: Limits) -> bool:
    return is_above(meters.memory_pressure_percent, limits.thrashing_above_percent)


def is_above(figure: float | None, bound: float) -> bool:
    return figure is not None and figure >= bound


def is_below(figure: float | None, bound: float) -> bool:
    return figure is not None and figure < bound


def _since(began: float | None, now: float, *, is_so: bool) -> float | None:
    if not is_so:
        return None
    return now if began is None else began
