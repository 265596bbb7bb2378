"""Which daemon is meant: from the options, the environment or the configuration to a client."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from couachgptd import paths
from couachgptd.control.client import REQUEST_SECONDS, ControlClient
from couachgptd.control.routes import API
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from couachgptd.settings import Config

ENVIRONMENT = "COUACHGPT_SOCKET"


def settings(arguments: "Namespace") -> "Config":
    """Return the configuration that --config names, else the system's. Raises ConfigError."""
    from couachgptd import config

    return config.load(None if arguments.config is None else Path(arguments.config))


def socket_path(arguments: "Namespace") -> Path:
    given = arguments.socket or os.environ.get(ENVIRONMENT)
    if given:
        return Path(given)
    if arguments.config is None and os.path.exists(paths.SYSTEM_SOCKET):  # noqa: PTH110 -- it never raises
        return paths.SYSTEM_SOCKET  # nobody needs to read, for half of our time, where it is
    if arguments.config is None and _is_hidden(paths.SYSTEM_CONFIG):
        # It may hold secrets, so it is root's and the daemon's; the socket has groups besides.
        return paths.SYSTEM_SOCKET
    from couachgptd.config import ConfigError

    try:
        return settings(arguments).control_socket
    except ConfigError:
        if arguments.config is not None:
            raise
        return paths.SYSTEM_SOCKET  # nobody listens there; that is told with the mistake


def _is_hidden(path: Path) -> bool:
    return path.exists() and not os.access(path, os.R_OK)


@contextmanager
def connected(arguments: "Namespace") -> Iterator[ControlClient]:
    """Give a client for one command; say so when the daemon is of another version."""
    client = ControlClient(
        socket_path(arguments),
        timeout_seconds=arguments.timeout or REQUEST_SECONDS,
        start_wait_seconds=arguments.wait,
    )
    try:
        yield client
    finally:
        if theirs := client.other_api:
            text = _(
                "The daemon speaks version {theirs} of the control protocol, this is {ours}."
            ).format(theirs=theirs, ours=API)
            print(f"couachgptctl: {text}", file=sys.stderr)
