"""What is learned of a model's speed and of the length of its answers."""

import random
from math import log
from statistics import fmean, pvariance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.pace import MEMORY, Moments, Pace, Spread
from couachgptd.core.turns import Timings

ANSWER = Timings(
    prompt_tokens=300,
    cached_tokens=100,
    answer_tokens=50,
    load_seconds=8.0,
    read_seconds=2.0,
    write_seconds=5.0,
)


def test_what_is_seen_again_and_again_is_learned_whatever_was_guessed() -> None:
    draw = random.Random(1)  # noqa: S311 -- not a secret
    spread = Spread(log(1))
    for _ in range(1000):
        spread.learn(draw.lognormvariate(log(200), 0.5))

    assert spread.log_mean == pytest.approx(log(200), abs=0.1)
    assert spread.log_variance == pytest.approx(0.25, abs=0.07)
    assert spread.weight == MEMORY


def test_a_machine_that_became_slower_is_noticed() -> None:
    spread = Spread(log(10))
    for seconds in [10.0] * 500 + [30.0] * 500:
        spread.learn(seconds)

    assert spread.moments.mean == pytest.approx(30, rel=0.1)


@pytest.mark.parametrize("value", [1, 50, 200, 1000])
def test_what_is_left_of_an_answer_is_what_was_left_of_such_answers(value: float) -> None:
    draw = random.Random(2)  # noqa: S311 -- not a secret
    drawn = (draw.lognormvariate(log(200), 0.6) for _ in range(100_000))
    left = [length - value for length in drawn if length > value]

    found = Spread(log(200), 0.36).beyond(value)

    assert found.mean == pytest.approx(fmean(left), rel=0.1)
    assert found.variance == pytest.approx(pvariance(left), rel=0.3)


@given(st.floats(-5, 10), st.floats(0, 4), st.floats(1e-3, 1e6))
def test_what_is_left_is_never_less_than_nothing(
    log_mean: float, log_variance: float, value: float
) -> None:
    found = Spread(log_mean, log_variance).beyond(value)

    assert found.mean >= 0
    assert found.variance >= 0


def test_the_moments_of_a_product_and_of_a_sum() -> None:
    one, other = Moments(2, 1), Moments(3, 4)

    assert one.plus(other) == (5, 5)
    assert one.times(other) == (6, 1 * 4 + 1 * 9 + 4 * 4)
    assert one.scaled(3) == (6, 9)


def test_reading_is_learned_from_the_tokens_that_had_to_be_read() -> None:
    pace = Pace.first_guess()
    for _ in range(500):
        pace.learn(ANSWER, loads=False)

    assert pace.before_writing(1000, loads=False).mean == pytest.approx(10, rel=0.1)
    assert pace.writing().mean == pytest.approx(5, rel=0.1)


def test_a_load_is_learned_only_where_there_was_one() -> None:
    pace = Pace.first_guess()
    pace.learn(ANSWER, loads=False)
    assert pace.load == Pace.first_guess().load

    pace.learn(ANSWER, loads=True)

    assert pace.load.weight == Pace.first_guess().load.weight + 1


def test_what_the_engine_does_not_tell_is_left_as_it_was() -> None:
    pace = Pace.first_guess()
    pace.learn(Timings(), loads=True)

    assert pace == Pace.first_guess()


def test_a_pace_can_be_kept() -> None:
    pace = Pace.first_guess()
    pace.learn(ANSWER, loads=True)

    assert Pace.from_json(pace.to_json()) == pace
