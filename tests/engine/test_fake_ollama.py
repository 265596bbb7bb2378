"""The fake Ollama hangs, breaks and spins as it is told to: the fault tests stand on it."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import psutil
import pytest

from couachgptd.engine.meters import ProcessMeter
from tests.conftest import ROOT, FakeOllama

StartFakeOllama = Callable[..., FakeOllama]
SILENCE_SECONDS = 0.4
BUSY_CORES = 0.2


@pytest.fixture
def fake(start_fake_ollama: StartFakeOllama) -> FakeOllama:
    return start_fake_ollama("--rate", "200")


@pytest.fixture
async def http(fake: FakeOllama) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(fake.url, raise_for_status=False) as session:
        yield session


def question(text: str = "Bonjour") -> dict[str, Any]:
    return {"model": "couac:1b", "messages": [{"role": "user", "content": text}]}


async def answer(http: aiohttp.ClientSession, text: str = "Bonjour") -> tuple[int, bytes]:
    async with http.post("/api/chat", json=question(text)) as response:
        return response.status, await response.read()


async def is_silent(work: "asyncio.Task[Any]") -> bool:
    done, _ = await asyncio.wait({work}, timeout=SILENCE_SECONDS)
    return not done


async def meter(pid: int) -> ProcessMeter:
    """Return a meter that has its first sample."""
    made = ProcessMeter()
    await asyncio.to_thread(made.sample, pid)
    return made


async def cores(pid: int) -> float:
    meters = await meter(pid)
    await asyncio.sleep(SILENCE_SECONDS)
    used = meters.sample(pid).cpu_cores
    assert used is not None
    return used


async def spins(pid: int) -> bool:
    """Say whether it burns a core before long: a busy machine may give it a part of one only."""
    for _ in range(10):
        if await cores(pid) > BUSY_CORES:
            return True
    return False


@pytest.mark.parametrize("page", ["version", "ps", "tags"])
async def test_a_page_hangs_while_the_others_answer(
    fake: FakeOllama, http: aiohttp.ClientSession, page: str
) -> None:
    await fake.script(hangs=[page])
    hung = asyncio.create_task(http.get(f"/api/{page}").__aenter__())

    assert await is_silent(hung)
    assert (await answer(http))[0] == 200
    hung.cancel()
    await fake.script(hangs=[])
    async with http.get(f"/api/{page}") as response:
        assert response.status == 200


async def test_the_version_is_green_while_generation_is_dead(
    fake: FakeOllama, http: aiohttp.ClientSession
) -> None:
    await fake.script(hangs=["chat", "generate"])
    hung = asyncio.create_task(answer(http))

    assert await is_silent(hung)
    async with http.get("/api/version") as response:
        assert response.status == 200
    hung.cancel()


@pytest.mark.parametrize("where", ["hang-before-first", "hang-after=3"])
async def test_it_spins_while_it_is_silent_until_the_client_goes(
    fake: FakeOllama, http: aiohttp.ClientSession, where: str
) -> None:
    hung = asyncio.create_task(answer(http, f"[[{where} spin]]"))

    assert await spins(fake.process.pid)

    hung.cancel()
    await fake.state(wait_idle=5)
    assert await cores(fake.process.pid) < BUSY_CORES


async def test_it_goes_on_spinning_when_the_client_has_gone(
    fake: FakeOllama, http: aiohttp.ClientSession
) -> None:
    hung = asyncio.create_task(answer(http, "[[hang-before-first spin-on]]"))
    assert await spins(fake.process.pid)
    hung.cancel()
    await fake.state(wait_idle=5)

    assert await spins(fake.process.pid)


async def test_a_reset_is_a_reset(fake: FakeOllama, http: aiohttp.ClientSession) -> None:
    del fake
    with pytest.raises((ConnectionResetError, aiohttp.ClientError)):
        await answer(http, "[[reset-after=3]]")


async def test_a_half_open_connection_neither_ends_nor_sees_the_client_go(
    fake: FakeOllama, http: aiohttp.ClientSession
) -> None:
    hung = asyncio.create_task(answer(http, "[[half-open-after=3]]"))
    assert await is_silent(hung)
    hung.cancel()

    state = await fake.state(wait_idle=SILENCE_SECONDS)

    assert state["active"] == 1
    assert state["cancelled"] == 0


async def test_it_is_busy_as_often_as_told(fake: FakeOllama, http: aiohttp.ClientSession) -> None:
    await fake.script(status=503, status_times=2)

    statuses = [(await answer(http))[0] for _ in range(3)]

    assert statuses == [503, 503, 200]


async def test_an_unload_can_be_ignored(fake: FakeOllama, http: aiohttp.ClientSession) -> None:
    await fake.script(unload_ignored=True)
    await answer(http)

    async with http.post("/api/generate", json={"model": "couac:1b", "keep_alive": 0}) as response:
        assert response.status == 200

    assert (await fake.state())["loaded"] == ["couac:1b"]


async def test_a_load_reads_the_disk_or_moves_nothing(
    fake: FakeOllama, http: aiohttp.ClientSession
) -> None:
    await fake.script(load_seconds=1.5, load_reads=True)
    reading = asyncio.create_task(answer(http))
    assert await is_silent(reading)
    meters = await meter(fake.process.pid)
    await asyncio.sleep(SILENCE_SECONDS)
    moved = meters.sample(fake.process.pid).io_bytes_per_second
    await reading

    await fake.script(load_reads=False)
    still = asyncio.create_task(
        http.post("/api/generate", json={"model": "couac:3b"}).__aenter__(),
    )
    assert await is_silent(still)
    meters = await meter(fake.process.pid)
    await asyncio.sleep(SILENCE_SECONDS)
    seen = meters.sample(fake.process.pid)
    await still

    assert moved is not None
    assert moved > 1 << 20
    assert seen.io_bytes_per_second == 0
    assert seen.cpu_cores is not None
    assert seen.cpu_cores < 0.1


async def runner_of(fake: FakeOllama, model: str = "couac:1b") -> psutil.Process:
    return psutil.Process((await fake.state())["runners"][model])


async def test_a_frozen_runner_silences_the_answer_and_an_unload_kills_it(
    fake: FakeOllama, http: aiohttp.ClientSession
) -> None:
    await fake.script(runner="deaf")
    await answer(http)
    runner = await runner_of(fake)
    runner.terminate()  # which it ignores
    runner.suspend()
    hung = asyncio.create_task(answer(http))
    assert await is_silent(hung)
    hung.cancel()

    async with http.post("/api/generate", json={"model": "couac:1b", "keep_alive": 0}) as response:
        assert response.status == 200

    assert not runner.is_running()
    assert (await answer(http))[0] == 200


async def test_a_runner_killed_in_mid_answer_is_an_error_line(
    fake: FakeOllama, http: aiohttp.ClientSession
) -> None:
    await fake.script(runner="plain", rate=5)
    async with http.post("/api/chat", json=question()) as response:
        await response.content.readline()
        (await runner_of(fake)).kill()
        lines = (await response.read()).splitlines()

    assert lines[-1] == b'{"error": "llama runner process has terminated: signal: killed"}'


async def test_a_runner_that_ends_at_its_start_is_a_500(
    fake: FakeOllama, http: aiohttp.ClientSession
) -> None:
    await fake.script(runner="dead")

    status, text = await answer(http)

    assert status == 500
    assert b"has terminated: exit status 2" in text


async def test_no_runner_outlives_an_engine_that_was_killed(
    fake: FakeOllama, http: aiohttp.ClientSession
) -> None:
    await fake.script(runner="deaf")
    await answer(http)
    runner = await runner_of(fake)

    fake.process.kill()

    await asyncio.to_thread(psutil.wait_procs, [runner], 2)
    assert not runner.is_running()


async def test_an_unknown_word_in_a_script_is_refused(http: aiohttp.ClientSession) -> None:
    async with http.post("/fake/script", json={"hang_forever": True}) as response:
        assert response.status == 400


def test_it_can_end_at_its_start() -> None:
    program = [sys.executable, str(ROOT / "tests" / "fake_ollama.py"), "--exit-at-start", "3"]

    assert subprocess.run(program, check=False).returncode == 3


def test_it_can_ignore_a_polite_end(start_fake_ollama: StartFakeOllama) -> None:
    process = start_fake_ollama("--deaf").process

    process.terminate()

    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(SILENCE_SECONDS)


async def test_it_can_be_told_at_its_start(start_fake_ollama: StartFakeOllama) -> None:
    fake = start_fake_ollama("--script", '{"hangs": ["version"]}')
    host, port = fake.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"GET /api/version HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.settimeout(SILENCE_SECONDS)
        with pytest.raises(TimeoutError):
            connection.recv(1)
