"""The rows of the daemon itself: its settings, its restart, its logs."""

from couachgptd.control import bodies, shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import server

VERBS = (
    Verb(
        "control.restart",
        "Let the answers under way end, then have the daemon begin anew.",
        server.restart,
        shapes.Ending,
        bodies.Drain,
        status=202,
    ),
    Verb(
        "control.drain",
        "Take no more questions, let the answers under way end, then end the daemon.",
        server.drain,
        shapes.Ending,
        bodies.Drain,
        status=202,
    ),
    Verb(
        "control.config.show",
        "Tell every setting in force and where it comes from; secrets are hidden.",
        server.show_config,
        shapes.Configuration,
    ),
    Verb(
        "control.config.reload",
        "Read the configuration again, take over what can be, and tell what needs a restart.",
        server.reload_config,
        shapes.Reloaded,
    ),
    Verb(
        "control.logs",
        "Tell the last lines of the daemon's log since its start, and each that comes.",
        server.logs,
        shapes.LogEvent,
        query={
            "lines": f"how many: 1 to {server.LINES_MAX}, {server.LINES} by default",
            "follow": "1: go on with each line that comes",
        },
    ),
    Verb(
        "control.engine.logs",
        "Tell the last lines of the engine's journal, where a unit runs it.",
        server.engine_log,
        shapes.LogLines,
        query={"lines": f"how many: 1 to {server.LINES_MAX}, {server.LINES} by default"},
    ),
    Verb(
        "control.events",
        "Tell what is so, then each change: the engine, the queue, who is on line, the end.",
        server.events,
        shapes.Change,
    ),
    Verb(
        "control.dump",
        "Tell what every task and thread is at, for a report of a fault.",
        server.dump,
        shapes.Dump,
    ),
)
