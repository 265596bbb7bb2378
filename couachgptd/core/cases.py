"""One decision of the supervisor in the making: what is remembered, blamed, said and ordered."""

import math
from collections.abc import Sequence
from dataclasses import asdict, replace

from couachgptd.core import errors
from couachgptd.core.budgets import Limits, Rates, learned
from couachgptd.core.ids import TurnId
from couachgptd.core.signs import (
    Signs,
    Wait,
    has_paused,
    is_drained,
    is_flowing,
    is_for_others,
    is_runaway,
    waits,
)
from couachgptd.core.snapshots import Attempt, Failure, Phase, Process, Snapshot
from couachgptd.core.verdicts import (
    NEVER,
    Action,
    Cancel,
    CancelReason,
    Decision,
    Evidence,
    Failed,
    FailedReason,
    Memory,
    QuarantineModel,
    QuarantineReason,
    QuarantineTurn,
    Release,
    Restart,
    State,
    Step,
    Transition,
    Unload,
    Verdict,
)

OOM_SECONDS = 10.0  # the kernel counts a kill a little before or after its stream ends

# What says something of the model when its load fails; that an engine is busy or gone does not.
LOAD_FAULTS = frozenset(
    each.code
    for each in (
        errors.AnswerInterrupted,
        errors.EngineKilled,
        errors.EngineRejected,
        errors.EngineTimeout,
        errors.ModelBroken,
    )
)


