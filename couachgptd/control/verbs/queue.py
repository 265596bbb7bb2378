"""The rows of the queue."""

from couachgptd.control import shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import queue

VERBS = (
    Verb(
        "control.queue",
        "List the answers being written and those that wait, in order; never what is asked.",
        queue.show,
        shapes.Queue,
    ),
)
