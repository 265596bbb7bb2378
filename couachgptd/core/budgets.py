"""How long each phase of an answer may be silent: set limits, and what this machine has taught."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from couachgptd.core.turns import Timings

READ_RATE_PERCENT = 10  # Ollama counts cached tokens as read: only slow reads tell the truth
LOAD_PERCENT = 95
SAMPLES_KEPT = 32  # of each kind, for each model
MODELS_KEPT = 64
GAP_WEIGHT = 0.2  # of the newest answer in the moving mean
LEAST_READ_SECONDS = 1.0  # a shorter read came from the cache, or is too short to be measured
MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class Limits:
    """Every bound of the watchdog: the `[watchdog]` section, with the defaults of the note's 1.4.

    *Soft*: silence that arouses suspicion; *hard*: silence after which we act although the CPU
    is busy. `min` and `max` bound what is learned. Cores are CPU seconds per second.
    """

    load_soft_min_seconds: float = 60.0
    load_hard_seconds: float = 330.0  # without reading or growing: OLLAMA_LOAD_TIMEOUT + 30
    load_first_megabytes_per_second: float = 50.0  # a first load, from a slow disk
    read_soft_min_seconds: float = 60.0
    read_hard_min_seconds: float = 600.0  # 400 s of honest reading must never be cut
    read_hard_max_seconds: float = 3600.0
    read_first_tokens_per_second: float = 8.0  # a model that has not been read with yet
    gap_soft_min_seconds: float = 30.0
    gap_soft_max_seconds: float = 120.0
    gap_soft_mean_factor: float = 20.0
    drain_soft_min_seconds: float = 30.0
    drain_batch_tokens: int = 512  # an engine sees that it was cancelled between two batches
    total_min_seconds: float = 600.0
    total_max_seconds: float = 7200.0
    expected_factor: float = 2.0  # soft = this × what was learned (load, read)
    hard_factor: float = 3.0  # hard = this × soft (read, gap, drain); total = this × expected

    confirm_seconds: float = 15.0  # a suspicion is watched this long before it is a verdict
    confirm_samples: int = 3
    still_below_cores: float = 0.05
    busy_above_cores: float = 0.5
    drained_below_cores: float = 0.2
    # With none of our requests open; one thread never passes 1.0. Of an engine that is not our own
    # child it counts only while it never fell since an attempt of ours was cut.
    spin_above_cores: float = 0.9
    moving_megabytes_per_second: float = 1.0  # read from disk, or memory growth
    thrashing_above_percent: float = 10.0  # memory.pressure, full
    probe_failures: int = 3
    pause_seconds: float = 5.0  # our own loop late, or the machine asleep

    grace_seconds: float = 20.0  # no verdict after a restart, or a pause of our own
    foreign_grace_seconds: float = 120.0  # after a restart by somebody else
    start_seconds: float = 60.0  # to answer a first probe
    cancel_seconds: float = 10.0  # to free the slot when the CPU is already idle
    unload_seconds: float = 20.0
    restart_seconds: float = 45.0
    unloads_in_a_row: int = 2  # without one whole answer: then the next hang is a restart
    backoff_first_seconds: float = 30.0  # 0, 30, 120, 300, 300 ...
    backoff_factor: float = 4.0
    backoff_max_seconds: float = 300.0
    restarts_in_window: int = 3
    restarts_window_seconds: float = 900.0
    restarts_in_day: int = 8
    retry_seconds: float = 1800.0  # one more try at this interval once it has failed
    settled_seconds: float = 1800.0  # a whole answer this long after a restart ends the back-off
    maintenance_max_seconds: float = 1800.0

    turn_strikes: int = 2  # kills and hangs that one turn was part of
    model_failed_loads: int = 3
    model_hung_loads: int = 2


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds of silence: from `soft` on it is suspect, from `hard` on we act."""

    soft: float
    hard: float


