"""Reads the fields of a socket's request; one that is not as it should be raises BadRequest."""

from datetime import UTC, datetime
from typing import Any

from couachgptd.core.errors import BadRequest

Json = dict[str, Any]


def text(request: Json, name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise BadRequest(reason=name)
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a pair: neither a socket nor the store could take it
        raise BadRequest(reason=name) from None
    return value


def number(request: Json, name: str) -> int:
    value = request.get(name)
    # SQLite's integers have 64 bits; a longer one would be a fault of ours further down.
    if type(value) is not int or not 0 <= value < 2**63:
        raise BadRequest(reason=name)
    return value


def optional_text(request: Json, name: str) -> str | None:
    return None if request.get(name) is None else text(request, name)


def optional_number(request: Json, name: str) -> int | None:
    return None if request.get(name) is None else number(request, name)


def flag(request: Json, name: str) -> bool:
    value = request.get(name)
    if not isinstance(value, bool):
        raise BadRequest(reason=name)
    return value


def record(request: Json, name: str) -> Json:
    value = request.get(name)
    if not isinstance(value, dict):
        raise BadRequest(reason=name)
    return value


def moment(request: Json, name: str) -> datetime:
    """Read a moment as `wire.moment` writes it."""
    try:
        value = datetime.fromisoformat(text(request, name))
        return value.astimezone(UTC)
    except (ValueError, OverflowError):  # no moment, or one before the first or after the last
        raise BadRequest(reason=name) from None
