"""Which nightly backups are kept, and when the next one is due.

Days are those of the calendar on the wall: a night of 23 or 25 hours is one night. `zone` None is
the machine's own.
"""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta, tzinfo

DAILY = 7
WEEKLY = 4
OVERDUE = timedelta(hours=48)


def superfluous(
    made: Collection[datetime],
    now: datetime,
    zone: tzinfo | None = None,
    *,
    daily: int = DAILY,
    weekly: int = WEEKLY,
) -> set[datetime]:
    """Return the backups that may go: the newest of each of the last days and weeks stays.

    Only days and weeks that have a backup count: a server that was off for a month, or that could
    make none, still has as many. Those of the kept days count for their weeks, too. What a clock
    that was wrong dated later than `now` stays as well, and takes no other's place.
    """
    newest_first = sorted((each for each in made if each <= now), reverse=True)
    days: dict[object, datetime] = {}
    weeks: dict[object, datetime] = {}
    for moment in newest_first:
        local = moment.astimezone(zone)
        days.setdefault(local.date(), moment)
        weeks.setdefault(local.isocalendar()[:2], moment)
    kept = {*list(days.values())[:daily], *list(weeks.values())[:weekly]}
    return set(newest_first) - kept


def is_due(newest: datetime | None, now: datetime, hour: int, zone: tzinfo | None = None) -> bool:
    """Say whether the last time the clock showed `hour` passed without a backup.

    One that is later than `now` is the word of a clock that was wrong: it counts for nothing.
    """
    return newest is None or newest > now or newest < last_slot(now, hour, zone)


def is_overdue(made: Collection[datetime], since: datetime, now: datetime) -> bool:
    """Say whether no backup is of the last two days; `since` is when one would have been begun."""
    newest = max((each for each in made if each <= now), default=since)
    return now - newest > OVERDUE


def last_slot(now: datetime, hour: int, zone: tzinfo | None = None) -> datetime:
    """Return the newest moment, in UTC, at which the clock on the wall showed `hour`.

    In the night in which that hour is left out, it is the moment in which it would have been; in
    the one in which it comes twice, its first.
    """
    today = now.astimezone(zone).date()
    for day in (today, today - timedelta(days=1)):
        slot = datetime.combine(day, time(hour), zone).astimezone(UTC)
        if slot <= now:
            return slot
    return now.astimezone(UTC)  # a zone whose date has just been set back
