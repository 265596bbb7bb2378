"""A child of llama.cpp is ours alone, ends when it must, and its end says why."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import aiohttp
import psutil
import pytest

from couachgptd.core.errors import (
    AnswerInterrupted,
    EngineCpuUnsupported,
    EngineError,
    EngineKilled,
    EngineMissing,
    EnginePortTaken,
    EngineRejected,
    EngineTimeout,
    ModelBroken,
    ModelMissing,
)
from couachgptd.engine.llama_process import ChildSettings, LlamaProcess, cause_of_exit

LOAD_SECONDS = 60.0
ROOT = Path(__file__).parent.parent.parent


def settings_for(path: Path) -> ChildSettings:
    return ChildSettings(
        model="essai",
        path=str(path),
        slots=1,
        context_tokens=512,
        batch_tokens=256,
        threads=1,
        host_cache_mib=0,
    )


@pytest.fixture
async def child(starter_model: Path) -> AsyncIterator[LlamaProcess]:
    process = await LlamaProcess.start(settings_for(starter_model), LOAD_SECONDS)
    yield process
    await process.stop()


def children() -> list[int]:
    return [child.pid for child in psutil.Process().children()]


def a_missing_file(path: Path, _starter: Path) -> None:
    path.unlink(missing_ok=True)


def a_truncated_copy(path: Path, starter: Path) -> None:
    with starter.open("rb") as file:
        path.write_bytes(file.read(30_000_000))


def garbage(path: Path, _starter: Path) -> None:
    path.write_bytes(b"This is no model at all. " * 1000)


def an_empty_file(path: Path, _starter: Path) -> None:
    path.write_bytes(b"")


def a_directory(path: Path, _starter: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("made", "error", "reason"),
    [
        (a_missing_file, ModelMissing, None),
        (a_truncated_copy, ModelBroken, "truncated"),
        (garbage, ModelBroken, "not_a_model"),
        (an_empty_file, ModelBroken, "empty"),
        (a_directory, ModelBroken, None),
    ],
)
async def test_a_file_that_is_no_model_is_told_from_one_that_is_not_there(
    tmp_path: Path,
    starter_model: Path,
    made: Callable[[Path, Path], None],
    error: type[EngineError],
    reason: str | None,
) -> None:
    path = tmp_path / "essai.gguf"
    made(path, starter_model)

    with pytest.raises(error) as told:
        await LlamaProcess.start(settings_for(path), LOAD_SECONDS)

    assert told.value.fields["model"] == "essai"
    assert reason is None or told.value.fields["reason"] == reason
    assert children() == []


async def test_a_port_that_is_taken_is_told(starter_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = replace(settings_for(starter_model), port=taken.getsockname()[1])

        with pytest.raises(EnginePortTaken):
            await LlamaProcess.start(settings, LOAD_SECONDS)


async def test_a_load_that_takes_too_long_leaves_no_child(starter_model: Path) -> None:
    with pytest.raises(EngineTimeout) as told:
        await LlamaProcess.start(settings_for(starter_model), 0.05)

    assert told.value.fields["phase"] == "load"
    assert children() == []


async def test_a_load_that_is_cancelled_leaves_no_child(starter_model: Path) -> None:
    starting = asyncio.create_task(LlamaProcess.start(settings_for(starter_model), LOAD_SECONDS))
    while not children():  # noqa: ASYNC110 -- a process that starts sends no event
        await asyncio.sleep(0.01)
    starting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await starting

    assert children() == []


@pytest.mark.parametrize(
    ("status", "log", "error"),
    [
        (-signal.SIGILL, "", EngineCpuUnsupported),
        (-signal.SIGKILL, "", EngineKilled),
        (-signal.SIGSEGV, "", EngineKilled),
        (3, "No module named 'xllamacpp'", EngineMissing),
        (1, "E ggml: failed to allocate buffer", EngineRejected),
        (1, "something new", EngineRejected),
    ],
)
def test_each_exit_has_its_error(
    starter_model: Path, status: int, log: str, error: type[EngineError]
) -> None:
    assert type(cause_of_exit(status, log, "essai", starter_model)) is error


async def test_a_stranger_on_this_machine_cannot_use_the_child(child: LlamaProcess) -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    url = f"{child.address}/v1/chat/completions"

    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        assert response.status == 401

    command = Path(f"/proc/{child.pid}/cmdline").read_bytes()
    environment = Path(f"/proc/{child.pid}/environ").read_bytes()
    assert child.api_key.encode() not in command + environment


async def test_the_child_listens_on_loopback_only(child: LlamaProcess) -> None:
    listening = psutil.Process(child.pid).net_connections("tcp")

    assert {each.laddr.ip for each in listening if each.status == psutil.CONN_LISTEN} == {
        "127.0.0.1",
    }


async def test_the_child_goes_first_when_memory_ends(child: LlamaProcess) -> None:
    score = Path(f"/proc/{child.pid}/oom_score_adj").read_text(encoding="ascii")

    assert int(score) >= 500


async def test_the_child_has_a_group_of_its_own(child: LlamaProcess) -> None:
    assert os.getpgid(child.pid) == child.pid


async def test_stopping_is_quick_and_twice_is_once(child: LlamaProcess) -> None:
    await child.stop()
    await child.stop()

    assert not child.is_running
    assert await child.death(0.1) is None


async def test_a_frozen_child_is_ended_all_the_same(child: LlamaProcess) -> None:
    os.kill(child.pid, signal.SIGSTOP)

    await child.stop()

    assert not psutil.pid_exists(child.pid)


@pytest.mark.parametrize(
    ("number", "error", "fields"),
    [
        (signal.SIGKILL, EngineKilled, {"signal": "SIGKILL"}),
        (signal.SIGABRT, EngineKilled, {"signal": "SIGABRT"}),
        (signal.SIGILL, EngineCpuUnsupported, {}),
    ],
)
async def test_a_child_that_was_killed_says_by_what(
    child: LlamaProcess, number: signal.Signals, error: type[EngineError], fields: dict[str, str]
) -> None:
    os.kill(child.pid, number)

    death = await child.death(10)

    assert type(death) is error
    assert death.fields == fields


async def test_a_stop_that_is_cancelled_still_ends_the_child(child: LlamaProcess) -> None:
    os.kill(child.pid, signal.SIGSTOP)
    stopping = asyncio.create_task(child.stop())
    await asyncio.sleep(0)
    stopping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopping

    os.kill(child.pid, signal.SIGCONT)
    await child.stop()

    assert not child.is_running


PARENT = """
import asyncio, json, sys
from couachgptd.engine.llama_process import ChildSettings, LlamaProcess

