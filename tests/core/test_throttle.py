"""How often somebody may try."""

import pytest

from couachgptd.core import throttle
from couachgptd.core.errors import TooManyAttempts
from couachgptd.core.throttle import Throttle


def failing(limit: Throttle, key: str, *times: float) -> None:
    for now in times:
        limit.check(key, now)
        limit.failed(key, now)


def test_as_many_failures_as_allowed_pass_and_the_next_try_is_refused() -> None:
    limit = Throttle(3, 60)
    failing(limit, "a", 0, 1, 2)

    with pytest.raises(TooManyAttempts) as raised:
        limit.check("a", 10)

    assert raised.value.fields == {"retry_seconds": 50}


def test_it_is_allowed_again_once_the_oldest_failure_has_left_the_window() -> None:
    limit = Throttle(3, 60)
    failing(limit, "a", 0, 1, 2)

    limit.check("a", 60)


def test_it_is_never_told_to_come_back_at_once() -> None:
    limit = Throttle(1, 60)
    failing(limit, "a", 0)

    with pytest.raises(TooManyAttempts) as raised:
        limit.check("a", 59.9)

    assert raised.value.fields == {"retry_seconds": 1}


def test_one_key_does_not_count_for_another() -> None:
    limit = Throttle(1, 60)
    failing(limit, "a", 0)

    limit.check("b", 1)


def test_a_success_forgets_the_failures() -> None:
    limit = Throttle(1, 60)
    failing(limit, "a", 0)
    limit.succeeded("a")

    limit.check("a", 1)


def test_one_try_taken_back_leaves_the_others_counted() -> None:
    limit = Throttle(2, 60)
    failing(limit, "a", 0, 1)
    limit.take_back("a")
    failing(limit, "a", 2)

    with pytest.raises(TooManyAttempts):
        limit.check("a", 3)


def test_taking_back_what_was_never_counted_is_nothing() -> None:
    limit = Throttle(2, 60)
    limit.take_back("a")

    limit.check("a", 0)


def test_checking_alone_keeps_nothing_in_memory() -> None:
    limit = Throttle(1, 60)
    limit.check("a", 0)

    assert not limit._failures


def test_many_addresses_do_not_fill_the_memory() -> None:
    limit = Throttle(1, 60)
    for number in range(throttle.KEYS_MAX + 10):
        limit.failed(str(number), 0)

    assert len(limit._failures) == throttle.KEYS_MAX
    with pytest.raises(TooManyAttempts):
        limit.check(str(throttle.KEYS_MAX), 1)
