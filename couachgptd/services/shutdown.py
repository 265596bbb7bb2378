"""How and when the daemon ends: asked for by a signal, by an operator, or by an administrator.

For a verb: `shutdown.request(restart=True)` and answer; the daemon then ends by itself, as at a
signal. It first lets answers under way end (`drain_seconds`, or as many as the verb names: a drain
is a request with many), takes no more questions meanwhile, and keeps those that wait for the next
daemon. Check `can_restart` before: without a service manager nobody would start us again.
"""

import asyncio
from collections.abc import Callable

EXIT_STOPPED = 0
EXIT_RESTART = 85  # RestartForceExitStatus= of couachgptd.service


class Shutdown:
    def __init__(self, drain_seconds: float, *, can_restart: bool = False) -> None:
        self.drain_seconds = drain_seconds
        self.can_restart = can_restart
        self.exit_code = EXIT_STOPPED
        self.hurried = asyncio.Event()
        self._requested = asyncio.Event()
        self._listeners: list[Callable[[], None]] = []

    @property
    def is_requested(self) -> bool:
        return self._requested.is_set()

    def request(self, *, restart: bool = False, drain_seconds: float | None = None) -> None:
        """End the daemon; it does not wait. A second request changes nothing: see `hurry`."""
        if self.is_requested:
            return
        self.exit_code = EXIT_RESTART if restart else EXIT_STOPPED
        if drain_seconds is not None:
            self.drain_seconds = drain_seconds
        self._requested.set()
        for tell in self._listeners:
            tell()

    def hurry(self) -> None:
        """Wait no longer for the answers under way."""
        self.hurried.set()

    def on_request(self, tell: Callable[[], None]) -> None:
        """Have it called once the end is asked for, before anything ends."""
        self._listeners.append(tell)

    async def requested(self) -> None:
        await self._requested.wait()
