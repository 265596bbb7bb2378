"""One child process of llama.cpp: start, watch, end, and say why it ended."""

import asyncio
import json
import os
import secrets
import signal
import sys
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from couachgptd import paths
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
from couachgptd.engine.llama_child import EXIT_NOT_INSTALLED

CHILD = "couachgptd.engine.llama_child"
STOP_SECONDS = 1.0  # it has nothing to save: one that takes longer hangs
DRAIN_SECONDS = 1.0
KILL_SECONDS = 10.0  # a process in the kernel's hands may outlive even SIGKILL for a while
TAIL_BYTES = 8192  # some 50 lines, which hold the cause; the log before it may hold prompts

# systemd's socket and watchdog are the daemon's; the library reads settings from LLAMA_ARG_*.
NOT_INHERITED = ("NOTIFY_SOCKET", "WATCHDOG_", "LISTEN_", "LLAMA_ARG_")

PORT_TAKEN = "couldn't bind"
BROKEN = (
    ("not within the file bounds", "truncated"),
    ("invalid magic", "not_a_model"),
    ("failed to read magic", "empty"),
    ("unknown model architecture", "unknown_architecture"),
    ("error loading model", "unreadable"),
    ("failed to load model", "unreadable"),
)
NO_MEMORY = ("failed to allocate", "unable to allocate", "bad_alloc", "cannot allocate memory")


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """What the child is told; port 0 lets the kernel choose a free one."""

    model: str
    path: str
    slots: int
    context_tokens: int
    batch_tokens: int
    threads: int
    host_cache_mib: int
    port: int = 0


class LlamaProcess:
    """A child that serves one model on loopback, in a process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process, settings: ChildSettings) -> None:
        self._process = process
        self._settings = settings
        self._tail = b""
        self._drain = asyncio.create_task(self._drain_log())
        self._end: asyncio.Task[None] | None = None
        self._was_stopped = False
        self.is_ready = False
        self.birth = f"{process.pid}-{time.monotonic_ns()}"
        self.api_key = secrets.token_urlsafe(24)
        self.address = ""

    @classmethod
    async def start(cls, settings: ChildSettings, load_seconds: float) -> Self:
        """Return the child once its model is loaded; else it is gone and the cause is raised."""
        child = await cls.launch(settings)
        await child.wait_ready(load_seconds)
        return child

    @classmethod
    async def launch(cls, settings: ChildSettings) -> Self:
        """Return the child once it runs; `wait_ready` comes next. Raises EngineRejected."""
        if threading.current_thread() is not threading.main_thread():
            # The kernel's parent-death signal comes when the *thread* that forked ends.
            raise RuntimeError("a child of llama.cpp is made by the main thread only")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)
        }
        # `-P` keeps the daemon's working directory out of the child's imports.
        environment["PYTHONPATH"] = str(paths.PACKAGE.parent)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                CHILD,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                cwd="/",
                env=environment,
            )
        except OSError as error:  # no memory, or no more processes allowed
            raise EngineRejected(reason=error.strerror or "cannot_start") from None
        return cls(process, settings)

    async def wait_ready(self, load_seconds: float) -> None:
        """Return once the model is loaded; else the child is gone and the cause is raised."""
        try:
            await self._told_ready(load_seconds)
        except BaseException:
            await self.stop()
            raise

    @property
    def model(self) -> str:
        return self._settings.model

    @property
    def context_tokens(self) -> int:
        return self._settings.context_tokens

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    @property
    def was_killed(self) -> bool:
        """Say whether a signal that was not ours ended it."""
        return (self._process.returncode or 0) < 0 and not self._was_stopped

    @property
    def exit(self) -> str | None:
        """How it ended by itself: a signal's name or `exit_status_N`; None if it did not."""
        status = self._process.returncode
        if status is None or self._was_stopped:
            return None
        return signal_name(-status) if status < 0 else f"exit_status_{status}"

    async def kill(self) -> bool:
        """End the whole group at once, whatever it is at; say whether it is gone within 10 s.

        SIGKILL also ends what is stopped, ignores SIGTERM or is still loading.
        """
        if self.is_running:
            self._was_stopped = True
            return await self._ended_by(signal.SIGKILL, KILL_SECONDS)
        return True

    async def stop(self) -> None:
        """Return once the child is gone; twice is once.

        A caller that is cancelled meanwhile does not save the child: the end is a task of its own.
        """
        if self._end is None:
            self._end = asyncio.create_task(self._end_it())
        await asyncio.shield(self._end)

    async def death(self, within_seconds: float) -> EngineError | None:
        """Return why the child ended by itself; None if it runs on, or ended by our order."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_seconds):
                await self._process.wait()
                await self._drain
        if self.is_running or self._was_stopped:
            return None
        return self._cause()

    async def _told_ready(self, load_seconds: float) -> None:
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:  # pragma: no cover -- both were asked for
            raise RuntimeError("no pipes")
        told = asdict(self._settings) | {"api_key": self.api_key, "parent": os.getpid()}
        try:
            async with asyncio.timeout(load_seconds):
                with suppress(ConnectionError):  # it died at once: its exit tells why
                    stdin.write(json.dumps(told).encode() + b"\n")
                    await stdin.drain()
                    stdin.close()
                line = await stdout.readline()
                if not line:
                    await self._process.wait()
                    await self._drain
                    if self._was_stopped:
                        raise AnswerInterrupted(reason="engine_ended")
                    raise self._cause()
        except TimeoutError:
            raise EngineTimeout(phase="load", seconds=load_seconds) from None
        self.address = str(json.loads(line)["address"])
        self.is_ready = True

    async def _end_it(self) -> None:
        if self.is_running:
            self._was_stopped = True
            # While it loads it listens to nothing but SIGKILL, and has nothing to tidy.
            if not (self.is_ready and await self._ended_by(signal.SIGTERM, STOP_SECONDS)):
                await self._ended_by(signal.SIGKILL, KILL_SECONDS)
        # Its log ends with it, unless the kernel still holds it: then nobody waits for ever.
        await asyncio.wait([self._drain], timeout=DRAIN_SECONDS)
        self._drain.cancel()

    async def _ended_by(self, number: signal.Signals, seconds: float) -> bool:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    async def _drain_log(self) -> None:
        """Read the log always, or its pipe fills and llama.cpp stops; keep its end only."""
        stderr = self._process.stderr
        if stderr is None:  # pragma: no cover -- it was asked for
            return
        while chunk := await stderr.read(TAIL_BYTES):
            self._tail = (self._tail + chunk)[-TAIL_BYTES:]

    def _cause(self) -> EngineError:
        return cause_of_exit(
            self._process.returncode or 0,
            self._tail.decode(errors="replace"),
            self.model,
            Path(self._settings.path),
        )


def cause_of_exit(status: int, log: str, model: str, path: Path) -> EngineError:
    """Return the error that an exit status and the end of the log stand for.

    No line of the log goes into an error: it may hold what people wrote.
    """
    lower = log.lower()
    if status == -signal.SIGILL:
        return EngineCpuUnsupported()
    if status < 0:
        return EngineKilled(signal=signal_name(-status))
    if status == EXIT_NOT_INSTALLED:
        return EngineMissing(reason="xllamacpp")
    if PORT_TAKEN in lower:
        return EnginePortTaken()
    if not path.exists():
        return ModelMissing(model=model)
    if any(mark in lower for mark in NO_MEMORY):
        return EngineRejected(reason="out_of_memory")
    for mark, reason in BROKEN:
        if mark in lower:
            return ModelBroken(model=model, reason=reason)
    return EngineRejected(reason=f"exit_status_{status}")


def signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
