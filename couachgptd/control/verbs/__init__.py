"""The operator's table: every verb of the control socket, area by area."""

from couachgptd.control.verb import Verb
from couachgptd.control.verbs import ask, data, engine, models, people, queue, server, site, status

VERBS: tuple[Verb, ...] = (
    *status.VERBS,
    *people.VERBS,
    *models.VERBS,
    *queue.VERBS,
    *engine.VERBS,
    *data.VERBS,
    *server.VERBS,
    *site.VERBS,
    *ask.VERBS,
)
