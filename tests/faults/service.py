"""The real daemon above a fake Ollama that a fake systemd runs: real programs, a short patience.

The daemon finds `systemctl` on its PATH, believes in `ollama.service` and may restart it. All that
a test changes of the watchdog are its `[watchdog]` keys.
"""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Scripted
from tests.fake_script import going_on_after
from tests.running_daemon import Json, Reachable, RunningDaemon, Socket, free_port, text_of

# A twentieth of the defaults, about. The watchdog looks every 5 s at an idle engine, every 2 s at
# one that works and every second once it suspects something: it may be 5 s late for a question.
SHORT: dict[str, float] = {
    "load_soft_min_seconds": 1.5,
    "load_hard_seconds": 8,
    "read_soft_min_seconds": 1.5,
    "read_hard_min_seconds": 8,
    "read_hard_max_seconds": 20,
    "read_first_tokens_per_second": 1000,
    "gap_soft_min_seconds": 1.5,
    "gap_soft_max_seconds": 3,
    "hard_factor": 5,
    "drain_soft_min_seconds": 1,
    "drain_batch_tokens": 1,
    "confirm_seconds": 1,
    "confirm_samples": 2,
    "busy_above_cores": 0.1,  # a spin has only a part of a core where other programs run
    "drained_below_cores": 0.07,
    "pause_seconds": 4,
    "grace_seconds": 0.5,
    "foreign_grace_seconds": 2,
    "start_seconds": 15,
    "cancel_seconds": 1,
    "unload_seconds": 2,
    "restart_seconds": 10,
    "backoff_first_seconds": 0.5,
    "backoff_max_seconds": 1,
}
SECONDS = 60.0  # for all that must come; how fast it does is not what these tests are about
START_SECONDS = 20.0
LADDER = ("cancelling", "unloading", "restarting", "failed")


class Service(Scripted):
    """`ollama.service`: the fake Ollama below the fake systemd, and what others do to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        folder.mkdir()
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        program = bin_folder / "systemctl"
        fake = ROOT / "tests" / "fake_systemctl.py"
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -S {fake} "$@"\n')
        program.chmod(0o755)
        self.environment = {
            "FAKE_SYSTEMD": str(folder),
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
        }

    def runs(self, *arguments: str) -> None:
        """Let its next start run the fake Ollama with these arguments."""
        program = [sys.executable, str(ROOT / "tests" / "fake_ollama.py"), f"--port={self.port}"]
        (self.folder / "command").write_text(json.dumps([*program, *arguments]))

    def systemctl(self, verb: str) -> None:
        environment = {**os.environ, **self.environment}
        subprocess.run(["systemctl", verb, "ollama.service"], env=environment, check=True)

    async def start(self, *arguments: str) -> None:
        """Start it as a person would, and return once it answers."""
        if arguments:
            self.runs(*arguments)
        await asyncio.to_thread(self.systemctl, "start")
        await self.answers()

    async def answers(self) -> None:
        async with asyncio.timeout(START_SECONDS):
            while True:
                with contextlib.suppress(OSError):
                    await self.state()
                    return
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        """Stop it as a person would."""
        await asyncio.to_thread(self.systemctl, "stop")

    @contextlib.contextmanager
    def in_other_hands(self) -> Iterator[None]:
        """Let systemd have a job for it meanwhile, that was not asked for by us."""
        (self.folder / "job").touch()
        yield
        (self.folder / "job").unlink()

    def refuse(self, words: str) -> None:
        (self.folder / "refusal").write_text(words)

    def permit(self) -> None:
        (self.folder / "refusal").unlink()

    @property
    def pid(self) -> int:
        return int((self.folder / "pid").read_text())

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        os.kill(self.pid, number)

    async def runner(self) -> int:
        """Return the process that holds the one loaded model."""
        (pid,) = (await self.state())["runners"].values()
        return int(pid)

    @property
    def restarts(self) -> int:
        """Return how often the daemon asked for a restart."""
        log = self.folder / "restarts"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def end(self) -> None:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)


class Watched:
    """A daemon as its people and its operators see it."""

    def __init__(self, daemon: Reachable) -> None:
        self.reached = daemon

    @contextlib.asynccontextmanager
    async def tab(self, login: str = "claire") -> AsyncIterator[Socket]:
        async with self.reached.browser(login) as browser, browser.ws() as tab:
            yield tab

    def incidents(self) -> list[Json]:
        """Return what the watchdog kept, oldest first."""
        status, answer = self.reached.control("GET", "/v1/engine/incidents")
        assert status == 200, answer
        found: list[Json] = answer["incidents"]
        return found[::-1]

    def verdicts(self) -> list[str]:
        return [each["after"] for each in self.incidents()]

    def ladder(self) -> list[str]:
        """Return what was done to the engine, in order."""
        return [each for each in self.verdicts() if each in LADDER]

    def status(self) -> Json:
        status, answer = self.reached.control("GET", "/v1/status")
        assert status == 200, answer
        return answer

    async def is_well(self, seconds: float = SECONDS) -> None:
        """Return once the verdict is READY."""
        await eventually(lambda: self.status()["engine"]["state"] == "ready", seconds)


class Patient(Watched):
    """A daemon, its engine, and Claire and Marc who ask."""

    def __init__(self, daemon: RunningDaemon, service: Service) -> None:
        super().__init__(daemon)
        self.daemon = daemon
        self.service = service


MakePatient = Callable[..., Any]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """Return the unit, not yet started; the daemons of the test have its `systemctl`."""
    made = Service(tmp_path / "unit")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    made.runs()
    yield made
    made.end()


@pytest.fixture
def patient(service: Service, tmp_path: Path) -> Iterator[MakePatient]:
    """Return what starts a daemon whose `[watchdog]` keys are SHORT, but for those named."""
    made: list[RunningDaemon] = []

    async def start(*settings: str, limits: dict[str, float] = SHORT, **changes: float) -> Patient:
        keys = [f"watchdog.{name}={value}" for name, value in (limits | changes).items()]
        folder = tmp_path / "daemon"
        folder.mkdir()
        daemon = RunningDaemon(folder, service.url, "engine.model=couac:1b", *keys, *settings)
        made.append(daemon)
        await asyncio.to_thread(daemon.start)
        for login in ("claire", "marc"):
            await asyncio.to_thread(daemon.add_user, login)
        return Patient(daemon, service)

    yield start
    for daemon in made:
        daemon.kill()


# --- what a tab shows ---------------------------------------------------------------------------


def whole(tokens: int) -> str:
    """Return the fake's answer of so many tokens."""
    return "".join(islice(going_on_after(""), tokens))


