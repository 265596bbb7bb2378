"""The sandbox as the daemon has it: bubblewrap where it is, and no work at all where nothing is."""

import asyncio
import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from couachgptd.core.errors import FileRefused, SandboxFailed, SandboxMissing
from couachgptd.sandbox import frames, walls
from couachgptd.sandbox.frames import Status
from couachgptd.sandbox.walls import Bubblewrap, FirstThatIsThere, Unit
from tests.conftest import ROOT

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
SECONDS = 60.0

needs_bwrap = pytest.mark.skipif(
    shutil.which("bwrap") is None
    or subprocess.call(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"]) != 0,
    reason="bubblewrap is not installed, or may not make namespaces here",
)


def work(job: str, data: bytes) -> "subprocess.CompletedProcess[bytes]":
    """Run the worker without a wall, as no program of ours does: what it answers is its own."""
    program = [sys.executable, "-m", "couachgptd.sandbox"]
    asked = frames.request(job, len(data)) + data
    return subprocess.run(program, input=asked, capture_output=True, cwd=ROOT, check=False)


# --- the worker ----------------------------------------------------------------------------------


def test_the_worker_answers_once_and_ends() -> None:
    done = work("logo", SVG)

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == frames.answer(Status.DONE, b"svg")


def test_a_job_that_is_not_in_its_table_is_not_done() -> None:
    done = work("shell", b"id")

    assert done.returncode != 0
    assert done.stdout == b""


@pytest.mark.parametrize(
    "asked",
    [b"", b"\0", frames.HEAD.pack(4, 10) + b"logo", frames.HEAD.pack(4, 2**32 - 1) + b"logo"],
)
def test_a_request_that_is_none_gets_no_answer(asked: bytes) -> None:
    program = [sys.executable, "-m", "couachgptd.sandbox"]
    done = subprocess.run(program, input=asked, capture_output=True, cwd=ROOT, check=False)

    assert done.returncode != 0
    assert done.stdout == b""


def test_what_is_beyond_the_bounds_is_not_even_asked() -> None:
    with pytest.raises(ValueError, match="logo"):
        frames.request("logo", frames.DATA_MAX + 1)


def test_the_worker_loads_the_standard_library_only() -> None:
    program = (
        "import sys; before = set(sys.modules); import couachgptd.sandbox.__main__; "
        "print(*{m.partition('.')[0] for m in set(sys.modules) - before})"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert set(told.stdout.split()) - sys.stdlib_module_names == {"couachgptd"}


# --- bubblewrap ----------------------------------------------------------------------------------


@needs_bwrap
async def test_bubblewrap_does_the_job() -> None:
    assert await Bubblewrap().run("logo", SVG, seconds=SECONDS) == b"svg"
    with pytest.raises(FileRefused) as refused:
        await Bubblewrap().run("logo", b"GIF89a", seconds=SECONDS)
    assert refused.value.fields == {"reason": "not_an_image"}


def inside(program: str) -> "subprocess.CompletedProcess[str]":
    """Run a program of the test's behind the wall that the worker has."""
    arguments = list(walls._walls())
    python = arguments[arguments.index("--") + 1]
    wall = arguments[: arguments.index("--")]
    words = ["bwrap", *wall, "--", python, "-c", program]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@needs_bwrap
def test_behind_it_there_is_no_network_no_file_of_ours_and_no_secret(tmp_path: Path) -> None:
    secret = tmp_path / "couachgpt.db"
    secret.write_text("secret")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        seen = inside(f"import socket; socket.create_connection(('127.0.0.1', {port}), 5)")
    assert "OSError" in seen.stderr or "Refused" in seen.stderr

    assert "FileNotFoundError" in inside(f"open({str(secret)!r})").stderr
    assert "FileNotFoundError" in inside(f"open({str(ROOT / 'pyproject.toml')!r})").stderr
    assert "FileNotFoundError" in inside("open('/etc/passwd')").stderr
    assert "Read-only" in inside("open('/usr/x', 'w')").stderr
    # bwrap's own, and Python's.
    assert set(inside("import os; print(*os.environ)").stdout.split()) <= {"PWD", "LC_CTYPE"}
    assert "ProcessLookupError" in inside(f"import os; os.kill({os.getpid()}, 0)").stderr


@needs_bwrap
async def test_one_that_does_not_end_is_ended(tmp_path: Path) -> None:
    """The program is bwrap with another worker behind it: ours has no job that goes on for ever."""
    endless = tmp_path / "bwrap"
    mark = f"endless-{os.getpid()}"
    endless.write_text(
        f"#!/bin/sh\nexec bwrap --unshare-all --die-with-parent --ro-bind / / "
        f"{sys.executable} -c 'while True: pass' {mark}\n"
    )
    endless.chmod(0o755)

    with pytest.raises(SandboxFailed) as failed:
        await Bubblewrap(str(endless)).run("logo", SVG, seconds=2)

    assert failed.value.fields == {"reason": "time"}
    await asyncio.to_thread(psutil.wait_procs, procs := running(mark), 30)
    assert not [each for each in procs if each.is_running()]


def running(mark: str) -> list[psutil.Process]:
    return [
        each for each in psutil.process_iter(["cmdline"]) if mark in (each.info["cmdline"] or ())
    ]


async def test_a_bubblewrap_that_may_not_build_its_wall_is_none(tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n"
    )
    program.chmod(0o755)

    with pytest.raises(SandboxMissing):
        await Bubblewrap(str(program)).run("logo", SVG, seconds=SECONDS)


# --- which way -----------------------------------------------------------------------------------


async def test_where_there_is_neither_the_work_is_refused(tmp_path: Path) -> None:
    neither = FirstThatIsThere(Unit(tmp_path / "none.sock"), Bubblewrap(str(tmp_path / "bwrap")))

    with pytest.raises(SandboxMissing):
        await neither.run("logo", SVG, seconds=SECONDS)


@contextlib.asynccontextmanager
async def answering(path: Path, answer: bytes | None) -> AsyncIterator[Unit]:
    """Have somebody at the unit's socket who answers so, whatever is asked; None: never."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            if answer is None:
                await reader.read()  # until the other one has had enough
            else:
                writer.write(answer)
            writer.close()
            await writer.wait_closed()

    async with await asyncio.start_unix_server(serve, path):
        yield Unit(path)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "ended"),
        (b"\0\0", "ended"),
        (frames.HEAD.pack(Status.DONE, 2**32 - 1), "ended"),
        (frames.HEAD.pack(Status.DONE, 5) + b"svg", "ended"),
        (frames.answer(Status.REFUSED, b"<script>"), "ended"),
        (frames.HEAD.pack(77, 0), "ended"),
        (frames.answer(Status.OUT_OF_MEMORY), "memory"),
        (None, "time"),
    ],
)
async def test_an_answer_is_not_trusted(tmp_path: Path, answer: bytes | None, reason: str) -> None:
    async with answering(tmp_path / "unit.sock", answer) as unit:
        with pytest.raises(SandboxFailed) as failed:
            await unit.run("logo", SVG, seconds=1)

    assert failed.value.fields == {"reason": reason}


async def test_the_unit_is_asked_before_bubblewrap(tmp_path: Path) -> None:
    told = frames.answer(Status.DONE, b"by the unit")
    async with answering(tmp_path / "unit.sock", told) as unit:
        ways = FirstThatIsThere(unit, Bubblewrap())
        assert await ways.run("logo", SVG, seconds=SECONDS) == b"by the unit"
