"""How long one answer may keep us waiting: a limit per wait, and one for the whole."""

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Self, TypeVar

from couachgptd.core.errors import EngineTimeout

Result = TypeVar("Result")


class Deadlines:
    """Bounds each wait for the engine; the time our own reader takes is never counted.

    `asyncio.timeout` does the same with a new timer at each piece. Here one timer is left to
    ring and looks whether it is still due, which is cheaper when pieces come by the thousand.
    """

    def __init__(self, total_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._total_seconds = total_seconds
        self._ends = self._loop.time() + total_seconds
        self._due = 0.0
        self._waiting: asyncio.Task[object] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._has_rung = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()

    async def wait(self, phase: str, seconds: float, what: Awaitable[Result]) -> Result:
        """Return what was awaited. Raises EngineTimeout with the phase that took too long."""
        task = asyncio.current_task()
        if task is None:  # pragma: no cover -- there is always one where something is awaited
            raise RuntimeError("deadlines need a task")
        due = self._loop.time() + seconds
        if due > self._ends:
            due, phase, seconds = self._ends, "total", self._total_seconds
        self._due = due
        if self._timer is None or self._timer.when() > due:
            self._set_timer()
        cancelled_before = task.cancelling()
        self._waiting = task
        try:
            return await what
        except asyncio.CancelledError:
            # Our own cancellation becomes the error; somebody else's, even at the same
            # moment, goes on as what it is.
            if self._has_rung and task.uncancel() <= cancelled_before:
                raise EngineTimeout(phase=phase, seconds=seconds) from None
            raise
        finally:
            self._waiting = None

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._due, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._waiting is None:
            return
        if self._loop.time() < self._due:
            self._set_timer()
            return
        self._has_rung = True
        self._waiting.cancel()
