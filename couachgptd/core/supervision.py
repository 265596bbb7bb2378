"""Tells a slow engine from a hung or dead one, and says what to do: a pure function.

The way of a verdict:

    STARTING ─it answers→ READY ⇄ BUSY, LOADING
                                   └a soft budget is spent→ SUSPECT ⇄ SLOW, LOADING, THRASHING
    nothing moves, or a hard budget is spent → HUNG_IDLE, HUNG_SPIN → CANCELLING → UNLOADING → (1)
    the process is gone → DEAD → (1) BACKOFF → RESTARTING → STARTING; (1) spent, impossible → FAILED

A rung that helped leads to READY, a long time in FAILED to one more try. Above all this stand
MAINTENANCE, STOPPED, a taken port (FAILED) and a restart by others (STARTING): there we only look
on. UNREACHABLE is an engine on another host. Tokens that flow are BUSY, whatever else fails.
"""

from collections.abc import Callable

from couachgptd.core.budgets import Limits
from couachgptd.core.cases import Case
from couachgptd.core.signs import is_above, is_below, is_thrashing
from couachgptd.core.snapshots import Process, Snapshot
from couachgptd.core.verdicts import (
    USED_BY_OTHERS,
    CancelReason,
    Decision,
    FailedReason,
    State,
    Step,
    Verdict,
)

MOST_MOVES = 8  # in one decision; the longest row is SUSPECT, HUNG_IDLE and the rungs after it

Rung = Callable[[Case, Verdict], bool]


def decide(state: State, snapshot: Snapshot, limits: Limits | None = None) -> Decision:
    """Return what the engine is now and what to do about it.

    Actions are to be started before the next snapshot is taken; while a restart runs,
    `EngineFacts.is_acted_on` says so.
    """
    case = Case(state, snapshot, limits or Limits())
    for _ in range(MOST_MOVES):
        before = case.verdict
        _move(case)
        if case.verdict is before:
            break
    case.end_overdue()
    case.release_drained()
    return case.decision()


def _move(case: Case) -> None:
    """Go on by one verdict: first what others do, then the tokens, then where we stand."""
    if _is_in_other_hands(case):
        return
    if case.is_flowing():
        case.suspect(is_so=False)
        case.become(Verdict.BUSY)
    else:
        STANDING.get(case.verdict, _judge)(case)


def _is_in_other_hands(case: Case) -> bool:
    """Look on while a person, another program or a job of the system has the engine."""
    engine, foreign_grace = case.snapshot.engine, case.limits.foreign_grace_seconds
    if case.is_maintenance():
        case.suspect(is_so=False)
        case.become(Verdict.MAINTENANCE)
    elif engine.is_port_taken:
        case.give_up(FailedReason.PORT_TAKEN)
    elif case.snapshot.is_talking or case.verdict is Verdict.RESTARTING:
        return False
    elif engine.process is Process.STOPPED and not engine.is_acted_on:
        case.become(Verdict.STOPPED)
    elif case.verdict is Verdict.FAILED:
        return False
    elif case.state.lives >= case.limits.restarts_in_window:
        case.give_up(FailedReason.CRASH_LOOP)
    elif engine.is_acted_on:
        case.start_over(foreign_grace, reason="acted_on")
    elif case.verdict is Verdict.STOPPED or case.is_reborn():
        case.start_over(foreign_grace, reason="started_by_others")
        return False
    else:
        return False
    return True


def _judge(case: Case) -> None:
    """Weigh the silence of each attempt against its budget."""
    limits, signs, process = case.limits, case.signs, case.snapshot.engine.process
    if process is Process.EXITED:
        _died(case)
    elif process is Process.UNKNOWN and signs.mute_from is not None:
        case.become(Verdict.UNREACHABLE)
    else:
        is_still = signs.still_from is not None
        waits = case.waits()
        hard = next((each for each in waits if each.is_past_hard), None)
        soft = next((each for each in waits if each.is_past_soft(limits, is_still=is_still)), hard)
        if case.suspect(is_so=soft is not None and not case.in_grace):
            verdict = _verdict_on_silence(case, is_past_hard=hard is not None)
            case.become(verdict, hard or soft)
            if verdict in {Verdict.HUNG_IDLE, Verdict.HUNG_SPIN}:
                case.blame_hang()
                _climb(case, verdict, _cancel, _unload, _restart)
        elif case.is_used_by_others():
            case.become(Verdict.BUSY, reason=USED_BY_OTHERS)
        else:
            case.become(_verdict_at_work(case))


