"""Lines of CSV (RFC 4180) that a spreadsheet does not take for formulas, whatever it splits at."""

import re
from collections.abc import Iterable

# At the head of the document: without it Excel takes UTF-8 for the machine's old code page.
HEAD = "\ufeff"

# Where a spreadsheet would begin to calculate, or to run, instead of showing. Where lists are
# separated by `;`, as in French, it splits there, and at tabs and lines, quoted or not; which
# characters end a line differs, so all that Unicode knows do.
_FORMULA = re.compile(
    r'\A(?=[\t\r])|(?:\A|(?<=[;\t\n-\r\x1c-\x1e\x85\u2028\u2029]))(?=[\s"]*[=+\-@])'
)


def csv_line(values: Iterable[object]) -> str:
    """Return one line with its end; what would be a formula gets an apostrophe before it."""
    return ",".join(_field(value) for value in values) + "\r\n"


def _field(value: object) -> str:
    if not isinstance(value, str):
        return "" if value is None else str(value)
    text = _FORMULA.sub("'", value).replace('"', '""')
    return f'"{text}"'
