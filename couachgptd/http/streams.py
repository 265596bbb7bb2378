"""What comes bit by bit to somebody: it ends with their right to it, or with them."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

from aiohttp import web

from couachgptd.core import access
from couachgptd.core.errors import NotAllowed
from couachgptd.http.keys import ACCOUNTS, SESSION_ID, USER
from couachgptd.services.streams import has_left, while_heard

ADMIN = "admin.call"
STREAMS = web.AppKey("STREAMS", set["Stream"])


def line(event: dict[str, Any]) -> bytes:
    """Return an event as a line of application/x-ndjson."""
    return json.dumps(event).encode() + b"\n"


class Stream:
    """One stream of one person."""

    def __init__(self, request: web.Request, verb: str) -> None:
        self._verb = verb
        self.user_id = request[USER].id
        self._request = request
        self._is_over = asyncio.get_running_loop().create_future()

    async def check_session(self) -> None:
        """End where the session did, or where its person may not have it any more."""
        accounts = self._request.config_dict[ACCOUNTS]
        found = await accounts.session(self._request[SESSION_ID])
        if not access.may(found[0] if found else None, self._verb) and not self._is_over.done():
            self._is_over.set_result(None)

    async def run(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Raises NotAllowed, ConnectionResetError, and what the work raises."""
        # A right that was lost before we could be told of it was told to nobody.
        await self.check_session()
        await while_heard(work, self._check, self._is_over)

    def _check(self) -> None:
        if self._is_over.done():
            raise NotAllowed(verb=self._verb)
        if has_left(self._request.transport):
            raise ConnectionResetError


async def while_allowed(
    request: web.Request, work: Callable[[], Coroutine[Any, Any, None]], verb: str = ADMIN
) -> None:
    """Do it for as long as its person is there and may have it. Raises as `Stream.run`."""
    streams = request.config_dict[STREAMS]
    stream = Stream(request, verb)
    streams.add(stream)
    try:
        await stream.run(work)
    finally:
        streams.discard(stream)