def _verdict_at_work(case: Case) -> Verdict:
    if not case.snapshot.attempts:
        return Verdict.READY
    return Verdict.LOADING if case.is_only_loading() else Verdict.BUSY


def _verdict_on_silence(case: Case, *, is_past_hard: bool) -> Verdict:
    """Say what a silence beyond its soft budget is: the table in the note's section 1.4."""
    meters, signs, limits = case.snapshot.meters, case.signs, case.limits
    is_still = signs.still_from is not None
    is_busy = is_above(meters.cpu_cores, limits.busy_above_cores)
    has_moved = case.now - signs.moved_at <= limits.confirm_seconds
    nothing_speaks_for_it = meters.cpu_cores is None and not case.snapshot.attempts
    if is_past_hard:
        return Verdict.HUNG_IDLE if is_still else Verdict.HUNG_SPIN
    if not signs.is_confirmed(case.now, limits):
        return Verdict.SUSPECT
    if is_still:
        return Verdict.HUNG_IDLE if signs.is_frozen(case.now, limits) else Verdict.SUSPECT
    if nothing_speaks_for_it:
        return Verdict.HUNG_IDLE
    if is_thrashing(meters, limits):
        return Verdict.THRASHING
    if case.is_only_loading() or (has_moved and not is_busy):
        return Verdict.LOADING
    return Verdict.SLOW


def _died(case: Case) -> None:
    """A process that is gone needs no proof, only the grace that follows a restart."""
    if case.in_grace:
        case.become(Verdict.STARTING)
    else:
        case.become(Verdict.DEAD)
        _climb(case, Verdict.DEAD, _restart)


def _starting(case: Case) -> None:
    process, limits = case.snapshot.engine.process, case.limits
    if process is Process.EXITED:
        _died(case)
    elif case.snapshot.is_live:
        case.become(Verdict.READY)
    elif process is Process.UNKNOWN:
        if case.signs.mute_from is not None:
            case.become(Verdict.UNREACHABLE)
    elif case.age >= limits.start_seconds and not case.in_grace:
        case.become(Verdict.HUNG_IDLE, reason="never_answered")
        _climb(case, Verdict.HUNG_IDLE, _restart)


# --- the ladder: a rung says whether it can be taken; it is left once it helped, or is over -------


def _climb(case: Case, cause: Verdict, *rungs: Rung) -> None:
    for rung in rungs:
        if rung(case, cause):
            return


def _cancel(case: Case, cause: Verdict) -> bool:
    attempts = case.open_attempts()
    if not attempts:
        return False
    case.order_cancel([each.id for each in attempts], CancelReason.HUNG)
    # A still engine shows nothing by staying so; a busy one may end its batch.
    drain = case.rates(case.state.model).drain(case.limits).soft
    seconds = drain if cause is Verdict.HUNG_SPIN else case.limits.cancel_seconds
    case.take_step(Verdict.CANCELLING, cause, seconds)
    return True


def _cancelling(case: Case, step: Step) -> None:
    snapshot = case.snapshot
    fell = is_below(snapshot.meters.cpu_cores, case.limits.drained_below_cores)
    is_freed = snapshot.has_inventory and snapshot.busy_slots == 0 and step.had_busy_slots
    is_gone = snapshot.engine.process is Process.IDLE
    if is_freed or is_gone or (fell and step.cause is Verdict.HUNG_SPIN):
        case.recover()
    elif case.is_over(step):
        _climb(case, step.cause, _unload, _restart)


def _unload(case: Case, cause: Verdict) -> bool:
    """Not where it would be in vain: nothing is loaded, or it cured nothing lately."""
    snapshot, model = case.snapshot, case.state.model
    is_loaded = not snapshot.has_inventory or model in snapshot.loaded
    may_cure = case.state.memory.unloads < case.limits.unloads_in_a_row
    if model is None or not (snapshot.abilities.can_unload and is_loaded and may_cure):
        return False
    case.order_unload(model)
    case.take_step(Verdict.UNLOADING, cause, case.limits.unload_seconds)
    return True


