"""What can be seen of the engine from outside, as facts: probes, processes and meters.

Nothing here is a verdict. None always means "cannot be had", never zero.
"""

from dataclasses import dataclass, field
from enum import StrEnum

HTTP_OK = 200


@dataclass(frozen=True, slots=True)
class Abilities:
    """What may be done to this engine besides cancelling our own requests, which always may."""

    can_unload: bool = True
    can_restart: bool = True
    can_meter: bool = True


class Failure(StrEnum):
    """Why a probe has no answer; no answer in time is a fact like the others."""

    TIMEOUT = "timeout"  # it accepted the question, or its host did, and says nothing
    REFUSED = "refused"  # nobody listens there
    LOST = "lost"  # the connection broke before the answer was whole


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to the engine.

    `seconds` is how long the answer took, or for how long it has not come: a probe is never asked
    again while one of its kind is open, so this grows beyond the limit where the engine hangs.
    `status` is HTTP's; any status, also 503, proves that somebody serves.
    """

    seconds: float
    status: int | None = None
    failure: Failure | None = None

    @property
    def is_ok(self) -> bool:
        return self.status == HTTP_OK

    @property
    def is_answered(self) -> bool:
        return self.status is not None

    @property
    def word(self) -> str:
        """Say in one word how it went, for people."""
        if self.is_ok:
            return "ok"
        return self.failure.value if self.failure else f"http_{self.status}"


@dataclass(frozen=True, slots=True)
class Slot:
    """One of llama.cpp's slots, from its `/slots`; the counts are of the answer it works on."""

    is_busy: bool
    read_tokens: int
    written_tokens: int


@dataclass(frozen=True, slots=True)
class Meters:
    """What the engine's processes use; all rates are since the sample before, None at the first.

    `io_bytes_per_second` is what went to and from storage: a file in the page cache costs none.
    `memory_bytes` is resident memory (a unit's: `memory.current`, its page cache included).
    The pressures are the share of the last 10 s in which *all* work waited (PSI, `full avg10`),
    in percent: of the unit where there is one, else of the whole machine. `oom_kills` counts those
    since the sample before: of the unit, else of the whole machine.
    """

    cpu_cores: float | None = None
    io_bytes_per_second: float | None = None
    memory_bytes: int | None = None
    memory_growth_bytes_per_second: float | None = None
    processes: int | None = None
    oom_kills: int | None = None
    memory_pressure_percent: float | None = None
    io_pressure_percent: float | None = None


@dataclass(frozen=True, slots=True)
class MachineUse:
    """What the whole machine uses: cores since the look before, and memory, its cache left out."""

    cpu_cores: float
    memory_bytes: int


class Life(StrEnum):
    """How the engine's main process is."""

    UNKNOWN = "unknown"  # on another host, or started by hand
    NONE = "none"  # none is wanted: no model is loaded, or a person stopped the unit
    STARTING = "starting"  # it runs and is not ready: our child loads its model, a unit starts
    RUNNING = "running"
    ENDED = "ended"  # it ended, and not by our order


@dataclass(frozen=True, slots=True)
class Process:
    """The main process. `birth` differs after every start, whoever started it.

    `exit` is how the last one ended by itself: the name of a signal or "exit_status_N" of our own
    child, systemd's `Result` of a unit ("exit-code", "signal", "oom-kill", ...).
    """

    life: Life
    pid: int | None = None
    birth: str | None = None
    exit: str | None = None


@dataclass(frozen=True, slots=True)
class Unit:
    """What systemd says of the engine's unit, in systemd's own words."""

    active_state: str
    sub_state: str
    result: str
    restarts: int
    main_pid: int | None
    invocation: str
    has_job: bool
    control_group: str
    is_found: bool

    @property
    def was_stopped_by_a_person(self) -> bool:
        """Say whether it was stopped in good order: what fails is "failed", or starts again."""
        return self.active_state == "inactive" and self.result == "success" and not self.has_job

    @property
    def is_in_other_hands(self) -> bool:
        """Say whether something is being done to it already: wait instead of doing it twice."""
        return self.has_job or self.sub_state == "auto-restart"


@dataclass(frozen=True, slots=True)
class Vitals:
    """Everything seen at one moment; `at` is in seconds of the monotonic clock.

    `liveness` and `inventory` are None where nobody was asked: no model is loaded, or the
    inventory was not wanted. `models` are the names in the engine's memory, `slots` llama.cpp's;
    both None where the inventory brought none.
    """

    at: float
    process: Process
    liveness: Probe | None = None
    inventory: Probe | None = None
    models: tuple[str, ...] | None = None
    slots: tuple[Slot, ...] | None = None
    meters: Meters = field(default_factory=Meters)
    unit: Unit | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an intervention ended, also where it failed: `reason` is a stable word then."""

    seconds: float
    reason: str | None = None

    @property
    def is_done(self) -> bool:
        return self.reason is None
