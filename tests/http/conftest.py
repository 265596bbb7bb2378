"""The daemons that the tests of the web speak to."""

from tests.daemon_fixtures import (
    another,
    chief,
    daemon,
    fresh,
    make_daemon,
    ollama,
    shared_ollama,
    site,
    someone,
)

__all__ = [
    "another",
    "chief",
    "daemon",
    "fresh",
    "make_daemon",
    "ollama",
    "shared_ollama",
    "site",
    "someone",
]
