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
)
