"""The address where people find us: opened by us, or held by systemd and handed over to us."""

import asyncio
import os
import socket
import ssl
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from couachgptd.settings import Server

FIRST = 3  # SD_LISTEN_FDS_START
VARIABLES = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
BACKLOG = 512


class PortTaken(Exception):
    """Nobody can listen there; the text says why."""


@contextmanager
def opened_listeners(server: Server) -> Generator[list[socket.socket]]:
    """Open the listener, or take over those that systemd holds; then `server` does not count.

    Do this first: whoever calls during the start then waits instead of being refused. systemd's
    are even open while we are not there. Raises PortTaken.
    """
    with ExitStack() as stack:
        inherited = _inherited()
        opened = inherited or [_opened(server.host, server.port)]
        yield [stack.enter_context(each) for each in opened]


def address_of(listener: socket.socket, certificate: ssl.SSLContext | None) -> str:
    """Return how people write the address of a listener."""
    scheme = "http" if certificate is None else "https"
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 -- only shown
        host = socket.gethostname()
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


async def knock(listener: socket.socket, *, with_tls: bool) -> None:
    """Ask our own listener how it is, as anybody would. Raises OSError, EOFError."""
    tls = None
    if with_tls:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        tls.check_hostname = False  # its names are people's, not this machine's own
        tls.verify_mode = ssl.CERT_NONE
    host, port = listener.getsockname()[:2]
    reader, writer = await asyncio.open_connection(_here(listener, host), port, ssl=tls)
    try:
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        line = await reader.readuntil(b"\r\n")
    finally:
        writer.close()
    if b" 200 " not in line:
        raise OSError(f"the listener answered {line!r}")


def _here(listener: socket.socket, host: str) -> str:
    """Return where this machine reaches a listener: not by IPv6, which may be switched off."""
    if host == "::" and listener.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
        return "::1"
    return "127.0.0.1" if host in ("::", "0.0.0.0") else str(host)  # noqa: S104 -- looked up


def _opened(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, UnicodeError) as error:  # UnicodeError: no name at all
        reason = getattr(error, "strerror", None) or error
        raise PortTaken(f"server.host {host}, server.port {port}: {reason}") from None


def _inherited() -> list[socket.socket]:
    """Return the listeners that systemd passed to this very process, once only.

    Neither we nor our children shall take them for theirs later. Raises PortTaken.
    """
    pid, count, _ = (os.environ.pop(name, "") for name in VARIABLES)
    if pid != str(os.getpid()):
        return []
    return [_listener(number) for number in range(FIRST, FIRST + int(count))]


def _listener(number: int) -> socket.socket:
    try:
        os.set_inheritable(number, False)  # noqa: FBT003 -- the standard library's signature
        found = socket.socket(fileno=number)
        listens = found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise PortTaken(f"couachgptd.socket: {error.strerror}") from None
    if found.family not in (socket.AF_INET, socket.AF_INET6) or not listens:
        raise PortTaken(f"couachgptd.socket: {found.getsockname()} is no TCP listener")
    found.setblocking(False)  # noqa: FBT003 -- the standard library's signature
    return found
