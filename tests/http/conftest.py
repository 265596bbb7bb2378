"""The daemons that the tests of the web speak to."""

from tests.daemon_fixtures import daemon, fresh, make_daemon, ollama, shared_ollama

__all__ = ["daemon", "fresh", "make_daemon", "ollama", "shared_ollama"]
