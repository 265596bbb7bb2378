"""A fast stream is read in bursts, a slow one piece by piece, and neither loses a byte."""

import asyncio
import socket
import struct
import time

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from couachgptd.engine.gather import Gathering

PIECES = 60


async def served(between_seconds: float, *, is_cut: bool = False) -> TestServer:
    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for number in range(PIECES):
            await response.write(b"%d\n" % number)
            await asyncio.sleep(between_seconds)
        if is_cut and request.transport is not None:
            # By RST, as where a process is killed: no end of the stream is seen.
            connection = request.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            request.transport.close()
            await asyncio.sleep(1)
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


async def test_a_connection_lost_during_a_rest_is_told_as_such() -> None:
    server = await served(between_seconds=0.005, is_cut=True)
    chunks: list[bytes] = []
    async with aiohttp.ClientSession() as session, session.get(server.make_url("/")) as answer:
        stream = Gathering(answer, 2.0)

        async def read_to_the_end() -> None:
            while chunk := await stream.read():
                chunks.append(chunk)
                await stream.rest()

        with pytest.raises(aiohttp.ClientError):
            await read_to_the_end()
    await server.close()

    assert WHOLE.startswith(b"".join(chunks))
