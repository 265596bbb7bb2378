"""What is done to a real llama.cpp below a real daemon, and what a person's tab shows of it.

Each fault returns a `Healing`: for the tests, which hold it against its deadline, and for
`benchmarks.healing`, which prints it.
"""

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import aiohttp
import psutil

from tests.freeze_threads import frozen_decoder
from tests.running_daemon import Json, RunningDaemon, Socket

NO_OLLAMA = "http://127.0.0.1:9"  # the discard port: nobody answers
CONTEXT_TOKENS = 8192
PROMPT_WORDS = 900
STORY = "Write a very long story about a dog, a cat and a bird, with many chapters."
LETTERS = 120  # written before a fault, so that there is something to keep
SECONDS = 300.0
CAUGHT_SECONDS = 30.0
POLL_SECONDS = 0.003

HUNG = frozenset({"hung_idle", "hung_spin", "dead"})


def settings(models_dir: Path, model: str, *more: str) -> tuple[str, ...]:
    """Return what makes a daemon run this model itself, with room for a long prompt."""
    return (
        "engine.kind=embedded",
        f"embedded.models_dir={models_dir}",
        f"engine.model={model}",
        f"engine.context_tokens={CONTEXT_TOKENS}",
        "chat.answer_tokens=250",
        "server.drain_seconds=0",
        *more,
    )


def long_prompt(words: int = PROMPT_WORDS) -> str:
    return f"{'The dog ran. ' * (words // 3)}\n{STORY}"


class Tab(Socket):
    """A tab that notes when each message came, also while nobody waits for one."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__(ws)
        self.came: list[tuple[float, Json]] = []
        self._unread: asyncio.Queue[tuple[float, Json] | None] = asyncio.Queue()
        self._pump = asyncio.create_task(self._receive_all())

    async def _receive_all(self) -> None:
        async for message in self.ws:
            self._unread.put_nowait((time.monotonic(), json.loads(message.data)))
        self._unread.put_nowait(None)

    async def receive(self, seconds: float = SECONDS) -> Json | None:
        came = await asyncio.wait_for(self._unread.get(), seconds)
        if came is None:
            self.close_code = self.ws.close_code
            return None
        self.came.append(came)
        self.messages.append(came[1])
        return came[1]

    async def close(self) -> None:
        await super().close()
        await self._pump

    async def writes(self, message: int, letters: int = LETTERS) -> None:
        """Return once so much of an answer has come."""
        while len(self.text(message)) < letters:
            await self.next("text", seconds=SECONDS)

    async def reads(self, message: int) -> None:
        """Return once the engine has told how far it has read."""
        await self.next(
            "turn",
            where=lambda found: found["message"] == message and found["turn"]["read_tokens"],
            seconds=SECONDS,
        )

    def text(self, message: int) -> str:
        """Return what the page shows of an answer now."""
        text = ""
        for event in self.messages:
            if event.get("message") == message and event["type"] == "rewrite":
                text = event["text"]
            elif event.get("message") == message and event["type"] == "text":
                text += event["d"] if event["kind"] == "text" else ""
        return text

    def states(self, message: int) -> list[str]:
        """Return the stages of an answer, each once."""
        told = [event for event in self.messages if event["type"] == "turn"]
        found = [event["turn"]["state"] for event in told if event["message"] == message]
        return [state for n, state in enumerate(found) if n == 0 or state != found[n - 1]]


@asynccontextmanager
async def opened_tab(site: RunningDaemon, login: str) -> AsyncIterator[Tab]:
    async with site.browser(login) as browser:
        opened = await browser.open()
        tab = Tab(opened.ws)
        try:
            tab.hello = await tab.next("hello")
            yield tab
        finally:
            await tab.close()


def child_of(site: RunningDaemon) -> psutil.Process | None:
    """Return the daemon's llama.cpp, also while it loads."""
    with suppress(psutil.Error):
        for child in psutil.Process(site.pid).children():
            if child.status() != psutil.STATUS_ZOMBIE:
                return child
    return None


