"""Serves the control socket within bounds: who opens it and says nothing takes it from nobody."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from socket import socket
from typing import cast

from aiohttp import web

from couachgptd.control.peer import Peer, peer_of
from couachgptd.core import wire
from couachgptd.core.errors import TooManyConnections

log = logging.getLogger(__name__)

CONNECTIONS_MAX = 128  # as many people and programs do not run one machine
# Whoever watches must not keep out who acts: what these leave of the whole is root's.
ONE_MAX = 16  # of one user of the machine who is neither root nor the daemon's
OTHERS_MAX = 48  # of all of those
OWN_MAX = 64  # of the daemon itself, which is the admin page
BACKLOG = 1024  # one that is full refuses the next at once, be it ours
HEAD_SECONDS = 5.0  # a request's head is a packet on this machine
HEAD_MAX_BYTES = 65_536  # more than aiohttp takes: it says so
IDLE_SECONDS = 15.0  # between two requests of one connection
HEAD_ENDS = (b"\r\n\r\n", b"\n\n")
_REFUSAL = json.dumps({"error": wire.error(TooManyConnections())}).encode()
REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_REFUSAL), _REFUSAL)
)


@asynccontextmanager
async def serving_control(
    app: web.Application, listener: socket, close_seconds: float
) -> AsyncGenerator[None]:
    """Serve for as long as the block; then let what is under way go on for `close_seconds`."""
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=close_seconds, keepalive_timeout=IDLE_SECONDS
    )
    await runner.setup()
    try:
        door = Door(runner)
        server = await asyncio.get_running_loop().create_server(
            door.newcomer, sock=listener, backlog=BACKLOG
        )
        yield
        server.close()
        door.close()
    finally:
        await runner.cleanup()


class Door:
    """Lets in whose request has a whole head; of too many, whoever has said nothing longest goes.

    aiohttp itself waits for a first request for ever, and takes any number of connections.
    """

    def __init__(self, runner: web.AppRunner) -> None:
        self._runner = runner
        self._waiting: dict[Newcomer, None] = {}  # the oldest first
        self._served: dict[asyncio.Transport, Peer] = {}
        self._is_crowded = False

    def newcomer(self) -> asyncio.Protocol:
        return Newcomer(self)

    def came(self, newcomer: "Newcomer") -> None:
        self._waiting[newcomer] = None
        served = self._runner.server.connections if self._runner.server else []
        is_crowded = len(self._waiting) + len(served) > CONNECTIONS_MAX
        if is_crowded:
            oldest = sorted(self._waiting, key=lambda each: each.is_privileged)  # keeps their order
            oldest[0].send_away()
        if is_crowded and not self._is_crowded:
            log.warning("too many control connections", extra={"at_most": CONNECTIONS_MAX})
        self._is_crowded = is_crowded

    def gone(self, newcomer: "Newcomer") -> None:
        self._waiting.pop(newcomer, None)

    def let_in(self, newcomer: "Newcomer", transport: asyncio.Transport, said: bytes) -> None:
        """Hand a connection over to aiohttp, with what was said so far."""
        self.gone(newcomer)
        if self._runner.server is None:  # it has been closed meanwhile
            transport.abort()
            return
        peer = peer_of(transport.get_extra_info("socket"))
        self._served = {each: of for each, of in self._served.items() if not each.is_closing()}
        if not self._has_seat(peer):
            log.warning("control connection refused: too many", extra={"uid": peer.uid})
            transport.write(REFUSAL)
            transport.close()
            return
        self._served[transport] = peer
        handler = self._runner.server()
        transport.set_protocol(handler)
        handler.connection_made(transport)
        handler.data_received(said)

    def _has_seat(self, peer: Peer) -> bool:
        if peer.is_ourselves:
            return sum(each.is_ourselves for each in self._served.values()) < OWN_MAX
        if peer.is_privileged:
            return True
        others = [each.uid for each in self._served.values() if not each.is_privileged]
        return others.count(peer.uid) < ONE_MAX and len(others) < OTHERS_MAX

    def close(self) -> None:
        for newcomer in list(self._waiting):
            newcomer.send_away()


class Newcomer(asyncio.Protocol):
    """A connection until its first request has a whole head, for a few seconds at most."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._said = b""
        self.is_privileged = False
        self._transport: asyncio.Transport | None = None
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_privileged = peer_of(transport.get_extra_info("socket")).is_privileged
        self._patience = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.send_away)
        self._door.came(self)

    def data_received(self, data: bytes) -> None:
        self._said += data
        is_whole = any(end in self._said for end in HEAD_ENDS)
        if self._transport and (is_whole or len(self._said) > HEAD_MAX_BYTES):
            self._end_patience()
            self._door.let_in(self, self._transport, self._said)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._end_patience()
        self._door.gone(self)

    def send_away(self) -> None:
        self._end_patience()
        self._door.gone(self)
        if self._transport is not None:
            self._transport.abort()

    def _end_patience(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
