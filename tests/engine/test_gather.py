"""A fast stream is read in bursts, a slow one piece by piece, and neither loses a byte."""

import asyncio
import time

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from couachgptd.engine.gather import Gathering

PIECES = 60


async def served(between_seconds: float) -> TestServer:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for number in range(PIECES):
            await response.write(b"%d\n" % number)
            await asyncio.sleep(between_seconds)
        return response

    app = web.Application()
    app.router.add_get("/", stream)
    server = TestServer(app)
    await server.start_server()
    return server


async def read_all(between_seconds: float, gather_seconds: float) -> list[bytes]:
    server = await served(between_seconds)
    try:
        async with aiohttp.ClientSession() as session, session.get(server.make_url("/")) as answer:
            stream, chunks = Gathering(answer, gather_seconds), [b""]
            while chunk := await stream.read():
                chunks.append(chunk)
                await stream.rest()
    finally:
        await server.close()
    return chunks[1:]


WHOLE = b"".join(b"%d\n" % number for number in range(PIECES))


async def test_a_fast_stream_comes_in_bursts_and_whole() -> None:
    chunks = await read_all(between_seconds=0.005, gather_seconds=0.1)

    assert b"".join(chunks) == WHOLE
    assert len(chunks) < PIECES / 3
    assert chunks[0] == b"0\n"  # the first is never held back


async def test_a_slow_stream_is_never_held_back() -> None:
    chunks = await read_all(between_seconds=0.02, gather_seconds=0.001)

    assert b"".join(chunks) == WHOLE
    assert len(chunks) > PIECES / 2


async def test_a_rest_can_be_cancelled_and_leaves_the_stream_readable() -> None:
    server = await served(between_seconds=0.005)
    async with aiohttp.ClientSession() as session, session.get(server.make_url("/")) as answer:
        stream = Gathering(answer, 60)
        chunks = [await stream.read(), await stream.read()]
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await stream.rest()
        assert time.monotonic() - began < 30  # not the whole rest

        while chunk := await stream.read():
            chunks.append(chunk)
    await server.close()

    assert b"".join(chunks) == WHOLE
