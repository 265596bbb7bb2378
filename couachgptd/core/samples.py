"""Samples for charts: how they are thinned with age, and how many a chart gets.

A sample is figures by name; None is what could not be had. Every 10 s one is made. Those of a
minute become one of a minute, those of ten minutes one of ten minutes: each is kept for as long
as the chart that shows it is wide.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

Figures = dict[str, float | None]

EVERY = 10
KEPT_SECONDS: Mapping[int, float] = {10: 3600.0, 60: 86_400.0, 600: 604_800.0}
RANGES: Mapping[str, int] = {"1h": 10, "24h": 60, "7d": 600}
POINTS_MOST = 400


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of `span` seconds, which begin at `at`."""

    span: int
    at: datetime
    figures: Figures


@dataclass(slots=True)
class Thinner:
    """Holds what is not yet a whole minute or a whole ten; a restart loses no more than that."""

    _held: dict[int, list[Row]] = field(default_factory=lambda: {60: [], 600: []})

    def add(self, at: datetime, figures: Figures) -> list[Row]:
        """Return what is to be kept now: the sample, and each longer span that ended before it."""
        rows = [Row(EVERY, start_of(at, EVERY), figures)]
        finer = rows
        for span, held in self._held.items():
            begun = start_of(at, span)
            # The finer ones come late: the last minute of ten ends with the ten themselves.
            over = [row for row in (*held, *finer) if start_of(row.at, span) != begun]
            self._held[span] = [row for row in (*held, *finer) if row not in over]
            finer = []
            if over:
                finer = [Row(span, start_of(over[0].at, span), mean([r.figures for r in over]))]
            rows = [*rows, *finer]
        return rows


def start_of(at: datetime, span: int) -> datetime:
    """Return the beginning of the span in which a moment lies."""
    return datetime.fromtimestamp(at.timestamp() // span * span, UTC)


def mean(all_figures: Sequence[Figures]) -> Figures:
    """Return the mean of each figure over those that have it."""
    names = {name: None for figures in all_figures for name in figures}
    return {name: _mean([each.get(name) for each in all_figures]) for name in names}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 3) if known else None


def thinned(rows: Sequence[Row], most: int = POINTS_MOST) -> list[Row]:
    """Return at most so many, each the mean of as many that follow each other."""
    if len(rows) <= most:
        return list(rows)
    share = -(-len(rows) // most)
    groups = [rows[n : n + share] for n in range(0, len(rows), share)]
    return [
        Row(group[0].span * share, group[0].at, mean([each.figures for each in group]))
        for group in groups
    ]


def since_of(range_name: str, now: datetime) -> datetime:
    """Return where a chart begins. Raises KeyError for a range that there is not."""
    return now - timedelta(seconds=KEPT_SECONDS[RANGES[range_name]])