def its_child(site: RunningDaemon) -> psutil.Process:
    child = child_of(site)
    assert child is not None, "no llama.cpp runs"
    return child


async def caught_loading(site: RunningDaemon, model: Path) -> psutil.Process:
    """Return the child at the moment it has opened its model."""
    name = model.resolve().name
    async with asyncio.timeout(CAUGHT_SECONDS):
        while True:
            child = child_of(site)
            with suppress(OSError):
                if child and name in Path(f"/proc/{child.pid}/maps").read_text(encoding="utf-8"):
                    return child
            await asyncio.sleep(POLL_SECONDS)


def truncated(good: Path, path: Path) -> Path:
    """Make a file with a whole header and half of the weights: only the load can tell."""
    with good.open("rb") as whole, path.open("wb") as half:
        shutil.copyfileobj(whole, half)
        half.truncate(half.tell() // 2)
    return path


async def uses(process: psutil.Process, at_least: float) -> None:
    """Return once a process uses that part of a core."""
    async with asyncio.timeout(CAUGHT_SECONDS):
        while True:
            before = cpu_of(process)
            await asyncio.sleep(0.3)
            if (cpu_of(process) - before) / 0.3 >= at_least:
                return


def cpu_of(process: psutil.Process) -> float:
    """Return the seconds of CPU it has used."""
    times = process.cpu_times()
    return float(times.user + times.system)


def listening(process: psutil.Process) -> list[int]:
    found = process.net_connections("tcp")
    return [each.laddr.port for each in found if each.status == psutil.CONN_LISTEN]


@dataclass(frozen=True, slots=True)
class Healing:
    """One fault and its end, in seconds since the fault; None where it did not come to that."""

    fault: str
    verdict: str | None = None
    detected_after_s: float | None = None
    reading_after_s: float | None = None
    answering_after_s: float | None = None
    whole_after_s: float | None = None
    load_s: float | None = None
    state: str = ""
    attempts: int = 1
    saw: str = ""


class Story:
    """One question from the fault to its end."""

    def __init__(self, site: RunningDaemon, tab: Tab) -> None:
        self._site, self._tab = site, tab
        self._message = 0
        self._kept = 0
        self.begin()

    def begin(self) -> None:
        """The clock starts now: at the question, and again at the fault."""
        self._began, self._began_at = time.monotonic(), time.time()
        self._kept = len(self._tab.text(self._message))

    async def ask(self, text: str) -> int:
        self._message = (await self._tab.ask(text))["answer"]
        return self._message

    async def heals(self, fault: str) -> Healing:
        """Return once the question has ended; nobody does anything meanwhile."""
        turn = await self._tab.ended(self._message, SECONDS)
        ended = self._tab.came[-1][0]
        verdict, detected = self._detected()
        return Healing(
            fault=fault,
            verdict=verdict,
            detected_after_s=detected,
            reading_after_s=self._again("reading"),
            answering_after_s=self._again("text"),
            whole_after_s=ended - self._began,
            load_s=self._loading(),
            state=turn["state"],
            attempts=turn["attempt"],
            saw=self._saw(),
        )

    def _since(self) -> Iterator[tuple[float, Json]]:
        for at, event in self._tab.came:
            if at >= self._began:
                yield at - self._began, event

    def _detected(self) -> tuple[str | None, float | None]:
        """Return the first verdict, by the table of incidents."""
        status, answer = self._site.control("GET", "/v1/engine/incidents?limit=200")
        assert status == 200, answer
        found = [
            (moment - self._began_at, each["after"])
            for each in answer["incidents"]
            if each["after"] in HUNG
            and (moment := datetime.fromisoformat(each["at"]).timestamp()) >= self._began_at - 0.01
        ]
        after, verdict = min(found, default=(None, None))
        return verdict, None if after is None else max(0.0, after)

    def _again(self, what: str) -> float | None:
        """Return when another attempt came to read, or to its first piece of text."""
        again = False
        for after, event in self._since():
            if event.get("message") != self._message:
                continue
            again = again or (event["type"] == "turn" and event["turn"]["attempt"] > 1)
            state = event["turn"]["state"] if event["type"] == "turn" else event["type"]
            if again and state == what:
                return after
        return None

    def _loading(self) -> float | None:
        """Return how long this machine took to load the model the first time."""
        began = None
        for at, event in self._tab.came:
            if event["type"] == "turn" and event["message"] == self._message:
                state = event["turn"]["state"]
                if event["turn"]["attempt"] > 1:
                    break
                if state == "loading" and began is None:
                    began = at
                elif state == "reading" and began is not None:
                    return at - began
        return None

    def _saw(self) -> str:
        """Return in words what changed on the page."""
        words = [f"{self._kept} letters"] if self._kept else []
        last = engine = ""
        for after, event in self._since():
            if event["type"] == "engine":
                word = f"engine {event['engine']['state']}"
                if word == engine:
                    continue
                engine = word
            elif event.get("message") != self._message:
                continue
            elif event["type"] == "turn":
                turn = event["turn"]
                word = f"{turn['state']}{', healing' if turn['is_healing'] else ''}"
                word += f" ({turn['error']['code']})" if turn["error"] else ""
            elif event["type"] == "rewrite":
                word = "begun anew"
            else:
                continue
            if word != last:
                words.append(f"{word} {after:.1f}")
            last = word
        return " · ".join(words)


# --- the faults -----------------------------------------------------------------------------------

Strike = Callable[[psutil.Process], AbstractAsyncContextManager[object]]


@asynccontextmanager
async def stopped(child: psutil.Process) -> AsyncIterator[None]:
    """Stop all of it: connections are accepted, nothing answers."""
    os.kill(child.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(child.pid, signal.SIGCONT)


@asynccontextmanager
async def killed(child: psutil.Process) -> AsyncIterator[None]:
    os.kill(child.pid, signal.SIGKILL)
    yield


@asynccontextmanager
async def decoder_frozen(child: psutil.Process) -> AsyncIterator[None]:
    """Freeze what computes, and nothing else: its pages stay green."""
    async with frozen_decoder(child.pid) as threads:
        assert threads, "no thread computes"
        yield


@dataclass(frozen=True, slots=True)
class Fault:
    """What is done to the engine, and when; `during` is a stage of an answer."""

    name: str
    during: str
    strike: Strike


STOPPED_WRITING = Fault("SIGSTOP while writing", "write", stopped)
STOPPED_READING = Fault("SIGSTOP while reading", "read", stopped)
STOPPED_LOADING = Fault("SIGSTOP while loading", "load", stopped)
KILLED_WRITING = Fault("SIGKILL while writing", "write", killed)
KILLED_READING = Fault("SIGKILL while reading", "read", killed)
KILLED_LOADING = Fault("SIGKILL while loading", "load", killed)
DECODER_FROZEN = Fault("decoder threads frozen while writing", "write", decoder_frozen)
DECODER_FROZEN_READING = Fault("decoder threads frozen while reading", "read", decoder_frozen)


async def undisturbed(site: RunningDaemon, login: str) -> Healing:
    """Let nothing happen: what the others are read beside, from the question on."""
    async with opened_tab(site, login) as tab:
        story = Story(site, tab)
        await story.ask(STORY)
        return await story.heals("none")


async def disturbed(site: RunningDaemon, login: str, model: Path, fault: Fault) -> Healing:
    """Ask, strike at the stage, and touch nothing any more until the question has ended."""
    async with opened_tab(site, login) as tab:
        story = Story(site, tab)
        answer = await story.ask(long_prompt() if fault.during == "read" else STORY)
        if fault.during == "load":
            child = await caught_loading(site, model)
        elif fault.during == "read":
            await tab.reads(answer)
            child = its_child(site)
        else:
            await tab.writes(answer)
            child = its_child(site)
        story.begin()
        async with fault.strike(child):
            return await story.heals(fault.name)