def _unloading(case: Case, step: Step) -> None:
    snapshot = case.snapshot
    is_listed = not snapshot.has_inventory or step.model in snapshot.loaded
    computes = is_above(snapshot.meters.cpu_cores, case.limits.drained_below_cores)
    if snapshot.engine.process is Process.IDLE or not (is_listed or computes):
        case.recover()
    elif case.is_over(step):
        _climb(case, step.cause, _restart)


def _restart(case: Case, cause: Verdict) -> bool:
    """The last rung: at once, or after the back-off, or not where it cannot be or was too often."""
    restarts = case.state.memory.restarts
    if not case.can_restart:
        refusal = case.state.refusal or "unsupported"
        case.give_up(FailedReason.CANNOT_RESTART, refusal=refusal)
    elif restarts.are_spent(case.now, case.limits):
        case.give_up(FailedReason.BUDGET_SPENT)
    elif delay := restarts.delay(case.limits, case.snapshot.chance):
        case.take_step(Verdict.BACKOFF, cause, delay, delay_seconds=delay)
    else:
        _restart_now(case, cause)
    return True


def _restart_now(case: Case, cause: Verdict, *, is_retry: bool = False) -> None:
    case.order_restart(is_retry=is_retry)
    case.take_step(Verdict.RESTARTING, cause, case.limits.restart_seconds)


def _backing_off(case: Case, step: Step) -> None:
    is_back = case.snapshot.engine.process in {Process.RUNNING, Process.IDLE}
    if step.cause is Verdict.DEAD and is_back:
        case.start_over(case.limits.grace_seconds, reason="came_back")
    elif case.is_over(step):
        _restart_now(case, step.cause)


def _restarting(case: Case, step: Step) -> None:
    engine = case.snapshot.engine
    is_another = engine.incarnation is None or engine.incarnation != step.incarnation
    if engine.is_acted_on:
        if case.is_over(step):
            case.give_up(FailedReason.RESTART_STUCK)
    elif case.snapshot.refusal is not None:
        _climb(case, step.cause, _restart)
    elif is_another or engine.process is not Process.RUNNING:
        case.start_over(case.limits.grace_seconds, reason="restarted")
    elif case.is_over(step):  # it was not done: the old one still runs
        _climb(case, step.cause, _restart)


def _failed(case: Case) -> None:
    """Wait until it answers in another life, or again; after a long while, try once more."""
    engine, failed = case.snapshot.engine, case.state.memory.failed
    can_restart, was_refused = case.can_restart, case.state.refusal is not None
    if (
        failed is None  # a person says that it is mended
        or failed.reason is FailedReason.PORT_TAKEN
        or (failed.reason is FailedReason.CANNOT_RESTART and can_restart and not was_refused)
    ):
        case.start_over(case.limits.grace_seconds, reason="cause_is_gone")
        return
    is_gone = engine.is_ours and engine.process is Process.IDLE  # so is what was wrong with it
    is_another = is_gone or engine.incarnation not in {None, failed.incarnation}
    if case.snapshot.is_live and (is_another or not failed.was_live):
        case.start_over(case.limits.grace_seconds, reason="answers_again")
    elif engine.process is Process.UNKNOWN and case.signs.mute_from is not None:
        case.become(Verdict.UNREACHABLE)
    elif case.in_grace or engine.is_acted_on:
        return
    elif can_restart and (was_refused or case.age >= case.limits.retry_seconds):
        _restart_now(case, Verdict.FAILED, is_retry=True)
    elif case.snapshot.is_live and case.age >= case.limits.backoff_max_seconds and not can_restart:
        case.start_over(0.0, reason="retry")  # it restarts nothing, so it may be sooner


def _standing(rung: Callable[[Case, Step], None]) -> Callable[[Case], None]:
    """Look at a rung with news only: at the moment it is taken, nothing can have come of it."""

    def look(case: Case) -> None:
        if case.age > 0 and case.state.step is not None:
            rung(case, case.state.step)

    return look


STANDING: dict[Verdict, Callable[[Case], None]] = {
    Verdict.STARTING: _starting,
    Verdict.CANCELLING: _standing(_cancelling),
    Verdict.UNLOADING: _standing(_unloading),
    Verdict.BACKOFF: _standing(_backing_off),
    Verdict.RESTARTING: _standing(_restarting),
    Verdict.FAILED: _failed,
}