@dataclass(frozen=True, slots=True)
class Rates:
    """What this machine has taught of one model, the newest last.

    `read_rates` are tokens/s, `load_seconds` whole loads, `gap_seconds` the mean between tokens.
    """

    read_rates: tuple[float, ...] = ()
    load_seconds: tuple[float, ...] = ()
    gap_seconds: float | None = None

    def learned(self, timings: Timings) -> Self:
        """Take in one whole answer, by the engine's own figures."""
        rates, loads, gap = self.read_rates, self.load_seconds, self.gap_seconds
        read_tokens = (timings.prompt_tokens or 0) - (timings.cached_tokens or 0)
        if read_tokens > 0 and (timings.read_seconds or 0.0) >= LEAST_READ_SECONDS:
            rates = (*rates, read_tokens / (timings.read_seconds or 1.0))[-SAMPLES_KEPT:]
        if (timings.load_seconds or 0.0) >= LEAST_READ_SECONDS:
            loads = (*loads, timings.load_seconds or 0.0)[-SAMPLES_KEPT:]
        if rate := timings.tokens_per_second:
            gap = 1 / rate if gap is None else gap + GAP_WEIGHT * (1 / rate - gap)
        return type(self)(rates, loads, gap)

    def load(self, model_bytes: int | None, limits: Limits) -> Budget:
        """Silence here is a stall: movement on disk or in memory starts it anew.

        The hard part has room for a read: Ollama does not say when it passes from one to the other.
        """
        if self.load_seconds:
            expected = limits.expected_factor * percentile(self.load_seconds, LOAD_PERCENT)
            soft = max(limits.load_soft_min_seconds, expected)
        else:
            disk = limits.load_first_megabytes_per_second * MEGABYTE
            soft = limits.load_soft_min_seconds + (model_bytes or 0) / disk
        return Budget(soft, max(limits.load_hard_seconds, soft))

    def read(self, tokens: int, limits: Limits) -> Budget:
        """Return the budget for `tokens` of the prompt that are still to be read."""
        expected = limits.expected_factor * tokens / self._read_rate(limits)
        soft = min(max(limits.read_soft_min_seconds, expected), limits.read_hard_max_seconds)
        hard = max(limits.read_hard_min_seconds, limits.hard_factor * soft)
        return Budget(soft, min(hard, max(soft, limits.read_hard_max_seconds)))

    def gap(self, limits: Limits) -> Budget:
        expected = limits.gap_soft_mean_factor * (self.gap_seconds or 0.0)
        soft = min(max(limits.gap_soft_min_seconds, expected), limits.gap_soft_max_seconds)
        return Budget(soft, limits.hard_factor * soft)

    def drain(self, limits: Limits) -> Budget:
        batch = limits.drain_batch_tokens / self._read_rate(limits)
        soft = max(limits.drain_soft_min_seconds, batch)
        return Budget(soft, limits.hard_factor * soft)

    def writing_seconds(self, max_tokens: int, limits: Limits) -> float:
        """Return how long writing may take in all; longer is a runaway."""
        if self.gap_seconds is None:
            return limits.total_max_seconds
        expected = limits.hard_factor * max_tokens * self.gap_seconds
        return min(max(limits.total_min_seconds, expected), limits.total_max_seconds)

    def _read_rate(self, limits: Limits) -> float:
        if not self.read_rates:
            return limits.read_first_tokens_per_second
        return percentile(self.read_rates, READ_RATE_PERCENT)

    def document(self) -> dict[str, Any]:
        return {
            "read_rates": list(self.read_rates),
            "load_seconds": list(self.load_seconds),
            "gap_seconds": self.gap_seconds,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            read_rates=tuple(document["read_rates"]),
            load_seconds=tuple(document["load_seconds"]),
            gap_seconds=document["gap_seconds"],
        )


def learned(rates: Mapping[str, Rates], model: str, timings: Timings) -> dict[str, Rates]:
    """Return the rates of all models after one more answer; the longest unused are forgotten."""
    others = [(name, each) for name, each in rates.items() if name != model]
    return dict([*others, (model, rates.get(model, Rates()).learned(timings))][-MODELS_KEPT:])


def percentile(samples: Sequence[float], percent: int) -> float:
    """Return the sample that `percent` of the others do not exceed; of few, the outer one."""
    ordered = sorted(samples)
    place = (len(ordered) - 1) * percent / 100
    return ordered[int(place) if percent < 50 else -int(-place // 1)]  # noqa: PLR2004 -- the middle