async def main():
    child = await LlamaProcess.launch(ChildSettings(**json.loads(sys.argv[1])))
    if sys.argv[2] != "loading":
        await child.wait_ready(60)
    else:
        asyncio.get_running_loop().create_task(child.wait_ready(60))
        await asyncio.sleep(float(sys.argv[3]))
    print(child.pid, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""
ORPHAN_SECONDS = 2.0


@pytest.mark.parametrize(
    ("state", "after"),
    [("ready", 0), ("frozen", 0), ("loading", 0), ("loading", 0.05), ("loading", 0.3)],
)
async def test_a_parent_that_is_killed_leaves_no_orphan(
    starter_model: Path, state: str, after: float
) -> None:
    settings = settings_for(starter_model)
    told = {name: getattr(settings, name) for name in settings.__slots__}
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PARENT,
        json.dumps(told),
        state,
        str(after),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    assert parent.stdout is not None
    async with asyncio.timeout(60):
        pid = int(await parent.stdout.readline())
    orphan = psutil.Process(pid)
    if state == "frozen":
        orphan.suspend()

    parent.kill()
    await parent.wait()

    async with asyncio.timeout(ORPHAN_SECONDS):
        while not has_ended(orphan):  # noqa: ASYNC110 -- nor does another's child that ends
            await asyncio.sleep(0.02)


async def test_a_child_is_made_by_the_main_thread_only(starter_model: Path) -> None:
    # One made by another thread would be killed by the kernel when that thread ends.
    starting = LlamaProcess.start(settings_for(starter_model), LOAD_SECONDS)

    with pytest.raises(RuntimeError, match="main thread"):
        await asyncio.to_thread(asyncio.run, starting)

    assert children() == []


async def test_a_child_that_is_killed_by_us_while_it_loads_was_not_killed_by_others(
    starter_model: Path,
) -> None:
    child = await LlamaProcess.launch(settings_for(starter_model))
    loading = asyncio.create_task(child.wait_ready(LOAD_SECONDS))
    await asyncio.sleep(0)

    assert await child.kill()

    with pytest.raises(AnswerInterrupted):
        await loading
    assert child.exit is None
    assert children() == []


def has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE  # nobody may reap here
    except psutil.NoSuchProcess:
        return True
