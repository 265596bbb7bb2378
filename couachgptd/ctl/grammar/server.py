"""The verbs of the daemon itself."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import seconds, verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_to(verbs: Any) -> None:
    restart = verb(
        verbs, "restart", "couachgptd.ctl.server:restart",
        _("restart the daemon; open pages come back by themselves, no question is lost"),
    )  # fmt: skip
    restart.add_argument("--no-wait", action="store_true", help=_("do not wait until it is back"))
    _add_within(restart)
    drain = verb(
        verbs, "drain", "couachgptd.ctl.server:drain",
        _("end the daemon once the answers under way are written"),
        _("No question is taken meanwhile; those that wait are kept for the next start."),
    )  # fmt: skip
    _add_within(drain)


def _add_within(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--within", metavar="SECONDS", type=seconds,
        help=_("how long they have (default: server.drain_seconds; 600 at most)"),
    )  # fmt: skip
