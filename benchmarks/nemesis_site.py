"""What the nemesis torments: a daemon, and the fake Ollama as a unit that it may restart."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from benchmarks.nemesis_history import Change, Stay
from benchmarks.programs import ROOT, add_people
from tests.running_daemon import RunningDaemon, free_port

SLOTS = 2
RATE = 25.0  # tokens/s
SCRIPT_SECONDS = 2.0
START_SECONDS = 20.0
RESTARTS_IN_WINDOW = 4
WINDOW_SECONDS = 40.0
RETRY_SECONDS = 6.0
CONFIRM_SECONDS = 1.0

# The watchdog's times, about a twentieth of the defaults.
SETTINGS = {
    "engine.slots": SLOTS,
    "chat.waiting_per_person": 4,
    "chat.pass_over_seconds": 4.0,
    "server.drain_seconds": 2.0,
    "watchdog.load_soft_min_seconds": 2.0,
    "watchdog.load_hard_seconds": 5.0,
    "watchdog.load_first_megabytes_per_second": 100_000.0,
    "watchdog.read_soft_min_seconds": 2.0,
    "watchdog.read_hard_min_seconds": 5.0,
    "watchdog.read_hard_max_seconds": 8.0,
    "watchdog.read_first_tokens_per_second": 1000.0,
    "watchdog.gap_soft_min_seconds": 1.7,
    "watchdog.gap_soft_max_seconds": 4.0,
    "watchdog.drain_soft_min_seconds": 1.0,
    "watchdog.drain_batch_tokens": 8,
    "watchdog.total_min_seconds": 30.0,
    "watchdog.total_max_seconds": 90.0,
    "watchdog.confirm_seconds": CONFIRM_SECONDS,
    "watchdog.confirm_samples": 2,
    "watchdog.pause_seconds": 1.5,
    "watchdog.grace_seconds": 1.0,
    "watchdog.foreign_grace_seconds": 2.0,
    "watchdog.start_seconds": 4.0,
    "watchdog.cancel_seconds": 1.0,
    "watchdog.unload_seconds": 2.0,
    "watchdog.restart_seconds": 5.0,
    "watchdog.backoff_first_seconds": 0.5,
    "watchdog.backoff_factor": 2.0,
    "watchdog.backoff_max_seconds": 2.0,
    "watchdog.restarts_in_window": RESTARTS_IN_WINDOW,
    "watchdog.restarts_window_seconds": WINDOW_SECONDS,
    "watchdog.restarts_in_day": 1000,
    "watchdog.retry_seconds": RETRY_SECONDS,
    "watchdog.settled_seconds": 4.0,
    # Whoever throws a hundred faults at one model must not have it put aside for good.
    "watchdog.model_failed_loads": 100,
    "watchdog.model_hung_loads": 100,
    "log.level": "warning",
}

SYSTEMCTL = """\
#!/bin/sh
[ "$1" = restart ] || exec {python} -S {fake} "$@"
(   # as systemd does, this goes on where the daemon ends whom it had sent
    echo "begun $$ $(date +%s.%N)" >> "$FAKE_SYSTEMD/asked"
    flock "$FAKE_SYSTEMD/lock" {python} -S {fake} "$@"
    status=$?
    echo "ended $$ $(date +%s.%N)" >> "$FAKE_SYSTEMD/asked"
    exit $status
)
exit $?
"""


class Unit:
    """`ollama.service`, which is the fake Ollama below the fake systemctl."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / "systemd"
        self._folder.mkdir()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._systemctl = directory / "bin" / "systemctl"
        self._systemctl.parent.mkdir()
        fake = ROOT / "tests" / "fake_systemctl.py"
        program = SYSTEMCTL.format(python=sys.executable, fake=fake)
        self._systemctl.write_text(program, encoding="utf-8")
        self._systemctl.chmod(0o755)
        self.mend()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Put it on the PATH of whatever is started meanwhile, and start it."""
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{self._systemctl.parent}:{before}"
        os.environ["FAKE_SYSTEMD"] = str(self._folder)
        try:
            subprocess.run([str(self._systemctl), "start"], check=True)
            yield
        finally:
            os.environ["PATH"] = before
            del os.environ["FAKE_SYSTEMD"]
            self.kill(everything=True)

    def break_start(self) -> None:
        self._command("--exit-at-start=1")

    def mend(self) -> None:
        self._command(f"--port={self.port}", f"--rate={RATE:g}", "--runner=plain",
                      "--load-seconds=0.2")  # fmt: skip

    def _command(self, *arguments: str) -> None:
        command = [sys.executable, str(ROOT / "tests" / "fake_ollama.py"), *arguments]
        partial = self._folder / "command.part"
        partial.write_text(json.dumps(command), encoding="utf-8")
        partial.rename(self._folder / "command")

    @property
    def pid(self) -> int | None:
        with suppress(OSError, ValueError, psutil.Error):
            pid = int((self._folder / "pid").read_text(encoding="ascii"))
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return pid
        return None

    def kill(self, *, everything: bool = False) -> bool:
        """Kill the server, or its whole group; say whether there was one."""
        return self.signal(signal.SIGKILL, everything=everything)

    def signal(self, number: signal.Signals, *, everything: bool, pid: int | None = None) -> bool:
        found = self.pid
        if found is None or pid not in {None, found}:
            return False
        with suppress(ProcessLookupError):
            (os.killpg if everything else os.kill)(found, number)
            return True
        return False

    def kill_runners(self) -> bool:
        """Kill the processes that hold the models, as the kernel would for want of memory."""
        found = self.pid
        if found is None:
            return False
        with suppress(psutil.Error):
            runners = psutil.Process(found).children()
            for runner in runners:
                runner.kill()
            return bool(runners)
        return False

    async def script(self, told: dict[str, Any]) -> bool:
        """Tell the engine how to behave from now on; say whether it has heard."""
        return await self._fake("POST", "script", told) is not None

    async def asked(self, *pages: str) -> int:
        """Return how often these pages were asked for in this life of the engine."""
        state = await self._fake("GET", "state")
        return sum((state or {}).get("asked", {}).get(page, 0) for page in pages)

    async def _fake(self, method: str, page: str, body: Any = None) -> Any:
        timeout = aiohttp.ClientTimeout(total=SCRIPT_SECONDS)
        with suppress(aiohttp.ClientError, TimeoutError, OSError):
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.request(method, f"{self.url}/fake/{page}", json=body) as response,
            ):
                return await response.json()
        return None

    def restarts(self, now: float) -> list[Stay]:
        """Return each time that somebody asked systemctl for a restart."""
        found: list[Stay] = []
        begun: dict[str, float] = {}
        with suppress(FileNotFoundError):
            for line in (self._folder / "asked").read_text(encoding="ascii").splitlines():
                word, pid, moment = line.split()
                if word == "begun":
                    begun[pid] = float(moment)
                else:
                    found.append(Stay("restart", begun.pop(pid), float(moment)))
        return [*found, *(Stay("restart", each, now) for each in begun.values())]


def daemon_at(directory: Path, unit: Unit, people: int) -> tuple[RunningDaemon, tuple[str, ...]]:
    """Return a daemon that is not yet started, and the cookies of its people."""
    settings = [f"{name}={json.dumps(value)}" for name, value in SETTINGS.items()]
    daemon = RunningDaemon(directory, unit.url, *settings)
    daemon.data.mkdir(mode=0o700)
    return daemon, asyncio.run(add_people(daemon.data, people))


def read_only(daemon: RunningDaemon) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{daemon.data}/couachgpt.db?mode=ro", uri=True)


def changes_after(daemon: RunningDaemon, newest: int) -> list[Change]:
    """Return the newer changes of verdict; the daemon keeps no more than some thousands."""
    query = "SELECT id, at, before, after, evidence FROM incidents WHERE id > ? ORDER BY id"
    with suppress(sqlite3.Error), closing(read_only(daemon)) as database:
        rows = database.execute(query, (newest,)).fetchall()
        return [
            Change(number, at / 1000, before, after, json.loads(evidence))
            for number, at, before, after, evidence in rows
        ]
    return []


def open_turns(daemon: RunningDaemon) -> int:
    with closing(read_only(daemon)) as database:
        query = "SELECT count(*) FROM turns WHERE finished_at IS NULL"
        count: int = database.execute(query).fetchone()[0]
        return count
