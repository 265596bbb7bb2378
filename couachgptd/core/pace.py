"""What one model costs on this machine, learned from its answers: to load, to read, to write.

All four quantities are positive and of unknown scale, so each is held as a lognormal: the mean and
the variance of its logarithm, forgetting slowly (West, 1979). That is three numbers each, whatever
the number of answers, and it gives in closed form what a forecast needs: mean and variance, also
of what is left of an answer of which so much is already written.
"""

from dataclasses import dataclass
from math import erfc, exp, expm1, log, sqrt
from typing import Any, NamedTuple, Self

from couachgptd.core.turns import Timings

MEMORY = 200.0  # observations; what is older fades
TRUSTED = 3.0  # how many observations a first guess is worth
FEWEST_TOKENS = 16  # a rate over fewer tokens is noise
TAIL = 6.0  # standard deviations; beyond it a tail is exponential, and erfc nearly nothing


class Moments(NamedTuple):
    """The mean of a quantity, and its variance."""

    mean: float
    variance: float

    def times(self, other: "Moments") -> "Moments":
        """Return the moments of the product with an independent quantity."""
        return Moments(
            self.mean * other.mean,
            self.variance * other.variance
            + self.variance * other.mean**2
            + other.variance * self.mean**2,
        )

    def scaled(self, factor: float) -> "Moments":
        return Moments(self.mean * factor, self.variance * factor**2)

    def plus(self, other: "Moments") -> "Moments":
        """Return the moments of the sum with an independent quantity."""
        return Moments(self.mean + other.mean, self.variance + other.variance)


@dataclass(slots=True)
class Spread:
    """A positive quantity seen again and again, as a lognormal."""

    log_mean: float
    log_variance: float = 1.0
    weight: float = TRUSTED

    def learn(self, value: float) -> None:
        self.weight = min(self.weight + 1, MEMORY)
        share = 1 / self.weight
        error = log(value) - self.log_mean
        self.log_mean += share * error
        self.log_variance = (1 - share) * (self.log_variance + share * error**2)

    @property
    def moments(self) -> Moments:
        mean = exp(self.log_mean + self.log_variance / 2)
        return Moments(mean, mean**2 * expm1(self.log_variance))

    def beyond(self, value: float) -> Moments:
        """Return the moments of what is left, given that it is more than `value`."""
        spread = sqrt(self.log_variance) + 1e-6
        depth = (log(value) - self.log_mean) / spread
        if depth > TAIL:
            rest = value * spread / depth
            return Moments(rest, rest**2)
        above = erfc(depth / sqrt(2))
        first, second = (
            exp(power * self.log_mean + power**2 * self.log_variance / 2)
            * erfc((depth - power * spread) / sqrt(2))
            / above
            for power in (1, 2)
        )
        return Moments(max(first - value, 0.0), max(second - first**2, 0.0))

    def guess(self) -> "Spread":
        """Return a first guess at the same quantity of another model."""
        return Spread(self.log_mean, max(self.log_variance, 1.0), min(self.weight, TRUSTED))


@dataclass(slots=True)
class Pace:
    """Seconds to load, seconds to read and to write a token, tokens of an answer.

    The first guess is a small model on a few cores.
    """

    load: Spread
    read: Spread
    write: Spread
    answer: Spread

    @classmethod
    def first_guess(cls) -> Self:
        return cls(
            load=Spread(log(10)), read=Spread(log(0.02)), write=Spread(log(0.1)),
            answer=Spread(log(200)),
        )  # fmt: skip

    def learn(self, timings: Timings, *, loads: bool) -> None:
        """Learn from one attempt; what the engine does not tell is left as it was."""
        if loads and timings.load_seconds:
            self.load.learn(timings.load_seconds)
        read_tokens = (timings.prompt_tokens or 0) - (timings.cached_tokens or 0)
        if timings.read_seconds and read_tokens >= FEWEST_TOKENS:
            self.read.learn(timings.read_seconds / read_tokens)
        if timings.answer_tokens:
            self.answer.learn(timings.answer_tokens)
            if timings.write_seconds and timings.answer_tokens >= FEWEST_TOKENS:
                self.write.learn(timings.write_seconds / timings.answer_tokens)

    def before_writing(self, prompt_tokens: int, *, loads: bool) -> Moments:
        """Return the seconds until the first token is written."""
        reading = self.read.moments.scaled(prompt_tokens)
        return reading.plus(self.load.moments) if loads else reading

    def writing(self, written_tokens: int = 0) -> Moments:
        """Return the seconds that an answer of which so much is written still takes."""
        tokens = self.answer.beyond(written_tokens) if written_tokens else self.answer.moments
        return tokens.times(self.write.moments)

    def guess(self) -> "Pace":
        return Pace(*(spread.guess() for spread in self._spreads()))

    def _spreads(self) -> tuple[Spread, ...]:
        return self.load, self.read, self.write, self.answer

    def to_json(self) -> list[list[float]]:
        return [[each.log_mean, each.log_variance, each.weight] for each in self._spreads()]

    @classmethod
    def from_json(cls, kept: Any) -> Self:
        load, read, write, answer = (Spread(*map(float, each)) for each in kept)
        return cls(load, read, write, answer)