class Case:
    """The state so far, and what is to be said and done; `supervision` rules on it."""

    def __init__(self, state: State, snapshot: Snapshot, limits: Limits) -> None:
        self.now = snapshot.now
        self.snapshot = snapshot
        self.limits = limits
        self.signs = state.signs.after(snapshot, limits)
        self._state = state
        self._actions: list[Action] = []
        self._transitions: list[Transition] = []
        self._look()
        self._learn()
        self._assign_blame()

    @property
    def state(self) -> State:
        return self._state

    @property
    def verdict(self) -> Verdict:
        return self._state.verdict

    @property
    def in_grace(self) -> bool:
        return self.now < self._state.grace_until

    @property
    def age(self) -> float:
        """Return for how many seconds the verdict has stood."""
        return self.now - self._state.since

    @property
    def can_restart(self) -> bool:
        """Say whether a restart may work: what was refused once is tried again after a while."""
        is_refused = self.now - self._state.refused_at < self.limits.retry_seconds
        return self.snapshot.abilities.can_restart and not is_refused

    def decision(self) -> Decision:
        incarnation = self.snapshot.engine.incarnation or self._state.incarnation
        state = replace(
            self._state,
            signs=self.signs,
            incarnation=incarnation,
            cancelled=self._state.cancelled & {each.id for each in self.snapshot.attempts},
        )
        return Decision(state, tuple(self._actions), tuple(self._transitions))

    # --- what is said and ordered -----------------------------------------------------------------

    def become(self, verdict: Verdict, wait: Wait | None = None, **figures: str | float) -> None:
        """Take a verdict; only a change of it is told."""
        state = self._state
        if verdict is state.verdict:
            return
        evidence = self._evidence(wait) | figures
        self._transitions.append(Transition(self.now, state.verdict, verdict, evidence))
        memory = state.memory
        if verdict is not Verdict.FAILED:
            memory = replace(memory, failed=None)
        self._state = replace(state, verdict=verdict, since=self.now, memory=memory, step=None)

    def take_step(
        self, verdict: Verdict, cause: Verdict, seconds: float, **figures: str | float
    ) -> None:
        """Stand on a rung of the ladder for at most `seconds`."""
        self.become(verdict, None, cause=cause.value, **figures)
        step = Step(
            cause=cause,
            until=self.now + seconds,
            model=self._state.model,
            incarnation=self.snapshot.engine.incarnation,
            had_busy_slots=bool(self.snapshot.busy_slots),
        )
        self._state = replace(self._state, step=step)

    def start_over(self, grace_seconds: float, reason: str) -> None:
        """Take it for new: nothing that was seen of it before counts."""
        self.become(Verdict.STARTING, reason=reason)
        self._state = replace(self._state, incarnation=self.snapshot.engine.incarnation)
        self.signs = Signs(calm_from=self.now)
        self.give_grace(grace_seconds)

    def recover(self) -> None:
        """A rung of the ladder has helped."""
        self.become(Verdict.READY)
        self.signs = Signs(calm_from=self.now)

    def give_grace(self, seconds: float) -> None:
        until = max(self._state.grace_until, self.now + seconds)
        self._state = replace(self._state, grace_until=until)

    def give_up(self, reason: FailedReason, **figures: str) -> None:
        restarts = len(self._state.memory.restarts.at)
        self.become(Verdict.FAILED, None, reason=reason.value, restarts_in_day=restarts, **figures)
        failed = Failed(reason, self.snapshot.engine.incarnation, self.snapshot.is_live)
        self._keep(replace(self._state.memory, failed=failed))

    def order_cancel(self, attempts: Sequence[int], reason: CancelReason) -> None:
        if attempts:
            self._actions.append(Cancel(tuple(attempts), reason))
            cancelled = self._state.cancelled.union(attempts)
            self._state = replace(self._state, cancelled=cancelled)

    def order_unload(self, model: str) -> None:
        self._actions.append(Unload(model))
        memory = self._state.memory
        self._keep(replace(memory, unloads=memory.unloads + 1))

    def order_restart(self, *, is_retry: bool) -> None:
        """Restart; what is still open would be cut by it, and is cancelled for the same reason."""
        self.order_cancel([each.id for each in self.open_attempts()], CancelReason.HUNG)
        self._actions.append(Restart())
        memory = self._state.memory
        noted = memory.restarts.retried if is_retry else memory.restarts.ordered
        self._keep(replace(memory, restarts=noted(self.now)))

    # --- what is asked of it ------------------------------------------------------------------

    def rates(self, model: str | None) -> Rates:
        return self._state.memory.rates.get(model or "", Rates())

    def open_attempts(self) -> list[Attempt]:
        """Return the attempts that somebody still waits for."""
        return [
            each
            for each in self.snapshot.attempts
            if each.phase is not Phase.DRAIN and each.id not in self._state.cancelled
        ]

    def waits(self) -> list[Wait]:
        draining = [
            each
            for each in self.snapshot.attempts
            if each.phase is Phase.DRAIN and not self._is_drained(each)
        ]
        return waits(
            self.snapshot,
            self.signs,
            [*self.open_attempts(), *draining],
            self._state.memory.rates,
            self.limits,
        )

    def is_flowing(self) -> bool:
        """Say whether some answer is going well; of a process that is gone, only just now."""
        if self.snapshot.engine.process not in {Process.RUNNING, Process.UNKNOWN}:
            return self.snapshot.is_talking
        is_still = self.signs.still_from is not None
        return any(
            is_flowing(each, self.now, self.rates(each.model), self.limits, is_still=is_still)
            for each in self.open_attempts()
        )

    def is_only_loading(self) -> bool:
        return {each.phase for each in self.snapshot.attempts} == {Phase.LOAD}

    def is_used_by_others(self) -> bool:
        """Say whether it has worked for a while, and not for us."""
        since = self.signs.spinning_from
        soft = Rates().drain(self.limits).soft
        return (
            since is not None
            and self.now - since >= soft
            and is_for_others(self.snapshot, self.signs)
        )

    def is_maintenance(self) -> bool:
        """Say whether a person has asked us to look on; it ends by itself if they forget."""
        began = self._state.maintenance_from
        return began is not None and self.now - began < self.limits.maintenance_max_seconds

    def is_reborn(self) -> bool:
        """Say whether somebody else restarted it since the snapshot before."""
        engine, before = self.snapshot.engine, self._state.incarnation
        return (
            not engine.is_ours
            and None
            not in {
                before,
                engine.incarnation,
            }
            and (before != engine.incarnation)
        )

    def is_over(self, step: Step) -> bool:
        return self.now >= step.until and not self.in_grace

    def suspect(self, *, is_so: bool) -> bool:
        """Begin to suspect, go on with it, or cease."""
        self.signs = self.signs.suspecting(self.now, is_so=is_so)
        return is_so

    # --- what each decision does, whatever the verdict -------------------------------------------

    def blame_hang(self) -> None:
        """A load that hangs speaks against its model, a read or an answer against its turn."""
        for each in self.open_attempts():
            self._blame(each.turn, each.model, each.phase, hung=True)

    def end_overdue(self) -> None:
        """Cancel what will not end by itself while the engine as a whole is not to blame."""
        if self.in_grace or self.verdict is Verdict.MAINTENANCE:
            return
        runaways = [
            each
            for each in self.open_attempts()
            if is_runaway(each, self.now, self.rates(each.model), self.limits)
        ]
        self.order_cancel([each.id for each in runaways], CancelReason.RUNAWAY)
        stalled = [
            wait.attempt
            for wait in self.waits()
            if wait.is_past_hard and wait.attempt and wait.attempt.phase is not Phase.DRAIN
        ]
        for each in stalled:
            self._blame(each.turn, each.model, each.phase, hung=True)
        self.order_cancel([each.id for each in stalled], CancelReason.STALLED)

    def release_drained(self) -> None:
        drained = tuple(
            each.id
            for each in self.snapshot.attempts
            if each.phase is Phase.DRAIN and self._is_drained(each)
        )
        if drained and self.verdict not in {Verdict.CANCELLING, Verdict.UNLOADING}:
            self._actions.append(Release(drained))

    def _look(self) -> None:
        state, snapshot, limits = self._state, self.snapshot, self.limits
        self._state = replace(
            state,
            since=self.now if state.since == NEVER else state.since,
            model=snapshot.attempts[-1].model if snapshot.attempts else state.model,
            maintenance_from=self._maintenance_from(),
            lives=state.lives + self.is_reborn() if self.verdict is Verdict.STARTING else 0,
        )
        if snapshot.refusal is not None:
            self._state = replace(self._state, refused_at=self.now, refusal=snapshot.refusal)
            memory = self._state.memory
            self._keep(replace(memory, restarts=memory.restarts.refused()))
        if has_paused(snapshot, limits):
            self.give_grace(limits.grace_seconds)
        if self.is_reborn() and self.verdict is not Verdict.RESTARTING:
            self.give_grace(limits.foreign_grace_seconds)

    def _maintenance_from(self) -> float | None:
        if not self.snapshot.is_maintenance:
            return None
        began = self._state.maintenance_from
        return self.now if began is None else began

    def _learn(self) -> None:
        for answer in self.snapshot.answers:
            memory = self._state.memory
            blame = memory.blame.loaded(answer.model)
            self._keep(
                replace(
                    memory,
                    restarts=memory.restarts.answered(self.now, self.limits),
                    blame=blame.cleared(answer.turn) if answer.turn is not None else blame,
                    rates=learned(memory.rates, answer.model, answer.timings),
                    unloads=0,
                )
            )

    # --- who was there when it happened -----------------------------------------------------------

    def _assign_blame(self) -> None:
        snapshot = self.snapshot
        for failure in snapshot.failures:
            if failure.attempt not in self._state.cancelled:
                self._blame_failure(failure)
        recent = [(at, each) for at, each in self._state.deaths if self.now - at <= OOM_SECONDS]
        recent += [(self.now, each) for each in snapshot.failures if each.has_died]
        oom_at = self.now if snapshot.meters.oom_kills else self._state.oom_at
        # A kill alone says nothing: where the memory is counted for the whole machine, it may have
        # hit somebody else. With a death of ours beside it, it is the reason.
        if oom_at is not None and self.now - oom_at <= OOM_SECONDS:
            for turn in dict.fromkeys(failure.turn for _, failure in recent):
                if turn is not None:
                    self._actions.append(QuarantineTurn(turn, QuarantineReason.OUT_OF_MEMORY))
                    memory = self._state.memory
                    self._keep(replace(memory, blame=memory.blame.cleared(turn)))
            recent = []
        self._state = replace(self._state, deaths=tuple(recent), oom_at=oom_at)

    def _blame_failure(self, failure: Failure) -> None:
        if failure.phase is Phase.LOAD:
            if failure.has_died or failure.code in LOAD_FAULTS:
                self._blame(failure.turn, failure.model, failure.phase, hung=False)
        elif failure.has_died:
            self._blame(failure.turn, failure.model, failure.phase, hung=False)

    def _blame(self, turn: TurnId | None, model: str, phase: Phase, *, hung: bool) -> None:
        blame = self._state.memory.blame
        if phase is Phase.LOAD:
            blame = blame.load_hung(model) if hung else blame.load_failed(model)
            if blame.loads[model].are_too_many(self.limits) and model not in blame.models:
                blame = blame.quarantined(model)
                self._actions.append(QuarantineModel(model))
        elif turn is not None:
            blame = blame.struck(turn)
            if blame.strikes[turn] >= self.limits.turn_strikes:
                blame = blame.cleared(turn)
                self._actions.append(QuarantineTurn(turn, QuarantineReason.POISON))
        self._keep(replace(self._state.memory, blame=blame))

    def _keep(self, memory: Memory) -> None:
        self._state = replace(self._state, memory=memory)

    def _is_drained(self, attempt: Attempt) -> bool:
        return is_drained(attempt, self.snapshot, self.rates(attempt.model), self.limits)

    def _evidence(self, wait: Wait | None) -> Evidence:
        """Return the figures a person needs to judge the verdict; what is not known is left out."""
        snapshot = self.snapshot
        figures: dict[str, str | float | None] = {
            "process": snapshot.engine.process.value,
            "incarnation": snapshot.engine.incarnation,
            "liveness": snapshot.liveness.word if snapshot.liveness else None,
            "inventory": snapshot.inventory.word if snapshot.inventory else None,
            "attempts": len(snapshot.attempts),
            **asdict(snapshot.meters),
        }
        if wait is not None:
            figures["silence_seconds"] = wait.silence
            figures["soft_seconds"] = wait.budget.soft
            figures["hard_seconds"] = wait.budget.hard
            if wait.attempt is not None:
                figures["phase"] = wait.attempt.phase.value
                figures["model"] = wait.attempt.model
                figures["turn"] = wait.attempt.turn
                figures["tokens"] = wait.attempt.tokens
        return {
            name: round(figure, 3) if isinstance(figure, float) else figure
            for name, figure in figures.items()
            if figure is not None and not (isinstance(figure, float) and math.isinf(figure))
        }
