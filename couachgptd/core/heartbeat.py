"""Whether we may say that we live: each of our parts has lately done what it is there for.

How the engine is has no part in this: the daemon must live to tell that it is ill.
"""

from collections.abc import Mapping
from typing import Final

# How long each part may be silent, as a share of the time after which systemd ends us (30 s).
ALLOWED: Final[Mapping[str, float]] = {
    "loop": 1 / 6,  # the event loop: how late it was just now
    "writer": 2 / 3,  # the thread that writes the store
    "scheduler": 2 / 3,  # what keeps growing answers and starts turns
    "watchdog": 2.0,  # the look at the engine, which may itself take some seconds
    "listener": 2.0,  # a request of our own, through the door that people use
}
BEATS = 3  # in that time


def silent_parts(silent_seconds: Mapping[str, float], watchdog_seconds: float) -> tuple[str, ...]:
    """Return the parts of which nothing was heard for too long: one is enough to say nothing."""
    return tuple(
        part
        for part, seconds in silent_seconds.items()
        if seconds > ALLOWED[part] * watchdog_seconds
    )
