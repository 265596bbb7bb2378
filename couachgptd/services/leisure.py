"""The time in which nobody wants the engine, and the one thing of our own that may fill it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Result = TypeVar("Result")


class Leisure:
    """It began at `since`, on the loop's clock, and may end at any moment."""

    def __init__(self) -> None:
        self.since = asyncio.get_running_loop().time()
        self._filling: asyncio.Task[Any] | None = None

    def end(self) -> None:
        """Somebody wants the engine: what fills the time is cut, and it begins anew."""
        self.since = asyncio.get_running_loop().time()
        if self._filling is not None:
            self._filling.cancel()

    async def fill(self, work: Coroutine[Any, Any, Result]) -> Result | None:
        """Do something until it is done or somebody wants the engine; None where it was cut."""
        try:
            async with asyncio.TaskGroup() as group:
                self._filling = task = group.create_task(work, name="leisure")
        finally:
            self._filling = None
        return None if task.cancelled() else task.result()
