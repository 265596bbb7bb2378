"""What else befalls a real llama.cpp below a real daemon: a bad file, a taken port, a crowd.

Each scene returns what it saw, with a `Healing` as a row: for the tests, and for
`benchmarks.healing`, which prints it. The site has ada, claire, lea and marc.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from tests.faults.llama import (
    STORY,
    Healing,
    Story,
    Tab,
    cpu_of,
    its_child,
    listening,
    long_prompt,
    opened_tab,
    uses,
)
from tests.running_daemon import Json, RunningDaemon

PEOPLE = ("ada", "claire", "lea", "marc")
ASKERS = ("ada",) * 5 + PEOPLE[1:]
FREE_SECONDS = 2.0
LET_GO_SECONDS = 45.0


class Scene(Protocol):
    @property
    def healing(self) -> Healing: ...


@dataclass(frozen=True, slots=True)
class BadFile:
    healing: Healing
    turn: Json
    refused: Json
    mended: Json


BAD_FILE_SETTINGS = ("chat.answer_tokens=40",)


async def bad_file(site: RunningDaemon, bad: Path, good: Path) -> BadFile:
    """Ask the one model there is, whose file is cut; then put a good file in its place."""
    async with opened_tab(site, "ada") as tab:
        began = time.monotonic()
        asked = await tab.ask(STORY)
        turn = await tab.ended(asked["answer"])
        told_after = time.monotonic() - began
        await tab.next("engine", where=lambda found: not found["default_model"], seconds=60)
        refused = await tab.request(
            "chat.ask", text=STORY, conversation=None, client_id="2", parent=None, model=None
        )
        bad.unlink()
        bad.symlink_to(good)
        began = time.monotonic()
        await tab.next("engine", where=lambda found: found["default_model"], seconds=60)
        again = await tab.ask(STORY)
        await tab.writes(again["answer"], letters=1)
        answering_after = time.monotonic() - began
        mended = await tab.ended(again["answer"], 60)
    healing = Healing(
        "corrupt model",
        detected_after_s=told_after,
        answering_after_s=answering_after,
        state=mended["state"],
        saw=f"{turn['state']} ({turn['error']['code']}) · answered once the file was replaced",
    )
    return BadFile(healing, turn, refused, mended)


@dataclass(frozen=True, slots=True)
class TakenPort:
    healing: Healing
    port: int
    ports: Sequence[int]


async def taken_port(site: RunningDaemon) -> TakenPort:
    """Kill the child while it writes, and listen where it did."""
    async with opened_tab(site, "ada") as tab:
        story = Story(site, tab)
        await tab.writes(await story.ask(STORY))
        child = its_child(site)
        story.begin()
        (port,) = listening(child)
        child.kill()
        with socket.socket() as squatter:
            squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            async with asyncio.timeout(FREE_SECONDS):
                while not _bound(squatter, port):  # noqa: ASYNC110 -- the kernel offers no event
                    await asyncio.sleep(0.01)
            squatter.listen()
            healing = await story.heals("killed, and its port taken")
            return TakenPort(healing, port, listening(its_child(site)))


def _bound(squatter: socket.socket, port: int) -> bool:
    try:
        squatter.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Crowd:
    """`spans` are when each answer began and ended, in the order of ASKERS."""

    healing: Healing
    turns: Sequence[Json]
    texts: Sequence[str]
    spans: Sequence[tuple[float, float]]


# An answer lasts longer than eight people take to ask, also on a busy machine.
CROWD_SETTINGS = ("engine.slots=2", "chat.answer_tokens=120")


async def crowd(site: RunningDaemon) -> Crowd:
    """Let four people ask eight questions at once, one of them five."""
    began = time.time()
    async with AsyncExitStack() as stack:
        tabs: dict[str, Tab] = {
            login: await stack.enter_async_context(opened_tab(site, login)) for login in PEOPLE
        }
        asked = [(login, (await tabs[login].ask(STORY))["answer"]) for login in ASKERS]
        turns = [await _ended_already(tabs[login], answer) for login, answer in asked]
        texts = [tabs[login].text(answer) for login, answer in asked]
    spans = [(_moment(turn["started_at"]), _moment(turn["finished_at"])) for turn in turns]
    done = sum(turn["state"] == "done" for turn in turns)
    others = max(start for start, _ in spans[ASKERS.count("ada") :]) - began
    healing = Healing(
        "8 chats on 2 slots",
        whole_after_s=max(end for _, end in spans) - began,
        state="done" if done == len(turns) else "cut",
        saw=f"{done} answered · who asked once began within {others:.1f}",
    )
    return Crowd(healing, turns, texts, spans)


@dataclass(frozen=True, slots=True)
class Stopped:
    """`*_after` are seconds since the stop; the rest is CPU: seconds, and cores at the end."""

    healing: Healing
    turn: Json
    answered: Json
    said_after: float
    let_go_after: float
    drained: float
    answering: float
    cores_after: float
    is_alive: bool


# All of the prompt is one batch: until it ends, the engine cannot see that nobody wants it.
STOPPED_SETTINGS = ("embedded.batch_tokens=2048", "chat.answer_tokens=20")


async def stopped_reading(site: RunningDaemon) -> Stopped:
    """Stop a long question while it is read, and ask another."""
    loop = asyncio.get_running_loop()
    async with opened_tab(site, "ada") as ada, opened_tab(site, "claire") as claire:
        asked = await ada.ask(long_prompt(800))
        reading = await ada.until("reading", asked["answer"], 60)
        child = its_child(site)
        await uses(child, at_least=0.5)
        began, used = loop.time(), cpu_of(child)
        await ada.request("chat.stop", turn=reading["turn"]["id"])
        other = await claire.ask("Bonjour")
        turn = await _ended_already(ada, asked["answer"])
        said_after = loop.time() - began
        await claire.until("reading", other["answer"], LET_GO_SECONDS)
        let_go_after, drained = loop.time() - began, cpu_of(child) - used
        answered = await claire.ended(other["answer"], 60)
        answering = cpu_of(child) - used - drained
        await asyncio.sleep(1)
        used = cpu_of(child)
        await asyncio.sleep(1)
        cores_after = cpu_of(child) - used
    saw = (
        f"stopped {said_after:.2f} · {drained:.1f} s of CPU · slot free {let_go_after:.2f}"
        f" · next answered with {answering:.1f} s of CPU · {cores_after:.2f} core then"
    )
    healing = Healing(
        "cancelled while reading",
        detected_after_s=said_after,
        reading_after_s=let_go_after,
        state=turn["state"],
        saw=saw,
    )
    return Stopped(
        healing,
        turn,
        answered,
        said_after,
        let_go_after,
        drained,
        answering,
        cores_after,
        child.is_running(),
    )


# The scenes that need no file of their own, with their settings.
SCENES: tuple[
    tuple[tuple[str, ...], Callable[[RunningDaemon], Coroutine[Any, Any, Scene]]], ...
] = (
    ((), taken_port),
    (CROWD_SETTINGS, crowd),
    (STOPPED_SETTINGS, stopped_reading),
)


async def _ended_already(tab: Tab, answer: int) -> Json:
    """Return a turn at its end, which may have come while another was waited for."""
    for event in tab.messages:
        if event["type"] == "turn" and event["message"] == answer and event["turn"]["finished_at"]:
            turn: Json = event["turn"]
            return turn
    return await tab.ended(answer, 120)


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
