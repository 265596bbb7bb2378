"""The ways to have a worker: systemd's units where they are, bubblewrap elsewhere, else none."""

import asyncio
import importlib.util
import logging
import os
import re
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from couachgptd import paths
from couachgptd.core.errors import FileRefused, SandboxFailed, SandboxMissing
from couachgptd.core.ports import Sandbox
from couachgptd.sandbox import libraries
from couachgptd.sandbox.frames import ANSWER_MAX, HEAD, Status, request

log = logging.getLogger(__name__)

REASON = re.compile(r"[a-z_]{1,32}")
WORDS_MAX_BYTES = 4096
CHUNK_BYTES = 256 * 1024
WORKER = Path(__file__).parent
INSIDE = "/worker"
# Where a merged /usr has links, bubblewrap is to have the same.
SYSTEM = ("/lib", "/lib32", "/lib64", "/bin")


class FirstThatIsThere:
    """Asks each way in turn; a job is never run bare."""

    def __init__(self, *ways: Sandbox) -> None:
        self._ways = ways

    async def run(self, job: str, data: bytes | Path, *, seconds: float) -> bytes:
        for way in self._ways:
            with suppress(SandboxMissing):
                return await way.run(job, data, seconds=seconds)
        raise SandboxMissing


class Unit:
    """The socket of `couachgpt-sandbox.socket`: each connection is a worker of its own."""

    def __init__(self, path: Path = paths.SANDBOX_SOCKET) -> None:
        self._path = path

    async def run(self, job: str, data: bytes | Path, *, seconds: float) -> bytes:
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except OSError:  # there is none, or it is not for us
            raise SandboxMissing from None
        try:
            return await _asked(reader, writer, job, data, seconds)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


class Bubblewrap:
    """bwrap, where it is installed and may make namespaces; the worker sees Python and itself."""

    def __init__(self, program: str = "bwrap") -> None:
        self._program = program

    async def run(self, job: str, data: bytes | Path, *, seconds: float) -> bytes:
        program = shutil.which(self._program)
        if program is None:
            raise SandboxMissing
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            program, *_walls(), stdin=pipe, stdout=pipe, stderr=pipe
        )
        assert process.stdin and process.stdout and process.stderr  # noqa: PT018, S101 -- pipes
        try:
            return await _asked(process.stdout, process.stdin, job, data, seconds)
        except SandboxFailed as failure:
            if failure.fields["reason"] != "ended":
                raise
            words = await process.stderr.read(WORDS_MAX_BYTES)
            log.warning("a sandbox has ended", extra={"error": words.decode(errors="replace")})
            if words.startswith(b"bwrap:"):  # the wall itself could not be built
                raise SandboxMissing from None
            raise
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _walls() -> Sequence[str]:
    """Return bwrap's arguments: no network, no file but the interpreter's and the worker's."""
    python = Path(sys.base_prefix)
    shown = ["--ro-bind", "/usr", "/usr"]
    for name in SYSTEM:
        if Path(name).is_symlink():
            shown += ["--symlink", str(Path(name).readlink()), name]
        elif Path(name).is_dir():
            shown += ["--ro-bind", name, name]
    if not python.is_relative_to("/usr"):
        shown += ["--ro-bind", str(python), str(python)]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return [
        "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL",
        *shown,
        "--ro-bind", str(WORKER), f"{INSIDE}/{__package__.replace('.', '/')}",
        *_libraries(),
        "--dev", "/dev", "--tmpfs", "/tmp",  # noqa: S108 -- its own
        "--chdir", INSIDE,
        "--", str(python / "bin" / version), "-B", "-E", "-s", "-m", __package__,
    ]  # fmt: skip


def _libraries() -> Iterator[str]:
    """Yield the arguments that show the worker its libraries, and nothing beside them."""
    for name in libraries.NAMES:
        found = importlib.util.find_spec(name)  # which looks for it and does not import it
        if found is not None and found.origin is not None:
            path = Path(found.origin)
            shown = path.parent if path.name == "__init__.py" else path
            yield from ("--ro-bind", str(shown), f"{INSIDE}/{shown.name}")


async def _send(writer: asyncio.StreamWriter, job: str, data: bytes | Path) -> None:
    """Send the request; a file goes bit by bit, so that we never hold it whole."""
    if isinstance(data, bytes):
        writer.write(request(job, len(data)) + data)
        await writer.drain()
        return
    with await asyncio.to_thread(data.open, "rb") as stream:
        left = os.fstat(stream.fileno()).st_size
        writer.write(request(job, left))
        while left and (chunk := await asyncio.to_thread(stream.read, min(left, CHUNK_BYTES))):
            writer.write(chunk)
            await writer.drain()
            left -= len(chunk)


async def _asked(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    job: str,
    data: bytes | Path,
    seconds: float,
) -> bytes:
    """Return the worker's answer, which is as little to be trusted as what it was given.

    Raises FileRefused, SandboxFailed.
    """
    try:
        async with asyncio.timeout(seconds):
            with suppress(ConnectionError):  # it may have answered before it had read all
                await _send(writer, job, data)
            status, length = HEAD.unpack(await reader.readexactly(HEAD.size))
            if length > ANSWER_MAX:
                raise SandboxFailed(reason="ended")
            body = await reader.readexactly(length)
    except TimeoutError:
        raise SandboxFailed(reason="time") from None
    except (ConnectionError, asyncio.IncompleteReadError):
        raise SandboxFailed(reason="ended") from None
    if status == Status.DONE:
        return body
    if status == Status.OUT_OF_MEMORY:
        raise SandboxFailed(reason="memory")
    reason = body.decode("ascii", errors="replace")
    if status != Status.REFUSED or not REASON.fullmatch(reason):
        raise SandboxFailed(reason="ended")
    raise FileRefused(reason=reason)
