"""The rows of models."""

from couachgptd.control import bodies, shapes
from couachgptd.control.verb import Verb
from couachgptd.services.operator import models

VERBS = (
    Verb("control.model.list", "List the models of the engine.", models.listed, shapes.ModelList),
    Verb(
        "control.model.fit",
        "Say whether a model fits this machine, one that is to be downloaded, too.",
        models.fit,
        shapes.Fit,
    ),
    Verb(
        "control.model.pull",
        "Have the engine download a model; closing the connection ends the download.",
        models.pull,
        shapes.PullEvent,
    ),
    Verb(
        "control.starter.list",
        "List the catalogue's starter models, and whether this engine can have each.",
        models.starters,
        shapes.StarterList,
    ),
    Verb(
        "control.starter.fetch",
        "Fetch a starter model, one at a time; closing the connection ends the download.",
        models.fetch,
        shapes.PullEvent,
    ),
    Verb("control.model.rm", "Delete a model's file.", models.delete, shapes.ModelList),
    Verb(
        "control.model.load",
        "Bring a model into memory, and the others out, while no answer is being written.",
        models.load,
        shapes.ModelList,
    ),
    Verb("control.model.unload", "Drop a model from memory.", models.unload, shapes.ModelList),
    Verb(
        "control.model.default",
        "Have this model answer where none is named, whatever the configuration says.",
        models.set_default,
        shapes.ModelList,
    ),
    Verb(
        "control.model.set",
        "Change who is offered a model, and how it answers.",
        models.change,
        shapes.ModelList,
        bodies.ModelChange,
    ),
)
