"""The rows of the queue."""

from couachgptd.control import bodies, shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import queue

VERBS = (
    Verb(
        "control.queue",
        "List the answers being written and those that wait, in order; never what is asked.",
        queue.show,
        shapes.Queue,
    ),
    Verb(
        "control.queue.pause",
        "Begin no more answers, or begin them again; questions are kept meanwhile.",
        queue.hold,
        shapes.Queue,
        bodies.Switch,
    ),
    Verb(
        "control.queue.cancel",
        "End an answer, or take it out of the queue.",
        queue.cancel,
        shapes.TurnAnswer,
    ),
)
