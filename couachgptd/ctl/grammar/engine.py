"""The verbs of the engine and its watchdog."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import add_lines, count, group, verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MOST_INCIDENTS = 2000


def add_to(verbs: Any) -> None:
    engine = group(verbs, "engine", _("look at the engine, start, stop and restart it"))
    verb(
        engine, "show", "couachgptd.ctl.engine:show",
        _("all that is known of it: where, how, which models, what it uses"),
    )  # fmt: skip
    verb(
        engine, "start", "couachgptd.ctl.engine:start",
        _("start it again after a stop"),
    )  # fmt: skip
    verb(
        engine, "stop", "couachgptd.ctl.engine:stop",
        _("stop it; the watchdog leaves it stopped, and questions are kept"),
        _(
            "Answers under way are cut, keep what they wrote, and are taken up again after a start."
            " Only a person starts it again: `engine start`, or systemctl start ollama."
        ),
    )  # fmt: skip
    verb(
        engine, "restart", "couachgptd.ctl.engine:restart",
        _("restart it; what it was answering is tried again"),
    )  # fmt: skip
    verb(
        engine, "unload", "couachgptd.ctl.engine:unload",
        _("drop every model from its memory; the next question loads its own again"),
    )  # fmt: skip
    logs = verb(
        engine, "logs", "couachgptd.ctl.watching:engine_logs",
        _("the last lines of the engine's journal, where a unit runs it"),
    )  # fmt: skip
    add_lines(logs)
    help_text = _("list what happened to the engine, newest first, with the figures")
    incidents = verb(
        engine, "incidents", "couachgptd.ctl.engine:incidents", help_text,
        _(
            "Each with when, from which state to which, and the figures that led to it. The daily"
            " life of an engine that is well is left out. In a file or a pipe, each is one line."
        ),
    )  # fmt: skip
    incidents.add_argument(
        "--limit",
        metavar="N",
        type=count(MOST_INCIDENTS),
        help=_("how many at most (default: 200)"),
    )
    verb(
        engine, "reset", "couachgptd.ctl.engine:reset",
        _("say that it is mended: forget its failures, restarts and quarantines"),
        _(
            "The count of its restarts, and the questions and models that were set aside, are"
            " forgotten, and the queue goes on as soon as it answers."
        ),
    )  # fmt: skip
    help_text = _("leave the engine alone and let questions wait, while you work on it")
    maintenance = verb(
        engine, "maintenance", "couachgptd.ctl.engine:maintenance", help_text,
        _(
            "With on, no new answer is begun, and whatever becomes of the engine, the watchdog only"
            " looks on. Questions are kept. It ends with off, or by itself after"
            " watchdog.maintenance_max_seconds."
        ),
    )  # fmt: skip
    maintenance.add_argument(
        "switch",
        choices=("on", "off"),
        metavar="on|off",
        help=_("on ends by itself, after 30 minutes where nothing else is set"),
    )
