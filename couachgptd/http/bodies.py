"""A body that is long in coming is waited for, one that has stopped coming is not."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from aiohttp import web

from couachgptd.core.imports import ImportStalled
from couachgptd.http.keys import SERVER


@asynccontextmanager
async def while_coming(request: web.Request) -> AsyncGenerator[None]:
    """End what reads the body once nothing came for the seconds of the configuration.

    Bytes are looked at, and not the time that the whole takes: a slow network is no fault. Raises
    ImportStalled.
    """
    seconds = request.config_dict[SERVER].stalled_seconds

    async def look(limit: asyncio.Timeout) -> None:
        seen = -1
        while (came := request.content.total_bytes) != seen:
            seen = came
            await asyncio.sleep(seconds)
        limit.reschedule(asyncio.get_running_loop().time())

    try:
        async with asyncio.timeout(None) as limit:
            looking = asyncio.create_task(look(limit))
            try:
                yield
            finally:
                looking.cancel()
    except TimeoutError:
        raise ImportStalled(seconds=round(seconds)) from None
