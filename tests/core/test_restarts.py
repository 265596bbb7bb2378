"""Back-off and budget of restarts."""

from couachgptd.core.budgets import Limits
from couachgptd.core.restarts import DAY_SECONDS, Restarts

LIMITS = Limits()


def test_the_back_off_grows_to_a_bound() -> None:
    restarts, delays = Restarts(), []
    for now in range(5):
        delays.append(restarts.delay(LIMITS, chance=0.5))
        restarts = restarts.ordered(now)

    assert delays == [0, 30, 120, 300, 300]


def test_the_back_off_is_spread_by_a_tenth() -> None:
    once = Restarts().ordered(0)

    assert once.delay(LIMITS, chance=0.0) == 27
    assert once.delay(LIMITS, chance=1.0) == 33


def test_three_in_a_quarter_of_an_hour_are_all() -> None:
    restarts = Restarts().ordered(0).ordered(100).ordered(200)

    assert restarts.are_spent(899, LIMITS)
    assert not restarts.are_spent(900, LIMITS)


def test_eight_in_a_day_are_all() -> None:
    restarts = Restarts()
    for number in range(8):
        assert not restarts.are_spent(number * 3600, LIMITS)
        restarts = restarts.ordered(number * 3600)

    assert restarts.are_spent(8 * 3600, LIMITS)
    assert not restarts.are_spent(DAY_SECONDS, LIMITS)


def test_a_whole_answer_ends_the_back_off_only_after_a_while() -> None:
    once = Restarts().ordered(0)

    assert once.answered(1799, LIMITS) == once
    assert once.answered(1800, LIMITS).delay(LIMITS, chance=0.5) == 0
    assert once.answered(1800, LIMITS).at == (0,)


def test_a_try_once_all_is_spent_is_not_of_the_budget() -> None:
    assert Restarts().retried(0).at == ()
    assert Restarts().retried(0).delay(LIMITS, chance=0.5) == 30


def test_the_budget_outlives_a_clock_that_starts_anew() -> None:
    saved_at, off_seconds, now = 5100.0, 300.0, 10.0
    document = Restarts().ordered(5000.0).document()

    restored = Restarts.of(document, now - saved_at, off_seconds)

    assert [now - each for each in restored.at] == [100.0 + off_seconds]
