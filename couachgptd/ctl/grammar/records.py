"""The verbs of what is written down: the audit log, the figures, the ratings."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import count, example, group, verb
from couachgptd.ctl.moments import beginning, end
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

MOST_ENTRIES = 500
MOST_DAYS = 3650
RANGES = ("1h", "24h", "7d")


def add_to(verbs: Any) -> None:
    audit = group(verbs, "audit", _("who changed what, and when"))
    entries = verb(
        audit, "ls", "couachgptd.ctl.records:audit",
        _("list the changes, newest first"),
        _("In a file or a pipe, each is one line.")
        + "\n\n"
        + example("audit ls --verb user. --since 2d"),
    )  # fmt: skip
    _add_filter(entries)
    entries.add_argument(
        "--limit", metavar="N", type=count(MOST_ENTRIES),
        help=_("how many at most (default: 50; 500 at most)"),
    )  # fmt: skip
    entries.add_argument(
        "--before", metavar="ID", type=count(2**63 - 1),
        help=_("only those older than this one, as the page before told"),
    )  # fmt: skip
    as_csv = verb(
        audit, "csv", "couachgptd.ctl.records:audit_csv",
        _("write them as CSV, 50000 at most, for a spreadsheet"),
        example("audit csv --since 2026-11-01 > audit.csv"),
    )  # fmt: skip
    _add_filter(as_csv)
    samples = verb(
        verbs, "samples", "couachgptd.ctl.records:samples",
        _("how processor, memory, speed, queue and wait went; drawn on a terminal"),
        example("samples --range 24h"),
    )  # fmt: skip
    samples.add_argument(
        "--range", metavar="1h|24h|7d", choices=RANGES, default="1h",
        help=_("how far back (default: 1h)"),
    )  # fmt: skip

    ratings = verb(
        verbs, "ratings", "couachgptd.ctl.records:ratings",
        _("how many thumbs up and down the answers of each model got"),
        _("Counted without names. A word that somebody wrote with a thumb is shown to nobody.")
        + "\n\n"
        + example("ratings --days 7"),
    )  # fmt: skip
    ratings.add_argument(
        "--days", metavar="N", type=count(MOST_DAYS), default=30,
        help=_("how far back (default: 30)"),
    )  # fmt: skip


def _add_filter(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--actor", metavar="WHO", help=_("how who did it begins: a login, uid:0"))
    add("--verb", metavar="WHAT", help=_("how what was done begins: user., db.restore"))
    add(
        "--since", metavar="WHEN", type=beginning,
        help=_("from when on: 2d (two days ago), 03:00, 2026-11-23, 2026-11-23T03:00"),
    )  # fmt: skip
    add("--until", metavar="WHEN", type=end, help=_("until when, written the same way"))
    add("--text", metavar="TEXT", help=_("what is anywhere in the entry"))
