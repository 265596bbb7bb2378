"""Rotation of backups: which stay, over gaps and the nights on which the clock is changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.rotation import is_due, is_overdue, last_slot, superfluous

PARIS = ZoneInfo("Europe/Paris")
FIRST, LAST = datetime(2025, 1, 1), datetime(2027, 1, 1)  # noqa: DTZ001 -- hypothesis adds UTC


def nights(count: int, last: datetime) -> list[datetime]:
    return [last - timedelta(days=n) for n in range(count)]


def test_of_two_months_of_nights_seven_days_and_four_weeks_stay() -> None:
    last = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)  # a Sunday
    made = nights(60, last)

    kept = set(made) - superfluous(made, last, UTC)

    days = [datetime(2026, 3, 1, 2, tzinfo=UTC) - timedelta(days=n) for n in range(7)]
    sundays = [datetime(2026, 3, 1, 2, tzinfo=UTC) - timedelta(weeks=n) for n in range(4)]
    assert kept == {*days, *sundays}


def test_of_several_on_one_day_the_newest_stays() -> None:
    morning = datetime(2026, 3, 1, 2, tzinfo=UTC)
    evening = morning + timedelta(hours=18)

    assert superfluous([morning, evening], evening, UTC) == {morning}


def test_a_server_that_was_off_for_months_keeps_what_it_has() -> None:
    old = nights(9, datetime(2026, 1, 10, 2, tzinfo=UTC))  # to the 2nd; the 4th is a Sunday
    new = datetime(2026, 6, 1, 2, tzinfo=UTC)

    assert superfluous([*old, new], new, UTC) == {old[7], old[8]}


@pytest.mark.parametrize(
    "last",
    [
        datetime(2026, 3, 31, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 27, 1, 30, tzinfo=UTC),
    ],
)
def test_the_night_of_23_or_25_hours_is_one_night(last: datetime) -> None:
    """Made at half past two on the wall each night, which are not 24 hours apart."""
    made = []
    for n in range(7):
        day = (last.astimezone(PARIS) - timedelta(days=n)).date()
        local = datetime(day.year, day.month, day.day, 2, 30, tzinfo=PARIS)
        made.append(local.astimezone(UTC))

    assert superfluous(made, last, PARIS) == set()


def test_nothing_made_is_nothing_to_delete() -> None:
    assert superfluous([], LAST.replace(tzinfo=UTC)) == set()


@given(st.sets(st.datetimes(FIRST, LAST, timezones=st.just(UTC)), max_size=60))
def test_the_newest_always_stays_and_never_more_than_eleven(moments: set[datetime]) -> None:
    made, now = list(moments), LAST.replace(tzinfo=UTC)

    kept = set(made) - superfluous(made, now, PARIS)

    assert len(kept) <= 11
    assert not made or max(made) in kept
    assert superfluous(kept, now, PARIS) == set(), "twice is once"


def test_what_is_dated_later_than_now_stays_and_takes_no_place() -> None:
    """A clock was years ahead for a while, and made ten of them."""
    now = datetime(2026, 3, 1, 2, tzinfo=UTC)
    made = nights(60, now)
    ahead = nights(10, datetime(2031, 3, 1, 2, tzinfo=UTC))

    assert superfluous([*ahead, *made], now, UTC) == superfluous(made, now, UTC)


def test_a_night_that_is_yet_to_come_is_no_reason_to_wait_for_it() -> None:
    now = datetime(2026, 1, 10, 9, tzinfo=UTC)

    assert is_due(datetime(2031, 1, 10, 2, tzinfo=UTC), now, 3, PARIS)


def test_one_is_overdue_after_two_days_and_one_of_the_future_does_not_count() -> None:
    now, since = datetime(2026, 1, 10, 9, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    fresh, old = now - timedelta(hours=47), now - timedelta(hours=49)

    assert not is_overdue([old, fresh], since, now)
    assert is_overdue([old, now + timedelta(days=400)], since, now)
    assert is_overdue([], since, now)
    assert not is_overdue([], fresh, now), "there has been no night yet"


def test_one_is_due_once_the_hour_has_passed() -> None:
    before = datetime(2026, 1, 10, 1, 59, tzinfo=UTC)  # 2:59 in Paris
    after = datetime(2026, 1, 10, 2, 1, tzinfo=UTC)
    newest = datetime(2026, 1, 9, 2, 0, 30, tzinfo=UTC)

    assert not is_due(newest, before, 3, PARIS)
    assert is_due(newest, after, 3, PARIS)
    assert not is_due(after, after, 3, PARIS)
    assert is_due(None, before, 3, PARIS)


def test_a_night_that_was_missed_is_made_good() -> None:
    newest = datetime(2026, 1, 5, 2, tzinfo=UTC)

    assert is_due(newest, datetime(2026, 1, 10, 9, tzinfo=UTC), 3, PARIS)


def test_the_hour_that_is_left_out_in_spring_is_due_once() -> None:
    slot = last_slot(datetime(2026, 3, 29, 9, tzinfo=UTC), 2, PARIS)

    assert slot == datetime(2026, 3, 29, 1, tzinfo=UTC)  # when the clock went from 2 to 3


def test_the_hour_that_comes_twice_in_autumn_is_due_once() -> None:
    first = datetime(2026, 10, 25, 0, tzinfo=UTC)  # 2:00 for the first time

    assert last_slot(first + timedelta(minutes=30), 2, PARIS) == first
    assert last_slot(first + timedelta(minutes=90), 2, PARIS) == first


@given(st.datetimes(FIRST, LAST, timezones=st.just(UTC)), st.integers(0, 23))
def test_the_last_slot_is_never_more_than_a_long_day_ago(now: datetime, hour: int) -> None:
    assert timedelta(0) <= now - last_slot(now, hour, PARIS) <= timedelta(hours=25)
