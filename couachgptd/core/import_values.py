"""Values from a stranger's file, which may be anything: each is what it should be, or nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from couachgptd.core.conversations import OWN_TITLE_MAX_LENGTH

MODEL_MAX_LENGTH = 120
LATEST = 1e20  # past any time in any unit

Json = Mapping[str, Any]


def objects_of(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """Return a text that can be kept: halves of pairs and NUL are not of any."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "").encode("utf-8", "replace").decode()


def key_of(value: Any) -> str | None:
    if type(value) is int:
        return str(value) if abs(value) < 2**63 else None
    return text_of(value) or None


def model_of(value: Any) -> str | None:
    return " ".join(text_of(value).split())[:MODEL_MAX_LENGTH] or None


def title_of(value: Any) -> str:
    shown = "".join(char if char.isprintable() else " " for char in text_of(value))
    return " ".join(shown.split())[:OWN_TITLE_MAX_LENGTH].strip()


# Seconds since 1970, or finer units where the number is too large for those.
_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))


def time_of(value: Any) -> datetime | None:
    if type(value) not in (int, float) or not 0 < value < LATEST:
        return None
    seconds = value / next((unit for least, unit in _UNITS if value >= least), 1.0)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_time_of(value: Any) -> datetime | None:
    try:
        at = datetime.fromisoformat(text_of(value))
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
