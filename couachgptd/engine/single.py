"""Asks a question that may hang, never a second time while the first is open."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

FORGET_SECONDS = 30.0  # a connection that fell silent for ever is given up, and asked anew

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Asked(Generic[Result]):
    """`answer` is None while there is none; `seconds` is how long it took, or is open by now."""

    seconds: float
    answer: Result | None


class Single(Generic[Result]):
    """One question of one kind.

    A time limit that cancels leaves its work behind in the engine, and asking again adds to it:
    timed-out probes have become the very load that they were to find (neomjs/neo#17003). So the
    question stays open beyond its limit; whoever asks meanwhile is told at once for how long.
    """

    def __init__(self, limit_seconds: float, forget_seconds: float = FORGET_SECONDS) -> None:
        self._limit = limit_seconds
        self._forget = forget_seconds
        self._since = 0.0
        self._task: asyncio.Task[Asked[Result]] | None = None

    async def ask(self, question: Callable[[], Coroutine[Any, Any, Result]]) -> Asked[Result]:
        """Return the answer within the limit; the question must turn its failures into answers."""
        now = asyncio.get_running_loop().time()
        if self._task is not None and now - self._since > self._forget:
            await self.close()
        if self._task is None or self._task.done():
            self._since = now
            self._task = asyncio.create_task(self._timed(question))
        task, since = self._task, self._since
        await asyncio.wait({task}, timeout=max(0.0, since + self._limit - now))
        if task.done() and not task.cancelled():
            return task.result()
        return Asked(asyncio.get_running_loop().time() - since, None)

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})

    async def _timed(self, question: Callable[[], Coroutine[Any, Any, Result]]) -> Asked[Result]:
        answer = await question()
        return Asked(asyncio.get_running_loop().time() - self._since, answer)
