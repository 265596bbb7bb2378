"""Learned budgets: what they start from, what teaches them, and that they stay small."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.budgets import (
    MODELS_KEPT,
    SAMPLES_KEPT,
    Budget,
    Limits,
    Rates,
    learned,
    percentile,
)
from couachgptd.core.turns import Timings

LIMITS = Limits()
seconds = st.floats(0.001, 1e5)


def test_a_first_load_is_judged_by_the_size_of_its_file() -> None:
    assert Rates().load(10_000_000_000, LIMITS) == Budget(soft=260, hard=330)
    assert Rates().load(None, LIMITS).soft == 60


def test_a_first_read_is_judged_by_a_slow_rate() -> None:
    assert Rates().read(4000, LIMITS) == Budget(soft=1000, hard=3000)
    assert Rates().read(10, LIMITS) == Budget(soft=60, hard=600)


def test_a_read_is_judged_by_the_slowest_tenth() -> None:
    rates = Rates(read_rates=tuple(float(rate) for rate in range(10, 31)))

    assert rates.read(6000, LIMITS).soft == pytest.approx(2 * 6000 / 12)


@pytest.mark.parametrize(("gap", "soft"), [(None, 30), (0.3, 30), (3.0, 60), (20.0, 120)])
def test_a_gap_is_judged_by_the_mean_within_bounds(gap: float | None, soft: float) -> None:
    assert Rates(gap_seconds=gap).gap(LIMITS) == Budget(soft, 3 * soft)


@pytest.mark.parametrize(("gap", "whole"), [(None, 7200), (0.01, 600), (1.0, 3072), (20.0, 7200)])
def test_a_whole_answer_is_judged_by_three_times_its_expected_time(
    gap: float | None, whole: float
) -> None:
    assert Rates(gap_seconds=gap).writing_seconds(1024, LIMITS) == whole


def test_a_read_out_of_the_cache_teaches_nothing() -> None:
    cached = Timings(prompt_tokens=4000, read_seconds=0.1)

    assert Rates().learned(cached) == Rates()


def test_only_what_was_not_cached_counts_as_read() -> None:
    timings = Timings(prompt_tokens=1000, cached_tokens=900, read_seconds=10.0)

    assert Rates().learned(timings).read_rates == (10.0,)


def test_of_few_samples_the_outer_one_counts() -> None:
    assert percentile([3.0, 1.0, 2.0], 10) == 1.0
    assert percentile([3.0, 1.0, 2.0], 95) == 3.0


@given(st.lists(st.tuples(st.integers(0, 200), seconds, seconds, seconds), max_size=300))
def test_what_is_learned_stays_small_and_comes_back_equal(
    answers: list[tuple[int, float, float, float]],
) -> None:
    rates: dict[str, Rates] = {}
    for model, load, read, write in answers:
        timings = Timings(100, 0, 50, load_seconds=load, read_seconds=read, write_seconds=write)
        rates = learned(rates, f"model-{model}", timings)

    assert len(rates) <= MODELS_KEPT
    for each in rates.values():
        assert len(each.read_rates) <= SAMPLES_KEPT
        assert len(each.load_seconds) <= SAMPLES_KEPT
        assert Rates.of(each.document()) == each


@given(
    st.lists(st.floats(1e-3, 1e5), max_size=40),
    st.lists(seconds, max_size=40),
    st.none() | seconds,
    st.integers(0, 200_000),
)
def test_a_hard_budget_is_never_below_its_soft_one(
    reads: list[float], loads: list[float], gap: float | None, tokens: int
) -> None:
    rates = Rates(tuple(reads), tuple(loads), gap)

    for each in (
        rates.load(tokens * 1000, LIMITS),
        rates.read(tokens, LIMITS),
        rates.gap(LIMITS),
        rates.drain(LIMITS),
    ):
        assert 0 < each.soft <= each.hard
