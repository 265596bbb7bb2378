"""Samples for the charts: what everything used and who waited, every ten seconds."""

import asyncio
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from couachgptd.core.errors import StoreError
from couachgptd.core.ports import Store
from couachgptd.core.samples import EVERY, KEPT_SECONDS, Figures, Thinner
from couachgptd.core.vitals import MachineUse
from couachgptd.services.machine import resident_bytes
from couachgptd.services.runner import TurnRunner
from couachgptd.services.watch import Watch

log = logging.getLogger(__name__)


class Sampler:
    """`machine` is asked in a thread."""

    def __init__(
        self, store: Store, runner: TurnRunner, watch: Watch, machine: Callable[[], MachineUse]
    ) -> None:
        self._store = store
        self._runner = runner
        self._watch = watch
        self._machine = machine
        self._thinner = Thinner()
        self._at, self._cpu = time.monotonic(), time.process_time()
        self._tokens = runner.attempts.tokens

    async def keep(self) -> None:
        """Keep a sample every ten seconds of the clock on the wall, one small write each."""
        while True:
            await asyncio.sleep(EVERY - time.time() % EVERY)
            try:
                rows = self._thinner.add(datetime.now(UTC), await self.figures())
                await self._store.add_samples(rows, dict(KEPT_SECONDS))
            except StoreError as error:
                log.warning("a sample could not be kept", extra={"error": error.code})
            except Exception:  # a chart is no reason to end
                log.exception("a sample could not be made")

    async def figures(self) -> Figures:
        """Return what is so now, rates since the call before; None where it cannot be had."""
        machine = await asyncio.to_thread(self._machine)
        meters = self._watch.meters
        at, cpu, tokens = time.monotonic(), time.process_time(), self._runner.attempts.tokens
        seconds = max(at - self._at, 0.001)
        figures: Figures = {
            "engine_cores": _rounded(meters.cpu_cores),
            "daemon_cores": _rounded((cpu - self._cpu) / seconds),
            "machine_cores": _rounded(machine.cpu_cores),
            "engine_memory_bytes": meters.memory_bytes,
            "daemon_memory_bytes": resident_bytes(),
            "machine_memory_bytes": machine.memory_bytes,
            "tokens_per_second": _rounded((tokens - self._tokens) / seconds),
            "running": self._runner.running_turns,
            "queued": self._runner.queued,
            "wait_seconds": self._wait(),
        }
        self._at, self._cpu, self._tokens = at, cpu, tokens
        return figures

    def _wait(self) -> float | None:
        """Return what half of those that wait are told to wait at most; 0 where nobody waits."""
        if not self._runner.queued:
            return 0.0
        waits = [live.wait for live in self._runner.lives() if live.is_queued and live.wait]
        known = sorted((wait.low_seconds + wait.high_seconds) / 2 for wait in waits)
        return known[len(known) // 2] if known else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
