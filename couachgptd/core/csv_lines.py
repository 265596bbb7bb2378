"""Lines of CSV (RFC 4180) that a spreadsheet does not take for formulas."""

from collections.abc import Iterable

# What a spreadsheet would calculate, or run, instead of showing it.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def csv_line(values: Iterable[object]) -> str:
    """Return one line with its end; a text that would be a formula gets an apostrophe before it."""
    return ",".join(_field(value) for value in values) + "\r\n"


def _field(value: object) -> str:
    text = "" if value is None else str(value)
    if isinstance(value, str) and text.startswith(_FORMULAS):
        text = f"'{text}"
    if any(char in text for char in ',"\r\n'):
        text = '"' + text.replace('"', '""') + '"'
    return text
