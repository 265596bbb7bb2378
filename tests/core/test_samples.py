"""Samples for charts: thinned with age without losing what they mean."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.samples import (
    KEPT_SECONDS,
    POINTS_MOST,
    RANGES,
    Row,
    Thinner,
    mean,
    since_of,
    start_of,
    thinned,
)

START = datetime(2026, 1, 10, 12, 0, 3, tzinfo=UTC)


def run(thinner: Thinner, seconds: int, value: float = 1.0, start: datetime = START) -> list[Row]:
    """Return all that is kept of a sample every ten seconds."""
    return [
        row
        for n in range(0, seconds, 10)
        for row in thinner.add(start + timedelta(seconds=n), {"cores": value})
    ]


def test_each_sample_is_kept_at_the_beginning_of_its_ten_seconds() -> None:
    (row,) = Thinner().add(START, {"cores": 2.0})

    assert row == Row(10, datetime(2026, 1, 10, 12, 0, 0, tzinfo=UTC), {"cores": 2.0})


def test_a_minute_that_ended_becomes_one_with_its_mean() -> None:
    thinner = Thinner()
    for n in range(6):
        assert [r.span for r in thinner.add(START + timedelta(seconds=10 * n), {"cores": n})] == [
            10
        ]

    rows = thinner.add(START + timedelta(seconds=60), {"cores": 100.0})

    assert rows[1:] == [Row(60, datetime(2026, 1, 10, 12, 0, tzinfo=UTC), {"cores": 2.5})]


def test_an_hour_keeps_sixty_minutes_and_six_tens_of_them() -> None:
    rows = run(Thinner(), 2 * 3600)

    assert [sum(row.span == span for row in rows) for span in (10, 60, 600)] == [720, 119, 11]
    assert {row.figures["cores"] for row in rows} == {1.0}


def test_a_pause_of_hours_makes_no_minutes_that_never_were() -> None:
    thinner = Thinner()
    run(thinner, 60)

    rows = thinner.add(START + timedelta(hours=5), {"cores": 3.0})

    assert [(row.span, row.at) for row in rows] == [
        (10, start_of(START + timedelta(hours=5), 10)),
        (60, start_of(START, 60)),
        (600, start_of(START, 600)),
    ]


def test_a_mean_leaves_out_what_could_not_be_had() -> None:
    assert mean([{"a": 1.0, "b": None}, {"a": None, "b": None}, {"a": 2.0}]) == {
        "a": 1.5,
        "b": None,
    }


@given(st.integers(0, 2000))
def test_a_chart_gets_at_most_its_points_in_order_over_the_whole_range(count: int) -> None:
    rows = [Row(10, START + timedelta(seconds=10 * n), {"n": float(n)}) for n in range(count)]

    points = thinned(rows)

    assert len(points) <= POINTS_MOST
    assert [row.at for row in points] == sorted(row.at for row in points)
    if rows:
        assert points[0].at == rows[0].at
        assert len(points) * points[0].span >= count * 10


@pytest.mark.parametrize("name", RANGES)
def test_each_range_is_kept_as_long_as_it_is_wide(name: str) -> None:
    assert (START - since_of(name, START)).total_seconds() == KEPT_SECONDS[RANGES[name]]
