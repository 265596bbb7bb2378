"""One snapshot of the engine: what the system, its probes, its meters and its streams say."""

from dataclasses import dataclass, field
from enum import StrEnum

from couachgptd.core.ids import TurnId
from couachgptd.core.turns import Timings
from couachgptd.core.vitals import Abilities, Meters, Probe

TALKING_SECONDS = 2.0  # tokens this fresh contradict whoever says that the engine is gone


class Process(StrEnum):
    """The engine's process, or unit; IDLE: our own child, not started as no model is wanted."""

    RUNNING = "running"
    IDLE = "idle"
    EXITED = "exited"
    STOPPED = "stopped"  # by a person: for a unit, inactive with Result=success
    UNKNOWN = "unknown"  # on another host, or not ours to look at


class Phase(StrEnum):
    """What an attempt does; DRAIN: it has ended for people, the engine may not know it yet."""

    LOAD = "load"
    READ = "read"
    WRITE = "write"
    DRAIN = "drain"


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """What the system says of the engine's process.

    `incarnation` is the unit's InvocationID or the child's pid; `is_acted_on`: a job is pending,
    ours or somebody else's; `is_ours`: nobody but us starts it, so a new incarnation is no news.
    """

    process: Process = Process.RUNNING
    incarnation: str | None = None
    is_acted_on: bool = False
    is_port_taken: bool = False
    is_ours: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One open call to the engine. Times are seconds of `Snapshot.now`.

    `id` is never used twice; `turn` is None for a call of our own, such as a load ahead.
    `progress_at` is the last token, or the last news of the reading; None before the first.
    After its stream is closed it stays, at DRAIN, until it is released.
    """

    id: int
    turn: TurnId | None
    model: str
    phase: Phase
    phase_from: float
    opened_at: float
    progress_at: float | None = None
    tokens: int = 0
    max_tokens: int = 0
    prompt_tokens: int = 0
    read_tokens: int = 0
    model_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """An attempt that failed; `has_died` where a process of the engine ended under it."""

    attempt: int
    turn: TurnId | None
    model: str
    phase: Phase
    code: str
    has_died: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: the only proof that the engine is well."""

    turn: TurnId | None
    model: str
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that is known at one moment; `now` is seconds of a steady clock.

    `late_seconds`: how late our own loop was; `asleep_seconds`: what CLOCK_BOOTTIME went ahead of
    CLOCK_MONOTONIC since the snapshot before. A probe is None where nobody was asked, and
    `probe_failures` counts in a row, 0 once somebody serves. `inventory` is /api/ps or /slots;
    `loaded` and `busy_slots` are its news. What the meters cannot say is never evidence.
    `failures`, `answers` and `refusal`, why a restart that we ordered was not done, are new since
    the snapshot before. `chance`, 0 to 1, is drawn.
    """

    now: float
    late_seconds: float = 0.0
    asleep_seconds: float = 0.0
    liveness: Probe | None = None
    probe_failures: int = 0
    inventory: Probe | None = None
    loaded: frozenset[str] = frozenset()
    busy_slots: int | None = None
    engine: EngineFacts = field(default_factory=EngineFacts)
    meters: Meters = field(default_factory=Meters)
    attempts: tuple[Attempt, ...] = ()
    failures: tuple[Failure, ...] = ()
    answers: tuple[Answer, ...] = ()
    refusal: str | None = None
    abilities: Abilities = field(default_factory=Abilities)
    is_maintenance: bool = False
    chance: float = 0.5

    @property
    def is_live(self) -> bool:
        """Say whether somebody serves; a child that loads, or is not wanted, needs no question."""
        if self.liveness is None:
            return self.engine.process in {Process.IDLE, Process.RUNNING}
        return self.liveness.is_answered

    @property
    def has_inventory(self) -> bool:
        return self.inventory is not None and self.inventory.is_ok

    @property
    def is_talking(self) -> bool:
        return any(
            each.progress_at is not None and self.now - each.progress_at <= TALKING_SECONDS
            for each in self.attempts
        )
