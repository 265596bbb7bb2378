"""The engines that one suite of contracts runs on: each real, each over real HTTP."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from couachgptd import settings
from couachgptd.core.models import ChatRequest, PromptMessage
from couachgptd.core.ports import Engine
from couachgptd.engine.embedded import EmbeddedEngine
from couachgptd.engine.llama_process import ChildSettings, LlamaProcess
from couachgptd.engine.llama_server import LlamaServerEngine
from couachgptd.engine.ollama import OllamaEngine

CONTEXT_TOKENS = 1024
QUIET_CORES = 0.2
DRAIN_SECONDS = 20.0
SAMPLE_SECONDS = 0.3
DEADLINES = settings.Deadlines(load_seconds=60, read_seconds=60, gap_seconds=30, total_seconds=120)
SECTION = settings.Engine(context_tokens=CONTEXT_TOKENS, threads=1)


@dataclass(slots=True)
class Case:
    """One engine under the contract, and what differs between engines in a test."""

    kind: str
    engine: Engine
    model: str
    reopened: Callable[[settings.Deadlines], Awaitable[Engine]]
    pid_of_server: Callable[[], int | None]
    is_idle: Callable[[], Awaitable[bool]]
    long_question: str
    hanging_question: str
    can_unload: bool
    death_codes: frozenset[str]
    said: str
    goes_on_with: str

    def request(
        self, question: str = "Bonjour", max_tokens: int = 12, **changes: Any
    ) -> ChatRequest:
        messages = (PromptMessage("user", question),)
        return ChatRequest(
            **{
                "model": self.model,
                "messages": messages,
                "max_tokens": max_tokens,
                "temperature": 0.0,
                "seed": 1,
                **changes,
            },
        )

    def signal(self, number: signal.Signals) -> None:
        pid = self.pid_of_server()
        assert pid is not None
        os.kill(pid, number)


async def falls_idle(pid: int | None, within_seconds: float) -> bool:
    """Say whether a process uses less than the share of a core that counts as idle."""
    assert pid is not None
    process = psutil.Process(pid)
    loop = asyncio.get_running_loop()
    ends = loop.time() + within_seconds
    while loop.time() < ends:
        before = process.cpu_times()
        await asyncio.sleep(SAMPLE_SECONDS)  # a share of CPU is a measure over a time
        after = process.cpu_times()
        used = (after.user + after.system) - (before.user + before.system)
        if used / SAMPLE_SECONDS < QUIET_CORES:
            return True
    return False


@pytest.fixture(params=["ollama", "embedded", "llama-server"])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    """Open one engine; whatever a test did to its process, nothing of it is left."""
    opened: list[Engine] = []
    maker = {"ollama": ollama_case, "embedded": embedded_case, "llama-server": server_case}
    made, end = await maker[request.param](request, tmp_path, opened)
    opened.append(made.engine)
    yield made
    for engine in opened:
        # A stopped process ignores a polite end: let it go on, so that the test ends quickly.
        pid = made.pid_of_server()
        if pid is not None and psutil.pid_exists(pid):
            os.kill(pid, signal.SIGCONT)
        await engine.close()
    await end()


@pytest.fixture
def deadlines_with() -> Callable[..., settings.Deadlines]:
    """Return the budgets of these tests with some changed."""

    def changed(**seconds: float) -> settings.Deadlines:
        return replace(DEADLINES, **seconds)

    return changed


Made = tuple[Case, Callable[[], Awaitable[None]]]


async def nothing() -> None:
    return None


async def ollama_case(request: pytest.FixtureRequest, _folder: Path, opened: list[Engine]) -> Made:
    fake = request.getfixturevalue("start_fake_ollama")("--rate", "200")
    section = settings.Ollama(url=fake.url)

    async def reopened(deadlines: settings.Deadlines) -> Engine:
        engine = OllamaEngine(SECTION, section, deadlines)
        opened.append(engine)
        return engine

    async def is_idle() -> bool:
        state = await fake.state(wait_idle=DRAIN_SECONDS)
        return int(state["active"]) == 0

    made = Case(
        kind="ollama",
        engine=OllamaEngine(SECTION, section, DEADLINES),
        model="couac:1b",
        reopened=reopened,
        pid_of_server=lambda: fake.process.pid,
        is_idle=is_idle,
        long_question="[[tokens=2000]]",
        hanging_question="[[hang]]",
        can_unload=True,
        death_codes=frozenset({"answer_interrupted"}),
        said="Bien sûr !",
        goes_on_with="Voici une réponse",
    )
    return made, nothing


LONG_QUESTION = "Write a very long story about a dog, a cat and a bird, with many chapters."


async def embedded_case(request: pytest.FixtureRequest, folder: Path, opened: list[Engine]) -> Made:
    starter: Path = request.getfixturevalue("starter_model")
    (folder / "smollm2.gguf").symlink_to(starter)

    def new(deadlines: settings.Deadlines) -> EmbeddedEngine:
        return EmbeddedEngine(SECTION, settings.Embedded(), deadlines, folder)

    engines = [new(DEADLINES)]

    async def reopened(deadlines: settings.Deadlines) -> Engine:
        engines.append(new(deadlines))
        opened.append(engines[-1])
        return engines[-1]

    async def is_idle() -> bool:
        return await falls_idle(engines[-1].pid, DRAIN_SECONDS)

    made = Case(
        kind="embedded",
        engine=engines[0],
        model="smollm2",
        reopened=reopened,
        pid_of_server=lambda: engines[-1].pid,
        is_idle=is_idle,
        long_question=LONG_QUESTION,
        hanging_question=LONG_QUESTION,
        can_unload=True,
        death_codes=frozenset({"engine_killed"}),
        said="1, 2, 3,",
        goes_on_with="4",
    )
    return made, nothing


async def server_case(request: pytest.FixtureRequest, _folder: Path, opened: list[Engine]) -> Made:
    starter: Path = request.getfixturevalue("starter_model")
    child = ChildSettings(
        model="smollm2",
        path=str(starter),
        slots=1,
        context_tokens=CONTEXT_TOKENS,
        batch_tokens=256,
        threads=1,
        host_cache_mib=0,
    )
    process = await LlamaProcess.start(child, DEADLINES.load_seconds)
    section = settings.LlamaServer(url=process.address, api_key=process.api_key)

    async def reopened(deadlines: settings.Deadlines) -> Engine:
        engine = LlamaServerEngine(SECTION, section, deadlines)
        opened.append(engine)
        return engine

    async def is_idle() -> bool:
        return await falls_idle(process.pid, DRAIN_SECONDS)

    made = Case(
        kind="llama-server",
        engine=LlamaServerEngine(SECTION, section, DEADLINES),
        model="smollm2",
        reopened=reopened,
        pid_of_server=lambda: process.pid if process.is_running else None,
        is_idle=is_idle,
        long_question=LONG_QUESTION,
        hanging_question=LONG_QUESTION,
        can_unload=False,
        death_codes=frozenset({"answer_interrupted"}),
        said="1, 2, 3,",
        goes_on_with="4",
    )
    return made, process.stop
