"""Moments as people type them: a date, an hour, or how long from now; in the local time."""

import argparse

from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

UNITS = {"m": 60, "h": 3600, "d": 86_400}


def beginning(text: str) -> str:
    """Return a moment of the past in ISO 8601; of a day, its beginning."""
    return _read(text, is_ahead=False, is_end=False).isoformat()


def end(text: str) -> str:
    """Return a moment of the past in ISO 8601; of a day, its end."""
    return _read(text, is_ahead=False, is_end=True).isoformat()


def ahead(text: str) -> str:
    """Return a moment to come in ISO 8601; of a day, its end."""
    from datetime import datetime

    moment = _read(text, is_ahead=True, is_end=True)
    if moment <= datetime.now().astimezone():
        raise argparse.ArgumentTypeError(_("{moment} is over already").format(moment=text))
    return moment.isoformat()


def _read(text: str, *, is_ahead: bool, is_end: bool) -> "datetime":
    from datetime import date, datetime, time, timedelta

    now = datetime.now().astimezone()
    try:
        if text[-1:] in UNITS:
            span = timedelta(seconds=int(text[:-1]) * UNITS[text[-1]])
            return now + span if is_ahead else now - span
        if len(text) <= len("00:00:00"):
            moment = datetime.combine(now, time.fromisoformat(text))
            if is_ahead and moment.astimezone() <= now:
                moment += timedelta(days=1)
            elif not is_ahead and moment.astimezone() > now:
                moment -= timedelta(days=1)
            return moment.astimezone()
        if len(text) == len("2026-11-23"):
            clock = time.max if is_end else time.min
            return datetime.combine(date.fromisoformat(text), clock).astimezone()
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            _("{text} is none of 2h, 3d, 03:00, 2026-11-23, 2026-11-23T03:00").format(text=text)
        ) from None
