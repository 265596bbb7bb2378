"""The rows of the engine and its watchdog."""

from couachgptd.control import shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import engine

VERBS = (
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
        shapes.Switch,
    ),
)
