"""The words of the supervisor: what the engine is, what is to be done, what is remembered."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from couachgptd.core.blame import Blame
from couachgptd.core.budgets import Rates
from couachgptd.core.ids import TurnId
from couachgptd.core.restarts import Restarts
from couachgptd.core.signs import Signs
from couachgptd.core.snapshots import Failure

NEVER = float("-inf")
SAVED_VERSION = 1
USED_BY_OTHERS = "used_by_others"  # the reason of a BUSY without any attempt of ours

Evidence = dict[str, str | float | int | bool]


class Verdict(StrEnum):
    """What the engine is, or what is being done to it: one word for people, pages and logs."""

    STARTING = "starting"
    READY = "ready"
    BUSY = "busy"
    SLOW = "slow"
    LOADING = "loading"
    THRASHING = "thrashing"
    SUSPECT = "suspect"
    HUNG_IDLE = "hung_idle"
    HUNG_SPIN = "hung_spin"
    DEAD = "dead"
    CANCELLING = "cancelling"
    UNLOADING = "unloading"
    BACKOFF = "backoff"
    RESTARTING = "restarting"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    STOPPED = "stopped"
    MAINTENANCE = "maintenance"


class CancelReason(StrEnum):
    HUNG = "hung"  # the engine does not answer: the question is kept and asked again, once
    STALLED = "stalled"  # this one does not answer while others do: the same
    RUNAWAY = "runaway"  # it does not end: what is written is the answer, never asked again


class QuarantineReason(StrEnum):
    POISON = "poison"
    OUT_OF_MEMORY = "out_of_memory"


class FailedReason(StrEnum):
    BUDGET_SPENT = "budget_spent"
    CANNOT_RESTART = "cannot_restart"
    CRASH_LOOP = "crash_loop"  # others start it again and again, in vain
    PORT_TAKEN = "port_taken"
    RESTART_STUCK = "restart_stuck"


@dataclass(frozen=True, slots=True)
class Cancel:
    """Close the streams of these attempts (by `Attempt.id`, not by turn)."""

    attempts: tuple[int, ...]
    reason: CancelReason


@dataclass(frozen=True, slots=True)
class Unload:
    model: str


@dataclass(frozen=True, slots=True)
class Restart:
    """Kill what is left of the engine and start it; the embedded one at the next load."""


@dataclass(frozen=True, slots=True)
class Release:
    """The engine has let go of these attempts: their slots are free. May be said twice."""

    attempts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QuarantineTurn:
    """End this turn as failed; it is never tried again by itself."""

    turn: TurnId
    reason: QuarantineReason


@dataclass(frozen=True, slots=True)
class QuarantineModel:
    """Offer this model no more, until its file changes or a person says so."""

    model: str


Action = Cancel | Unload | Restart | Release | QuarantineTurn | QuarantineModel


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of verdict at `at`, with the figures that led to it, ready for JSON."""

    at: float
    before: Verdict
    after: Verdict
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Step:
    """The rung of the ladder we stand on: why, until when, and what was so when we took it."""

    cause: Verdict
    until: float
    model: str | None = None
    incarnation: str | None = None
    had_busy_slots: bool = False


@dataclass(frozen=True, slots=True)
class Failed:
    """Why we gave up, in which life of the engine, and whether it answered probes then."""

    reason: FailedReason
    incarnation: str | None = None
    was_live: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """What outlives the daemon. `unloads` are the cures by it since the last whole answer."""

    restarts: Restarts = field(default_factory=Restarts)
    blame: Blame = field(default_factory=Blame)
    rates: Mapping[str, Rates] = field(default_factory=dict)
    unloads: int = 0
    failed: Failed | None = None


@dataclass(frozen=True, slots=True)
class State:
    """All that `decide` remembers. `since` is when the verdict began, `model` the last used.

    Before `grace_until` nothing is judged. `lives` are those seen since it began to start;
    `refusal` is why our last restart was refused, at `refused_at`; `deaths` are recent, for an OOM
    kill counted late, `oom_at` is that of one counted early; `cancelled` are attempts whose end was
    ordered and not yet seen.
    """

    verdict: Verdict = Verdict.STARTING
    since: float = NEVER
    memory: Memory = field(default_factory=Memory)
    signs: Signs = field(default_factory=Signs)
    step: Step | None = None
    grace_until: float = NEVER
    incarnation: str | None = None
    lives: int = 0
    model: str | None = None
    maintenance_from: float | None = None
    refused_at: float = NEVER
    refusal: str | None = None
    deaths: tuple[tuple[float, Failure], ...] = ()
    oom_at: float | None = None
    cancelled: frozenset[int] = frozenset()

    @property
    def may_start(self) -> bool:
        """Say whether the queue may give the engine another turn."""
        return self.verdict in OPEN

    @property
    def alone(self) -> frozenset[TurnId]:
        """Turns that may only run while no other does."""
        return self.memory.blame.suspects

    @property
    def quarantined_models(self) -> frozenset[str]:
        return self.memory.blame.models


OPEN = frozenset({Verdict.READY, Verdict.BUSY, Verdict.SLOW, Verdict.LOADING})


@dataclass(frozen=True, slots=True)
class Decision:
    state: State
    actions: tuple[Action, ...] = ()
    transitions: tuple[Transition, ...] = ()


def reset(state: State) -> State:
    """A person says that it is mended: failure, budget, suspects, quarantines are forgotten."""
    step = state.step
    if step is not None and state.verdict is Verdict.BACKOFF:
        step = replace(step, until=NEVER)  # it need not be waited for any more
    memory = Memory(rates=state.memory.rates)
    return replace(state, memory=memory, step=step, refused_at=NEVER, refusal=None)


def forgive_model(state: State, model: str) -> State:
    """Let a quarantined model be used again: its file changed, or a person says so."""
    return replace(state, memory=replace(state.memory, blame=state.memory.blame.loaded(model)))


def saved(state: State, now: float) -> dict[str, Any]:
    """Return what outlives the daemon, ready for JSON."""
    memory, failed = state.memory, state.memory.failed
    return {
        "version": SAVED_VERSION,
        "now": now,
        "restarts": memory.restarts.document(),
        "blame": memory.blame.document(),
        "rates": {model: rates.document() for model, rates in memory.rates.items()},
        "unloads": memory.unloads,
        "failed": failed and [failed.reason.value, failed.incarnation, failed.was_live],
        "maintenance_from": state.maintenance_from,
    }


def restored(document: Mapping[str, Any], now: float, elapsed_seconds: float) -> State:
    """Return the state to start with; `elapsed_seconds` passed since it was saved, by the wall.

    A document of another version is as good as none.
    """
    if document.get("version") != SAVED_VERSION:
        return State()
    failed, maintained = document["failed"], document.get("maintenance_from")
    clock_seconds = now - document["now"]
    memory = Memory(
        restarts=Restarts.of(document["restarts"], clock_seconds, elapsed_seconds),
        blame=Blame.of(document["blame"]),
        rates={model: Rates.of(each) for model, each in document["rates"].items()},
        unloads=document["unloads"],
        failed=Failed(FailedReason(failed[0]), *failed[1:]) if failed else None,
    )
    if maintained is not None:
        maintained += clock_seconds - max(0.0, elapsed_seconds)
    verdict = Verdict.FAILED if failed else Verdict.STARTING
    return State(verdict=verdict, since=now, memory=memory, maintenance_from=maintained)
