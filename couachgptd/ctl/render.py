"""How things look on a terminal: tables, sizes, durations, colours, and nothing dangerous."""

from __future__ import annotations

import os
import re
import sys

from couachgptd.ctl.texts import _, decimal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TextIO

# What a terminal obeys instead of showing: C0 and C1 controls, and the marks that turn the
# direction of writing. A model's answer or a person's name must not move the cursor.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
NARROWEST, WIDEST = 40, 100
INDENT = "    "


def columns() -> int:
    """Return how wide a text may be on this terminal."""
    try:
        columns = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size(1).columns
    except (ValueError, OSError):
        try:
            columns = os.get_terminal_size(1).columns
        except OSError:
            columns = 80
    return max(NARROWEST, min(columns - 2, WIDEST))


def safe(text: object) -> str:
    """Return the text with what would steer a terminal shown as �."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", str(text))


def is_terminal(stream: TextIO) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def is_colourful(stream: TextIO) -> bool:
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def bold(text: str, stream: TextIO | None = None) -> str:
    return _coloured(text, "1", stream)


def dim(text: str, stream: TextIO | None = None) -> str:
    return _coloured(text, "2", stream)


def red(text: str, stream: TextIO | None = None) -> str:
    return _coloured(text, "31", stream)


def green(text: str, stream: TextIO | None = None) -> str:
    return _coloured(text, "32", stream)


def yellow(text: str, stream: TextIO | None = None) -> str:
    return _coloured(text, "33", stream)


def _coloured(text: str, code: str, stream: TextIO | None) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if is_colourful(stream or sys.stdout) else text


def width(text: str) -> int:
    """Return how many columns a terminal takes for the text."""
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width

    return sum(
        0 if category(char) in {"Mn", "Me", "Cf"} else 2 if east_asian_width(char) in "WF" else 1
        for char in text
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return aligned columns; those numbered in `right` stand to the right."""
    cells = [[safe(cell) for cell in row] for row in (head, *rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(head))]
    lines = []
    for row in cells:
        padded = [
            " " * (widths[n] - width(cell)) + cell
            if n in right
            else cell + " " * (widths[n] - width(cell))
            for n, cell in enumerate(row)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join([bold(lines[0]), *lines[1:]])


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Return names and their values, the values aligned."""
    longest = max(width(name) for name, _value in rows)
    return "\n".join(
        f"{name}{' ' * (longest - width(name))}  {line}".rstrip()
        for first, value in rows
        for name, line in zip((first, *[""] * value.count("\n")), value.split("\n"), strict=True)
    )


def headed(head: str, figures: Mapping[str, object]) -> str:
    """Return a line for a program; for a person the figures stand below, within the terminal."""
    told = safe(" ".join(f"{name}={_figure(value)}" for name, value in figures.items()))
    if not is_terminal(sys.stdout):
        return "  ".join([safe(head), told]).rstrip()
    from textwrap import wrap

    lines = wrap(
        told, columns(), initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False
    )
    return "\n".join([bold(safe(head)), *map(dim, lines)])


def _figure(value: object) -> str:
    """Return a value so that one sees where it ends."""
    return value if isinstance(value, str) and " " not in value else as_json(value, indent=None)


def size(count: float | None) -> str:
    """Return a number of bytes in the unit that suits it, powers of 1000."""
    if count is None:
        return "?"
    if count < 1000:  # noqa: PLR2004 -- a kilobyte
        return _("{number} B").format(number=f"{count:.0f}")
    for text in (_("{number} kB"), _("{number} MB"), _("{number} GB"), _("{number} TB")):
        count /= 1000
        if count < 999.95 or text == _("{number} TB"):  # noqa: PLR2004 - shown as 1000.0
            return text.format(number=decimal(count))
    raise AssertionError


def duration(seconds: float) -> str:
    """Return a length of time by its two largest units."""
    whole = int(seconds)
    if whole < _MINUTE:
        return _("{n} s").format(n=whole)
    if whole < _HOUR:
        return _("{n} min {m} s").format(n=whole // _MINUTE, m=f"{whole % _MINUTE:02d}")
    if whole < _DAY:
        return _("{n} h {m} min").format(n=whole // _HOUR, m=f"{whole % _HOUR // _MINUTE:02d}")
    return _("{n} d {m} h").format(n=whole // _DAY, m=whole % _DAY // _HOUR)


def moment(text: str, to: str = "minutes") -> str:
    """Return an ISO 8601 moment by the local clock, to the minute; what is none stays as it is."""
    from datetime import datetime

    form = "%Y-%m-%d %H:%M:%S" if to == "seconds" else "%Y-%m-%d %H:%M"
    try:
        return f"{datetime.fromisoformat(text).astimezone():{form}}"
    except ValueError:
        return text


def as_json(value: object, *, indent: int | None = 2) -> str:
    """Return JSON that this terminal can write: beyond UTF-8, every other letter as an escape."""
    import json

    return json.dumps(value, ensure_ascii=sys.stdout.encoding.lower() != "utf-8", indent=indent)
