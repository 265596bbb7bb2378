"""The rows of what is looked at."""

from couachgptd.control import shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import status

VERBS = (
    Verb(
        "control.status",
        "Tell how the daemon, its engine and its queue are.",
        status.status,
        shapes.Status,
    ),
)
