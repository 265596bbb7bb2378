"""The daemon's own client of the control socket: what the admin page does, it does through this."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, UnixConnector

from couachgptd.control.routes import API, API_HEADER, BEHALF_HEADER, place_of
from couachgptd.core.errors import CouachError, ServerStopping, named
from couachgptd.core.ids import UserId
from couachgptd.core.wire import Json

ORIGIN = "http://couachgptd"  # only what the Host header says
LINE_MAX_BYTES = 4 * 1024 * 1024


@asynccontextmanager
async def opened_client(socket: Path) -> AsyncGenerator["OwnControlClient"]:
    client = OwnControlClient(socket)
    try:
        yield client
    finally:
        await client.close()


class OwnControlClient:
    """`core.ports.ControlClient` over the socket, where the daemon believes nobody but itself."""

    def __init__(self, socket: Path) -> None:
        self._session = ClientSession(
            ORIGIN,
            connector=UnixConnector(str(socket), limit=0),
            timeout=ClientTimeout(),  # verbs have bounds of their own
            read_bufsize=LINE_MAX_BYTES,
        )

    async def close(self) -> None:
        await self._session.close()

    async def call(
        self,
        verb: str,
        on_behalf: UserId,
        body: Json | None = None,
        /,
        **names: object,
    ) -> Json:
        method, path = place_of(verb, names)
        try:
            async with self._session.request(
                method, path, json=body, headers=_headers(on_behalf)
            ) as response:
                await _require_success(response)
                answer: Json = await response.json()
        except ClientError:
            raise ServerStopping from None
        return answer

    async def stream(
        self,
        verb: str,
        on_behalf: UserId,
        body: Json | None = None,
        /,
        **names: object,
    ) -> AsyncGenerator[Json]:
        method, path = place_of(verb, names)
        try:
            async with self._session.request(
                method, path, json=body, headers=_headers(on_behalf)
            ) as response:
                await _require_success(response)
                async for line in response.content:
                    event: Json = json.loads(line)
                    if event.get("type") == "error":
                        raise _error(event)
                    yield event
        except ClientError:
            raise ServerStopping from None

    async def download(
        self, verb: str, on_behalf: UserId, /, **names: object
    ) -> AsyncGenerator[bytes]:
        method, path = place_of(verb, names)
        try:
            async with self._session.request(method, path, headers=_headers(on_behalf)) as response:
                await _require_success(response)
                async for chunk in response.content.iter_any():
                    yield chunk
        except ClientError:
            raise ServerStopping from None


def _headers(on_behalf: UserId) -> dict[str, str]:
    return {API_HEADER: API, BEHALF_HEADER: str(on_behalf)}


async def _require_success(response: ClientResponse) -> None:
    if not response.ok:
        raise _error(await response.json())


def _error(answer: Json) -> CouachError:
    return named(answer["error"]["code"], answer["error"]["fields"])
