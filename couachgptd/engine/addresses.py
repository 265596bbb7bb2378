"""Says where an engine's address leads."""

from urllib.parse import urlsplit


def is_on_this_machine(url: str) -> bool:
    """Say whether an address is a loopback one, where the engine has our memory and our CPU."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")
