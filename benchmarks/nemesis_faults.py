"""The nemesis: throws faults at the engine, the daemon and the machine, one or two at a time."""

import asyncio
import signal
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

from benchmarks.nemesis_history import History, Stay, Violation
from benchmarks.nemesis_site import RATE, Unit, changes_after
from tests.running_daemon import RunningDaemon

CALM_SECONDS = (1.0, 6.0)
FELT_SECONDS = 8.0  # at most, until somebody has met a fault of the script
POLL_SECONDS = 0.4
BURNERS = 2
BURNER = """\
import sys, time
ends = time.monotonic() + float(sys.argv[1])
while time.monotonic() < ends:
    pass
"""

# What the engine does with each answer that begins meanwhile, and which pages show that one did.
SCRIPTED: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "hang before the first token": ({"hang_before_first": True}, ("chat",)),
    "hang in mid-stream": ({"hang_after": 8}, ("chat",)),
    "spin": ({"hang_after": 8, "spin": True}, ("chat",)),
    "slow": ({"rate": 0.9}, ("chat",)),
    "end without done": ({"eof_after": 6}, ("chat",)),
    "error line": ({"error_after": 6}, ("chat",)),
    "malformed line": ({"malformed_after": 6}, ("chat",)),
    "10 MB line": ({"huge_line_after": 6}, ("chat",)),
    "reset": ({"reset_after": 6}, ("chat",)),
    "half-open": ({"half_open_after": 6}, ("chat",)),
    "503": ({"status": 503, "status_times": 6}, ("chat",)),
    "ps hangs": ({"hangs": ["ps"]}, ("ps",)),
    "version green, generate dead": ({"hangs": ["chat", "generate"]}, ("chat", "generate")),
    "unload ignored": ({"unload_ignored": True, "hang_after": 8}, ("chat",)),
}
CALM: dict[str, Any] = {
    "hang_before_first": False, "hang_after": None, "spin": False, "rate": RATE, "eof_after": None,
    "error_after": None, "malformed_after": None, "huge_line_after": None, "reset_after": None,
    "half_open_after": None, "status": 0, "status_times": 0, "hangs": [], "unload_ignored": False,
}  # fmt: skip


