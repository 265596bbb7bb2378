"""Work that takes a while: who waits for it is shown that it goes on, and for how long."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from couachgptd.ctl import render
from couachgptd.ctl.connection import connected
from couachgptd.ctl.failures import CommandFailed
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import Any

WORK_SECONDS = 3600.0  # a large database or model on a slow disk; the daemon has limits of its own
CHANGE_SECONDS = 120.0  # for a daemon that ends, or comes back
POLL_SECONDS = 0.5
SHOWN_AFTER_SECONDS = 0.5


@contextmanager
def shown(text: str, about_seconds: float | None = None) -> Iterator[None]:
    """Say on a terminal what is going on and since when, as long as the block runs.

    `about_seconds` is how long it took the last time, where that is known.
    """
    if not render.is_terminal(sys.stderr):
        yield
        return
    ended = threading.Event()
    began = time.monotonic()

    def tick() -> None:
        drawn = False
        while not ended.wait(SHOWN_AFTER_SECONDS):
            seconds = render.duration(time.monotonic() - began)
            if about_seconds is not None:
                whole = render.duration(about_seconds)
                seconds = _("{passed} of about {whole}").format(passed=seconds, whole=whole)
            print(f"\r\x1b[K{text} {seconds}", end="", file=sys.stderr, flush=True)
            drawn = True
        if drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def patient(arguments: "Namespace") -> "Namespace":
    """Let the call take as long as such work may, where nobody said otherwise."""
    arguments.timeout = arguments.timeout or WORK_SECONDS
    return arguments


def wait_until(
    arguments: "Namespace",
    is_so: "Callable[[Any], bool]",
    text: str,
    limit: float = CHANGE_SECONDS,
) -> "dict[str, Any] | None":
    """Ask for the status again and again until it is as wanted; None is that of no daemon.

    --timeout says more than `limit`, seconds. Raises CommandFailed, code 6.
    """
    from couachgptd.control.client import ControlClientError, DaemonNotRunning
    from couachgptd.ctl import exits

    limit = arguments.timeout or limit
    give_up_at = time.monotonic() + limit
    with shown(text):
        while True:
            failure: ControlClientError | None = None
            try:
                with connected(arguments) as client:
                    status: dict[str, Any] = client.call("control.status")
                if is_so(status):
                    return status
            except DaemonNotRunning as error:
                if is_so(None):
                    return None
                failure = error
            except ControlClientError as error:  # it is on its way down, or up
                failure = error
            if time.monotonic() >= give_up_at:
                if failure is not None:
                    raise failure
                raise CommandFailed(
                    _("It has not come about within {duration}; it goes on.").format(
                        duration=render.duration(limit)
                    ),
                    hint=_("`couachgptctl status` says how far it is."),
                    exit_code=exits.TIMED_OUT,
                    code="timed_out",
                    fields={"seconds": limit},
                )
            time.sleep(POLL_SECONDS)
