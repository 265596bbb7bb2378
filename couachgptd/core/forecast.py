"""How long each waiting turn will wait: a range whose upper end holds nine times in ten.

The queue rehearses its own decisions; along that order the seconds of each turn (`core.pace`) are
summed by their means and variances, and the sum is taken for a lognormal (Fenton, 1960; Wilkinson).
That leaves out whoever comes later and goes first, and every way in which the machine is not as
assumed. So the announced quantiles are shifted by what became true: each time a turn starts, the
quantile that was too low goes up, one that was high enough goes down a little, such that they rest
where the share of misses is the wanted one (quantile tracking: Angelopoulos, Candes & Tibshirani,
2023). No assumption about the lengths of answers is needed for that to hold in the long run.

Those who come later pass mostly a turn whose asker has others before it: each number of own turns
before has a shift of its own, with a first guess, so that it also holds on the first day.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, log, log1p, sqrt
from typing import Any, NamedTuple, Self

from couachgptd.core.ids import TurnId
from couachgptd.core.pace import Moments, Pace
from couachgptd.core.queue import Queue, Running
from couachgptd.core.turns import Timings

MODELS_KEPT = 50
SHORTEST_SECONDS = 1.0  # a shorter wait is none; logarithms need an end
OWN_BEFORE = 3  # that many turns of one's own before it, or more, are one case
STEP = 0.1  # how fast a shift of the logarithm follows what became true

# Seconds as people say them.
SPOKEN = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 420, 600, 900, 1200, 1800, 2700, 3600)
HOUR = SPOKEN[-1]


class Expected(NamedTuple):
    """What a turn is expected to cost: tokens to read and write, and seconds without a load."""

    tokens: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """What is announced of a waiting turn: seconds that half, and that nine in ten will not exceed.

    `place` is how many of those that wait will start before it.
    """

    place: int
    median_seconds: float
    p90_seconds: float


@dataclass(frozen=True, slots=True)
class _Announced:
    """What was first announced of a turn, to be judged when it starts."""

    at: float
    own_before: int
    wait: Wait


@dataclass(slots=True)
class _Shifts:
    """How far a quantile of a logarithm is shifted by what became true, for each case."""

    share: float
    deviations: float  # of a normal: where the quantile is without a shift
    of_case: list[float]

    def seconds(self, log_mean: float, log_spread: float, own_before: int) -> float:
        return exp(log_mean + self.deviations * log_spread + self.of_case[own_before])

    def learn(self, own_before: int, *, is_missed: bool) -> None:
        self.of_case[own_before] += STEP * (self.share - (not is_missed))


class Forecast:
    """Learns from each turn that starts or ends; in bounded memory."""

    def __init__(self) -> None:
        self._any = Pace.first_guess()
        self._paces: dict[str, Pace] = {}
        cases = range(OWN_BEFORE + 1)
        self._median = _Shifts(0.5, 0.0, [0.2 * own for own in cases])
        self._p90 = _Shifts(0.9, 1.2816, [0.15 + 0.3 * own for own in cases])
        self._announced: dict[TurnId, _Announced] = {}

    def pace(self, model: str) -> Pace:
        """Return what is known of a model, or a guess from the others."""
        return self._paces.get(model) or self._any.guess()

    def expect(self, model: str, prompt_tokens: int) -> Expected:
        """Return the cost of a turn that will have to read so many tokens."""
        pace = self.pace(model)
        seconds = pace.before_writing(prompt_tokens, loads=False).plus(pace.writing())
        return Expected(prompt_tokens + pace.answer.moments.mean, seconds.mean)

    def learn(self, model: str, timings: Timings, *, loads: bool) -> None:
        """Learn from a turn that ended; `loads` says that the model was loaded for it."""
        pace = self._paces.pop(model, None) or self._any.guess()
        self._paces[model] = pace  # the last one used is the last to be forgotten
        if len(self._paces) > MODELS_KEPT:
            del self._paces[next(iter(self._paces))]
        pace.learn(timings, loads=loads)
        self._any.learn(timings, loads=loads)

    def started(self, turn: TurnId, now: float) -> None:
        """Judge what was first announced of a turn by the time that it really waited."""
        announced = self._announced.pop(turn, None)
        if announced is None:
            return
        waited, case = now - announced.at, announced.own_before
        self._median.learn(case, is_missed=waited > announced.wait.median_seconds)
        self._p90.learn(case, is_missed=waited > announced.wait.p90_seconds)

    def forget_announced(self) -> None:
        """What was announced will not be judged: something else than the queue holds it up."""
        self._announced = {}

    def waits(self, queue: Queue, written: Mapping[TurnId, int], now: float) -> dict[TurnId, Wait]:
        """Return what to announce of each waiting turn.

        `written` are the tokens that each running turn has written so far.
        """
        ends: dict[TurnId | None, Moments] = {None: Moments(0.0, 0.0)}
        for turn, running in queue.running.items():
            ends[turn] = self._left(running, written.get(turn, 0), now)
        left = {turn: end.mean for turn, end in ends.items() if turn is not None}
        services: dict[TurnId, Moments] = {}
        own = Counter(running.waiting.asker for running in queue.running.values())
        waits: dict[TurnId, Wait] = {}
        first_announced: dict[TurnId, _Announced] = {}
        starts = queue.rehearse(now, left, lambda running: services[running.waiting.turn].mean)
        for place, start in enumerate(starts):
            waiting, until = start.running.waiting, ends[start.after]
            services[waiting.turn] = self._whole(start.running)
            ends[waiting.turn] = until.plus(services[waiting.turn])
            case = min(own[waiting.asker], OWN_BEFORE)
            own[waiting.asker] += 1
            wait = waits[waiting.turn] = self._wait(place, until, case)
            first_announced[waiting.turn] = self._announced.get(
                waiting.turn, _Announced(now, case, wait)
            )
        self._announced = first_announced
        return waits

    def _wait(self, place: int, until: Moments, own_before: int) -> Wait:
        log_mean, log_spread = _lognormal(until)
        median = self._median.seconds(log_mean, log_spread, own_before)
        p90 = self._p90.seconds(log_mean, log_spread, own_before)
        return Wait(place, min(median, p90), p90)

    def _whole(self, running: Running) -> Moments:
        """Return the seconds that a turn will take from its start."""
        pace = self.pace(running.waiting.model)
        before = pace.before_writing(running.waiting.prompt_tokens, loads=running.loads)
        return before.plus(pace.writing())

    def _left(self, running: Running, written: int, now: float) -> Moments:
        """Return the seconds that a running turn will still take."""
        pace = self.pace(running.waiting.model)
        if written:
            return pace.writing(written)
        before = pace.before_writing(running.waiting.prompt_tokens, loads=running.loads)
        passed = now - running.began_at
        return Moments(max(before.mean - passed, 0.0), before.variance).plus(pace.writing())

    # how it is kept

    def to_json(self) -> dict[str, Any]:
        """Return what was learned: some kilobytes at most."""
        return {
            "any": self._any.to_json(),
            "models": {model: pace.to_json() for model, pace in self._paces.items()},
            "median": self._median.of_case,
            "p90": self._p90.of_case,
        }

    @classmethod
    def from_json(cls, kept: Any) -> Self:
        """Take up what was kept. Raises KeyError, TypeError or ValueError where it is damaged."""
        forecast = cls()
        forecast._any = Pace.from_json(kept["any"])
        forecast._paces = {
            str(model): Pace.from_json(pace) for model, pace in kept["models"].items()
        }
        for shifts, name in ((forecast._median, "median"), (forecast._p90, "p90")):
            for case, shift in zip(range(OWN_BEFORE + 1), kept[name], strict=True):
                shifts.of_case[case] = float(shift)
        return forecast


def _lognormal(total: Moments) -> tuple[float, float]:
    """Return mean and standard deviation of the logarithm of a sum (Fenton-Wilkinson)."""
    mean = max(total.mean, SHORTEST_SECONDS)
    log_variance = log1p(total.variance / mean**2)
    return log(mean) - log_variance / 2, sqrt(log_variance)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A range as people say it, in seconds: "between 20 s and 1 min"."""

    low_seconds: int
    high_seconds: int


def spoken(wait: Wait, before: Spoken | None = None) -> Spoken:
    """Round outwards to what people say; keep what was said before while it is true and near.

    Near is one step, so that a wait that moves about a step does not flicker.
    """
    low, high = _at_most(wait.median_seconds), _at_least(wait.p90_seconds)
    if before is not None:
        if before.low_seconds <= low <= _at_least(before.low_seconds + 1):
            low = before.low_seconds
        if high <= before.high_seconds <= _at_least(high + 1):
            high = before.high_seconds
    return Spoken(low, high)


def _at_most(seconds: float) -> int:
    if seconds >= HOUR:
        return int(seconds // HOUR) * HOUR
    index = bisect_right(SPOKEN, seconds)
    return SPOKEN[index - 1] if index else 0


def _at_least(seconds: float) -> int:
    if seconds > HOUR:
        return -int(-seconds // HOUR) * HOUR
    return SPOKEN[bisect_left(SPOKEN, seconds)]
