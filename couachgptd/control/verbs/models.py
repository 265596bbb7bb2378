"""The rows of models."""

from couachgptd.control import shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import models

VERBS = (
    Verb("control.model.list", "List the models of the engine.", models.listed, shapes.ModelList),
)
