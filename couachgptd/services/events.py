"""The events of one turn, for a caller that reads them one by one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from couachgptd.core.wire import Json


class EventQueue:
    """What a live turn publishes, in order; it has no end of its own."""

    def __init__(self) -> None:
        self._events: asyncio.Queue[Json] = asyncio.Queue()

    def publish(self, kind: str, fields: dict[str, Any], revises: bool) -> None:  # noqa: ARG002, FBT001 -- the signature is LiveTurn's
        self._events.put_nowait({"type": kind, **fields})

    async def __aiter__(self) -> AsyncIterator[Json]:
        while True:
            yield await self._events.get()
