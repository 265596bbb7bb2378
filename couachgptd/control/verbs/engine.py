"""The rows of the engine and its watchdog."""

from couachgptd.control import bodies, shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import engine

VERBS = (
    Verb(
        "control.engine.show",
        "Tell all that is known of the engine, as the watchdog last saw it.",
        engine.show,
        shapes.EngineDetail,
    ),
    Verb(
        "control.engine.start",
        "Start the engine again after a stop.",
        engine.start,
        shapes.EngineAnswer,
    ),
    Verb(
        "control.engine.stop",
        "Stop the engine; questions are kept, and only a person starts it again.",
        engine.stop,
        shapes.EngineAnswer,
    ),
    Verb(
        "control.engine.restart",
        "Restart the engine; what it was answering is tried again.",
        engine.restart,
        shapes.EngineAnswer,
    ),
    Verb(
        "control.engine.unload",
        "Drop every model from the engine's memory.",
        engine.unload,
        shapes.Unloaded,
    ),
    Verb(
        "control.engine.incidents",
        "List what happened to the engine, newest first, with the figures.",
        engine.incidents,
        shapes.IncidentList,
        query={
            "limit": f"how many at most: 1 to {engine.INCIDENTS_MAX}, {engine.INCIDENTS} by default"
        },
    ),
    Verb(
        "control.engine.reset",
        "Forget the engine's failures, restarts and quarantines: it is mended.",
        engine.reset,
        shapes.EngineAnswer,
    ),
    Verb(
        "control.engine.maintenance",
        "Leave the engine alone and let questions wait, or end that.",
        engine.set_maintenance,
        shapes.EngineAnswer,
        bodies.Switch,
    ),
)
