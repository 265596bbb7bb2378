"""The fake Ollama's runner: a real process that loads, reads the disk, spins, and may not obey."""

import argparse
import asyncio
import contextlib
import ctypes
import os
import select
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

PR_SET_PDEATHSIG = 1
BLOCK_BYTES = 4 << 20
KINDS = ("plain", "deaf", "dead", "hungry")
MEAL_BYTES = 512 << 20


class RunnerEnded(Exception):
    """It ended; the text is what Ollama says then."""


class Runner:
    """The fake Ollama's side: one command, one reply; a frozen runner never replies."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._asked = 0
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, kind: str) -> Self:
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable,
                "-S",
                __file__,
                kind,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            ),
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, command: str) -> None:
        """Return once it has done what it was asked to. Raises RunnerEnded."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        async with self._turn:
            self._asked += 1
            number = str(self._asked)
            with contextlib.suppress(ConnectionError):
                stdin.write(f"{number} {command}\n".encode())
                await stdin.drain()
            # A caller that went away left its reply behind: it is not ours.
            while line := (await stdout.readline()).decode().strip():
                if line == number:
                    return
        status = await self._process.wait()
        how = f"signal: {signal_words(-status)}" if status < 0 else f"exit status {status}"
        raise RunnerEnded(f"llama runner process has terminated: {how}")

    async def kill(self) -> None:
        """End it as Ollama does: SIGKILL, then wait for as long as it takes."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def signal_words(number: int) -> str:
    return "killed" if number == signal.SIGKILL else signal.Signals(number).name.lower()


# --- the process itself --------------------------------------------------------------------------


def read_disk(seconds: float) -> None:
    """Read from the disk itself, not from the page cache, which would cost it nothing."""
    ends = time.monotonic() + seconds
    with tempfile.TemporaryFile(dir=Path(__file__).parent) as file:
        file.write(os.urandom(BLOCK_BYTES))
        file.flush()
        os.fsync(file.fileno())
        while time.monotonic() < ends:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            os.pread(file.fileno(), BLOCK_BYTES, 0)
            time.sleep(0.02)


def spin() -> None:
    """Burn a core until there is another command."""
    while not select.select([sys.stdin], [], [], 0)[0]:
        for _ in range(10_000):
            pass


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", choices=KINDS)
    kind = parser.parse_args().kind
    # A test that kills its engine must leave nothing behind, whatever its runner ignores.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if kind == "dead":
        sys.exit(2)
    if kind == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if kind == "hungry":  # and is killed, where its unit may not have as much
        meal = bytearray(os.urandom(BLOCK_BYTES))
        meal *= MEAL_BYTES // BLOCK_BYTES
    for line in iter(sys.stdin.readline, ""):
        number, command, *arguments = line.split()
        if command == "read":
            read_disk(float(arguments[0]))
        elif command == "wait":
            time.sleep(float(arguments[0]))
        os.write(1, f"{number}\n".encode())
        if command == "spin":
            spin()


if __name__ == "__main__":
    main()
