"""What is seen of an engine and done to it from outside, on each way that its processes run."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from couachgptd import settings
from couachgptd.core.errors import AnswerInterrupted, EngineError
from couachgptd.core.models import ChatRequest, Finished, PromptMessage, Text
from couachgptd.core.ports import Engine, EngineControl
from couachgptd.core.vitals import Failure, Life
from couachgptd.engine.control import OwnChildControl, RemoteControl, UnitControl
from couachgptd.engine.embedded import EmbeddedEngine
from couachgptd.engine.llama_process import ChildSettings, LlamaProcess
from couachgptd.engine.llama_server import LlamaServerEngine
from couachgptd.engine.ollama import OllamaEngine
from couachgptd.engine.probes import llama_probes, ollama_probes
from couachgptd.engine.systemd import Systemctl
from tests.conftest import ROOT

DEADLINES = settings.Deadlines(load_seconds=60, read_seconds=60, gap_seconds=30, total_seconds=120)
SECTION = settings.Engine(context_tokens=1024, threads=1, slots=2)
VITALS_SECONDS = 4.0
LONG = "[[tokens=2000]] Write a very long story about a dog, with many chapters."


@dataclass(slots=True)
class Case:
    """One engine, its control, and the process that stands for the engine in a test."""

    engine: Engine
    control: EngineControl
    model: str
    pid: Callable[[], int | None]

    def signal(self, number: signal.Signals) -> None:
        pid = self.pid()
        assert pid
        os.kill(pid, number)

    def asked(self, text: str = "Say hello.", max_tokens: int = 4) -> ChatRequest:
        return ChatRequest(self.model, (PromptMessage("user", text),), max_tokens=max_tokens)

    async def answer(self) -> None:
        pieces = [piece async for piece in self.engine.chat(self.asked())]
        assert isinstance(pieces[-1], Finished)

    async def ended(self) -> None:
        """Return once the process is gone, or waits to be reaped."""
        pid = self.pid()
        async with asyncio.timeout(10):
            while pid and is_alive(pid):  # noqa: ASYNC110 -- another's child that ends says nothing
                await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(params=["child", "unit", "ollama elsewhere", "llama-server"])
async def case(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Case]:
    makers = {
        "child": own_child,
        "unit": unit,
        "ollama elsewhere": ollama_elsewhere,
        "llama-server": llama_server,
    }
    async with AsyncExitStack() as stack:
        made = await makers[request.param](request, tmp_path, stack)
        stack.push_async_callback(made.engine.close)
        stack.push_async_callback(made.control.close)
        yield made


async def own_child(request: pytest.FixtureRequest, folder: Path, _: AsyncExitStack) -> Case:
    (folder / "petit.gguf").symlink_to(request.getfixturevalue("starter_model"))
    engine = EmbeddedEngine(SECTION, settings.Embedded(host_cache_mib=0), DEADLINES, folder)
    return Case(
        engine,
        OwnChildControl(engine),
        "petit",
        lambda: engine.child.pid if engine.child else None,
    )


async def unit(request: pytest.FixtureRequest, folder: Path, stack: AsyncExitStack) -> Case:
    request.getfixturevalue("monkeypatch").setenv("FAKE_SYSTEMD", str(folder))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    fake = [sys.executable, str(ROOT / "tests" / "fake_ollama.py"), "--port", str(port)]
    (folder / "command").write_text(json.dumps([*fake, "--rate", "200"]))
    program = (sys.executable, str(ROOT / "tests" / "fake_systemctl.py"))
    await (await asyncio.create_subprocess_exec(*program, "start")).wait()

    def pid() -> int:
        return int((folder / "pid").read_text())

    def end() -> None:
        if is_alive(pid()):
            os.killpg(pid(), signal.SIGKILL)

    stack.callback(end)
    url = f"http://127.0.0.1:{port}"
    engine = OllamaEngine(SECTION, settings.Ollama(url=url), DEADLINES)
    control = UnitControl(url, engine, Systemctl("ollama.service", program))
    async with asyncio.timeout(20):
        while not (await engine.status()).is_up:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0.05)
    return Case(engine, control, "couac:1b", pid)


async def ollama_elsewhere(
    request: pytest.FixtureRequest, _folder: Path, _stack: AsyncExitStack
) -> Case:
    fake = request.getfixturevalue("start_fake_ollama")("--rate", "200")
    engine = OllamaEngine(SECTION, settings.Ollama(url=fake.url), DEADLINES)
    control = RemoteControl(fake.url, ollama_probes(), engine)
    return Case(engine, control, "couac:1b", lambda: fake.process.pid)


async def llama_server(
    request: pytest.FixtureRequest, _folder: Path, stack: AsyncExitStack
) -> Case:
    child = ChildSettings(
        model="petit",
        path=str(request.getfixturevalue("starter_model")),
        slots=2,
        context_tokens=1024,
        batch_tokens=256,
        threads=1,
        host_cache_mib=0,
    )
    process = await LlamaProcess.start(child, 60)
    stack.push_async_callback(process.stop)
    section = settings.LlamaServer(url=process.address, api_key=process.api_key)
    engine = LlamaServerEngine(SECTION, section, DEADLINES)
    control = RemoteControl(section.url, llama_probes(), None, section.api_key)
    return Case(engine, control, "petit", lambda: process.pid)


async def test_an_engine_that_serves_shows_signs_of_life(case: Case) -> None:
    await case.engine.load(case.model)

    seen = await case.control.vitals()

    assert seen.liveness is not None
    assert seen.liveness.is_ok
    assert seen.liveness.seconds < 1
    assert seen.inventory is not None
    assert seen.inventory.is_ok
    assert seen.models == (case.model,) or seen.slots
    if case.control.abilities.can_restart:
        assert seen.process.life == Life.RUNNING
        assert seen.process.pid == case.pid()
        assert seen.process.birth


async def test_the_slots_are_as_many_as_configured(case: Case) -> None:
    await case.engine.load(case.model)

    seen = await case.control.vitals()

    # Ollama tells nobody its OLLAMA_NUM_PARALLEL.
    assert seen.slots is None or len(seen.slots) == SECTION.slots
    assert (seen.slots is None) == isinstance(case.engine, OllamaEngine)


async def test_the_inventory_is_left_out_where_it_is_not_wanted(case: Case) -> None:
    await case.engine.load(case.model)

    seen = await case.control.vitals(with_inventory=False)

    assert seen.liveness is not None
    assert seen.inventory is None
    assert seen.slots is None


async def test_work_is_seen_on_the_meters_where_there_are_any(case: Case) -> None:
    await case.engine.load(case.model)
    await case.control.vitals()
    async for _ in case.engine.chat(case.asked(LONG, max_tokens=60)):
        pass

    meters = (await case.control.vitals()).meters

    assert (meters.cpu_cores is not None) == case.control.abilities.can_meter
    assert (meters.memory_bytes is not None) == case.control.abilities.can_meter
    if meters.cpu_cores is not None:
        assert meters.cpu_cores > 0.01


async def test_a_frozen_engine_is_seen_in_bounded_time_by_one_probe_at_once(case: Case) -> None:
    await case.engine.load(case.model)
    case.signal(signal.SIGSTOP)
    loop = asyncio.get_running_loop()
    began = loop.time()

    first, beside = await asyncio.gather(case.control.vitals(), case.control.vitals())
    took = loop.time() - began
    again = await case.control.vitals()
    at_once = loop.time() - began - took

    for seen in (first, beside, again):
        assert seen.liveness is not None
        assert seen.liveness.failure == Failure.TIMEOUT
        assert seen.inventory is not None
        assert seen.inventory.failure == Failure.TIMEOUT
    assert took < VITALS_SECONDS
    assert at_once < 1.0, "an open probe is told of at once"
    assert again.liveness is not None
    assert again.liveness.seconds > 3.0, "the first probe is still the one that is open"

    case.signal(signal.SIGCONT)
    await asyncio.sleep(0.5)
    after = (await case.control.vitals()).liveness
    assert after is not None
    assert after.is_ok


async def test_a_killed_engine_is_seen_to_be_gone(case: Case) -> None:
    await case.engine.load(case.model)
    await case.control.vitals()
    case.signal(signal.SIGKILL)
    await case.ended()

    seen = await case.control.vitals()

    assert seen.liveness is None or seen.liveness.failure in {Failure.REFUSED, Failure.LOST}
    if case.control.abilities.can_restart:
        assert seen.process.life == Life.ENDED
        assert seen.process.exit in {"SIGKILL", "signal"}
        assert seen.process.pid is None
        assert seen.meters.processes is None


async def test_a_model_is_dropped_where_it_can_be(case: Case) -> None:
    await case.engine.load(case.model)

    outcome = await case.control.unload(case.model)

    assert outcome.is_done == case.control.abilities.can_unload
    if outcome.is_done:
        assert await case.engine.loaded() == []
        assert not (await case.control.vitals()).models
    else:
        assert outcome.reason == "unsupported"


async def test_a_frozen_engine_answers_again_after_a_restart(case: Case) -> None:
    await case.engine.load(case.model)
    before = (await case.control.vitals()).process.birth
    case.signal(signal.SIGSTOP)

    outcome = await case.control.restart()

    assert outcome.is_done == case.control.abilities.can_restart
    if not outcome.is_done:
        case.signal(signal.SIGCONT)
        assert outcome.reason == "unsupported"
        return
    assert outcome.seconds < 10
    async with asyncio.timeout(20):
        while not (await case.engine.status()).is_up:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0.05)
    await case.answer()
    after = (await case.control.vitals()).process
    assert after.life == Life.RUNNING
    assert after.birth not in {None, before}


async def test_a_restart_interrupts_the_answers_and_never_calls_them_killed(case: Case) -> None:
    if not case.control.abilities.can_restart:
        assert not (await case.control.restart()).is_done
        return
    stream = case.engine.chat(case.asked(LONG, max_tokens=900))
    async for piece in stream:
        if isinstance(piece, Text):
            break

    restarting = asyncio.create_task(case.control.restart())
    with pytest.raises(EngineError) as told:
        async for _ in stream:
            pass

    assert isinstance(told.value, AnswerInterrupted)
    assert (await restarting).is_done


async def test_closing_twice_is_closing_once(case: Case) -> None:
    await case.control.vitals()
    await case.control.close()
    await case.control.close()


async def test_what_a_person_stops_stays_stopped_until_a_person_starts_it(case: Case) -> None:
    if not case.control.abilities.can_restart:
        assert (await case.control.stop()).reason == "unsupported"
        assert (await case.control.start()).reason == "unsupported"
        return
    await case.engine.load(case.model)

    stopped = await case.control.stop()
    seen = await case.control.vitals()
    started = await case.control.start()
    async with asyncio.timeout(20):
        while not (await case.engine.status()).is_up:  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(0.05)
    await case.engine.load(case.model)

    assert (stopped.reason, started.reason) == (None, None)
    assert seen.process.life is Life.NONE
    assert (await case.control.vitals()).process.life is Life.RUNNING
