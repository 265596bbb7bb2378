"""Which silence of which part keeps us from saying that we live."""

import pytest

from couachgptd.core.heartbeat import ALLOWED, BEATS, silent_parts

WATCHDOG_SECONDS = 30.0


def test_parts_that_are_all_heard_of_are_a_sign_of_life() -> None:
    lately = {"loop": 0.1, "writer": 10, "scheduler": 1, "watchdog": 5, "listener": 12}

    assert silent_parts(lately, WATCHDOG_SECONDS) == ()


@pytest.mark.parametrize(
    ("part", "seconds"),
    [("loop", 5), ("writer", 20), ("scheduler", 20), ("watchdog", 60), ("listener", 60)],
)
def test_one_silent_part_is_enough(part: str, seconds: float) -> None:
    others = dict.fromkeys(ALLOWED, 0.0)

    assert silent_parts(others | {part: seconds}, WATCHDOG_SECONDS) == ()
    assert silent_parts(others | {part: seconds + 0.1}, WATCHDOG_SECONDS) == (part,)


@pytest.mark.parametrize("part", ALLOWED)
def test_a_part_that_has_not_begun_is_not_late(part: str) -> None:
    assert silent_parts({part: float("-inf")}, WATCHDOG_SECONDS) == ()


def test_a_loop_that_is_a_little_late_misses_no_beat() -> None:
    """What is forgiven once must not add up to the whole time."""
    assert 1 / BEATS + ALLOWED["loop"] < 1
