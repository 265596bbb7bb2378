"""The rows of the daemon itself: its settings, its restart, its logs."""

from couachgptd.control.verb import Verb

VERBS: tuple[Verb, ...] = ()