@dataclass
class Nemesis:
    """Holds what is going wrong now, and sees to it that it ends."""

    unit: Unit
    daemon: RunningDaemon
    history: History
    violations: list[Violation] = field(default_factory=list)
    felt: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = Random(self.history.seed)  # noqa: S311 -- not a secret
        self._told: dict[str, dict[str, Any]] = {}
        self._whole_daemon = asyncio.Lock()
        self._whole_engine = asyncio.Lock()
        self.is_busy_with_daemon = False

    async def haunt(self, until: float) -> None:
        """Throw each kind once, in any order, then each once more, and so on."""
        pace = (until - time.time()) / (len(KINDS) / 1.5)
        deck: list[str] = []
        while time.time() < until:
            began = time.time()
            if len(deck) < 2:
                again = list(KINDS)
                self._random.shuffle(again)
                deck = again + deck
            count = self._random.choice((1, 2))
            await asyncio.gather(*(self._throw(deck.pop()) for _ in range(count)))
            least, most = CALM_SECONDS
            rest = min(max(pace * count / 1.5 - (time.time() - began), least), most)
            await asyncio.sleep(rest * self._random.uniform(0.7, 1.3))
            await self._say()

    async def end(self) -> None:
        """Leave nothing broken."""
        self._told.clear()
        self.unit.mend()
        self.unit.signal(signal.SIGCONT, everything=True)
        await self._say()

    async def note_changes(self) -> None:
        """Read the watchdog's verdicts before the daemon forgets them."""
        newest = max(self.history.changes, default=0)
        for each in await asyncio.to_thread(changes_after, self.daemon, newest):
            self.history.changes[each.id] = each

    async def watch_over(self) -> None:
        while True:
            await asyncio.sleep(5)
            await self.note_changes()
            self.look_at_daemon()

    def look_at_daemon(self) -> None:
        process = self.daemon.process
        status = process.poll() if process is not None else None
        if status is not None and not self.is_busy_with_daemon and not self.violations:
            told = f"the daemon ended by itself with {status}"
            self.violations.append(Violation("daemon", told, tuple(self._log_tail()), time.time()))

    def _log_tail(self) -> list[str]:
        return self.daemon.log.splitlines()[-40:]

    async def _throw(self, kind: str) -> None:
        began = time.time()
        try:
            is_felt = await KINDS[kind](self)
        except AssertionError as error:  # the daemon would not start again
            self.violations.append(Violation("daemon", str(error)[:4000], at=time.time()))
            raise
        self.felt[kind] = self.felt.get(kind, 0) + is_felt
        self.history.faults.append(Stay(kind, began, time.time()))

    async def _some_seconds(self, least: float, most: float) -> None:
        await asyncio.sleep(self._random.uniform(least, most))

    # the engine, from inside

    async def _say(self) -> None:
        told = dict(CALM)
        for each in self._told.values():
            told |= each
        told["hangs"] = [page for each in self._told.values() for page in each.get("hangs", ())]
        await self.unit.script(told)

    async def scripted(self, kind: str) -> bool:
        """Change the script until somebody has met it."""
        told, pages = SCRIPTED[kind]
        before = await self.unit.asked(*pages)
        self._told[kind] = told
        is_felt = False
        try:
            await self._say()
            ends = time.time() + FELT_SECONDS
            while time.time() < ends and not is_felt:
                await asyncio.sleep(POLL_SECONDS)
                is_felt = await self.unit.asked(*pages) > before
            await self._some_seconds(0.5, 2.5)
        finally:
            del self._told[kind]
            await self._say()
        return is_felt

    # the engine, from outside

    async def freeze_engine(self) -> bool:
        pid = self.unit.pid
        is_felt = self.unit.signal(signal.SIGSTOP, everything=True)
        try:
            await self._some_seconds(3, 8)
        finally:
            self.unit.signal(signal.SIGCONT, everything=True, pid=pid)
        return is_felt

    async def kill_runner(self) -> bool:
        return await self._as_soon_as_it_is_there(self.unit.kill_runners)

    async def kill_engine(self) -> bool:
        return await self._as_soon_as_it_is_there(self.unit.kill)

    async def _as_soon_as_it_is_there(self, kill: Callable[[], bool]) -> bool:
        ends = time.time() + FELT_SECONDS
        while time.time() < ends:
            if kill():
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def break_engine(self) -> bool:
        async with self._whole_engine:
            self.unit.break_start()
            try:
                is_felt = self.unit.kill()
                await self._some_seconds(3, 7)
            finally:
                self.unit.mend()
        return is_felt

    # the daemon and the machine

    @asynccontextmanager
    async def _without_daemon(self, kind: str) -> AsyncGenerator[None]:
        async with self._whole_daemon:
            self.is_busy_with_daemon, began = True, time.time()
            try:
                yield
            finally:
                self.is_busy_with_daemon = False
                self.history.absences.append(Stay(kind, began, time.time()))

    async def kill_daemon(self) -> bool:
        async with self._without_daemon("killed"):
            await asyncio.to_thread(self.daemon.restart, signal.SIGKILL)
        return True

    async def restart_daemon(self) -> bool:
        async with self._without_daemon("restarted"):
            await asyncio.to_thread(self.daemon.restart, signal.SIGTERM)
        return True

    async def freeze_daemon(self) -> bool:
        async with self._without_daemon("stopped"):
            process = self.daemon.process
            if process is None:
                return False
            process.send_signal(signal.SIGSTOP)
            try:
                await self._some_seconds(0.5, 4)
            finally:
                process.send_signal(signal.SIGCONT)
        return True

    async def burn(self) -> bool:
        """Keep every core busy for a while."""
        program = (sys.executable, "-S", "-c", BURNER, str(self._random.uniform(2, 4)))
        burners = [await asyncio.create_subprocess_exec(*program) for _ in range(BURNERS)]
        await asyncio.gather(*(each.wait() for each in burners))
        return True


Throw = Callable[[Nemesis], Awaitable[bool]]


def _by_script(kind: str) -> Throw:
    return lambda nemesis: nemesis.scripted(kind)


KINDS: dict[str, Throw] = {
    **{kind: _by_script(kind) for kind in SCRIPTED},
    "engine frozen": Nemesis.freeze_engine,
    "runner killed": Nemesis.kill_runner,
    "engine killed": Nemesis.kill_engine,
    "engine exits at each start": Nemesis.break_engine,
    "daemon killed": Nemesis.kill_daemon,
    "daemon restarted": Nemesis.restart_daemon,
    "daemon frozen": Nemesis.freeze_daemon,
    "CPU burned": Nemesis.burn,
}
