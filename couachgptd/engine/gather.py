"""Lets a fast stream gather in the kernel, so that one wake-up reads what would cost several."""

import asyncio

import aiohttp

# Ten times a second is as often as an eye needs text, and each read costs the model CPU: on two
# cores the wake-up itself, not the bytes, is most of what a token costs us.
GATHER_SECONDS = 0.1


class Gathering:
    """Reads one response; rests between two reads only where the stream is faster than that.

    The first pieces and those of a slow model are never held back.
    """

    def __init__(self, response: aiohttp.ClientResponse, seconds: float = GATHER_SECONDS) -> None:
        self._response = response
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._is_fast = False

    async def rest(self) -> None:
        """Let pieces gather; returns at once where the next one is worth a read of its own."""
        connection = self._response.connection
        transport = connection.transport if connection else None
        if not self._is_fast or not isinstance(transport, asyncio.ReadTransport):
            return
        transport.pause_reading()
        try:
            await asyncio.sleep(self._seconds)
        finally:
            transport.resume_reading()

    async def read(self) -> bytes:
        """Return what came since the last read, at least a byte; nothing at the end.

        Raises aiohttp.ClientError where the connection was lost.
        """
        began = self._loop.time()
        try:
            chunk = await self._response.content.readany()
        except RuntimeError as error:  # aiohttp's, where it was lost while nobody read
            raise aiohttp.ServerDisconnectedError from error
        self._is_fast = self._loop.time() - began < self._seconds
        return chunk
