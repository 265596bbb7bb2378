"""The row of the operator's own question."""

from couachgptd.control import bodies, shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import ask

VERBS = (
    Verb(
        "control.ask",
        "Ask a model; a line an event, and closing the connection stops the answer.",
        ask.ask,
        shapes.Event,
        bodies.Question,
    ),
)