def shown(tab: Socket, asked: Json) -> str:
    return text_of(asked["answer"], tab.messages)


async def begun(tab: Socket, asked: Json, letters: int = 10) -> None:
    """Return once so many letters of an answer have come."""
    while len(shown(tab, asked)) < letters:
        await tab.next("text", "rewrite", seconds=SECONDS)


async def state_is(tab: Socket, *states: str, seconds: float = SECONDS) -> str:
    """Return the engine's state once it is one of these, as every tab is told."""
    told = await tab.next(
        "engine", where=lambda found: found["engine"]["state"] in states, seconds=seconds
    )
    return str(told["engine"]["state"])


async def ended(tab: Socket, asked: Json, seconds: float = SECONDS) -> Json:
    """Return the turn at its end, which may have been told already."""
    for turn in turns(tab, asked):
        if turn["finished_at"]:
            return turn
    return await tab.ended(asked["answer"], seconds)


async def is_healed(tab: Socket, asked: Json, tokens: int) -> None:
    """Wait for the end: asked again once, the text kept until it is written anew, and whole."""
    turn = await ended(tab, asked)
    assert (turn["state"], turn["error"], turn["attempt"]) == ("done", None, 2), turn
    assert shown(tab, asked) == whole(tokens)
    healing = [n for n, each in events(tab, asked) if is_healing(each)]
    assert healing
    rewrites = [n for n, each in events(tab, asked) if each["type"] == "rewrite"]
    assert len(rewrites) == 1
    assert healing[0] < rewrites[0]
    before = text_of(asked["answer"], tab.messages[: rewrites[0]])
    assert before
    assert whole(tokens).startswith(before)
    assert before == text_of(asked["answer"], tab.messages[: healing[0]])


def is_healing(event: Json) -> bool:
    return event["type"] == "turn" and bool(event["turn"]["is_healing"])


def events(tab: Socket, asked: Json) -> Iterable[tuple[int, Json]]:
    """Yield the events of one answer with their places among all messages."""
    for n, each in enumerate(tab.messages):
        if each.get("message") == asked["answer"] and "n" in each:
            yield n, each


def turns(tab: Socket, asked: Json) -> list[Json]:
    return [each["turn"] for _, each in events(tab, asked) if each["type"] == "turn"]


def stages(tab: Socket, asked: Json) -> list[str]:
    return [turn["state"] for turn in turns(tab, asked)]


def states(tab: Socket) -> list[str]:
    """Return the engine's states that this tab was told."""
    return [each["engine"]["state"] for each in tab.messages if each["type"] == "engine"]


async def eventually(is_so: Callable[[], object], seconds: float = SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not await asyncio.to_thread(is_so):
        assert time.monotonic() < ends
        await asyncio.sleep(0.1)
