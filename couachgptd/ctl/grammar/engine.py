"""The verbs of the engine and its watchdog."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import count, group, verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_INCIDENTS = 2000


def add_to(verbs: Any) -> None:
    engine = group(verbs, "engine", _("what happened to the engine, and what to do about it"))
    help_text = _("list what happened to the engine, newest first, with the figures")
    incidents = verb(engine, "incidents", "couachgptd.ctl.engine:incidents", help_text)
    incidents.add_argument(
        "--limit",
        metavar="N",
        type=count(MOST_INCIDENTS),
        help=_("how many at most (default: 200)"),
    )
    verb(
        engine, "reset", "couachgptd.ctl.engine:reset",
        _("say that it is mended: forget its failures, restarts and quarantines"),
    )  # fmt: skip
    help_text = _("leave the engine alone and let questions wait, while you work on it")
    maintenance = verb(engine, "maintenance", "couachgptd.ctl.engine:maintenance", help_text)
    maintenance.add_argument(
        "switch",
        choices=("on", "off"),
        metavar="on|off",
        help=_("on ends by itself, after 30 minutes where nothing else is set"),
    )
