"""Tells the service manager how we are, and that we live only while all our parts prove it."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from couachgptd.core.errors import StoreError
from couachgptd.core.heartbeat import BEATS, silent_parts
from couachgptd.core.ports import Store
from couachgptd.services.models import ModelService
from couachgptd.services.runner import TurnRunner
from couachgptd.services.watch import Watch

log = logging.getLogger(__name__)

STATUS_SECONDS = 1.0


class Heartbeat:
    """`notify` passes lines to systemd; `knock` asks our own listener, and raises where it fails.

    `watchdog_seconds` is when systemd ends us for our silence; None: never.
    """

    def __init__(
        self,
        runner: TurnRunner,
        watch: Watch,
        models: ModelService,
        store: Store,
        *,
        knock: Callable[[], Awaitable[None]],
        notify: Callable[[str], None],
        watchdog_seconds: float | None,
    ) -> None:
        self._runner = runner
        self._watch = watch
        self._models = models
        self._store = store
        self._knock = knock
        self._notify = notify
        self._watchdog_seconds = watchdog_seconds
        self._heard: dict[str, float] = {}
        self._silent: tuple[str, ...] = ()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._keep_telling(), name="status")]
            if self._watchdog_seconds is not None:
                every = self._watchdog_seconds / BEATS
                self._heard = dict.fromkeys(("writer", "listener"), _now())
                tasks += [
                    group.create_task(self._beat(every, self._watchdog_seconds), name="heartbeat"),
                    group.create_task(self._hear("writer", self._write, every), name="writer"),
                    group.create_task(self._hear("listener", self._knock, every), name="knock"),
                ]
            yield
            for task in tasks:
                task.cancel()

    def status(self) -> str:
        """Return the line that `systemctl status` shows."""
        state, reason, _ = self._models.state
        engine = state if reason is None else f"{state} ({reason})"
        running, queued = self._runner.running_turns, self._runner.queued
        return f"engine {engine}, {running} answers under way, {queued} waiting"

    async def _keep_telling(self) -> None:
        told = ""
        while True:
            status = self.status()
            if status != told:
                self._notify(f"STATUS={status}")
                told = status
            await asyncio.sleep(STATUS_SECONDS)

    async def _beat(self, every: float, watchdog_seconds: float) -> None:
        while True:
            due = _now() + every
            await asyncio.sleep(every)
            now = _now()
            seconds = {
                "loop": now - due,
                "scheduler": now - self._runner.ticked_at,
                "watchdog": now - self._watch.looked_at,
                **{part: now - heard for part, heard in self._heard.items()},
            }
            silent = silent_parts(seconds, watchdog_seconds)
            if not silent:
                self._notify("WATCHDOG=1")
            elif silent != self._silent:
                log.error("no sign of life is given to systemd", extra={"silent": silent})
            self._silent = silent

    async def _hear(self, part: str, work: Callable[[], Awaitable[None]], every: float) -> None:
        while True:
            with suppress(OSError, TimeoutError, EOFError):
                async with asyncio.timeout(every):
                    await work()
                self._heard[part] = _now()
            await asyncio.sleep(every)

    async def _write(self) -> None:
        # A full disk is an answer, too: what must not be is a thread that gives none.
        with suppress(StoreError):
            await self._store.ping()


def _now() -> float:
    return asyncio.get_running_loop().time()
