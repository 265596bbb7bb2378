"""The rows of what is kept: the database, backups, the audit."""

from couachgptd.control.verb import Verb

VERBS: tuple[Verb, ...] = ()
