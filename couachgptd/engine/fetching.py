"""Brings a starter model: couachgptctl does it, a program of its own, and tells how far it is."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from couachgptd.core.errors import CouachError, named
from couachgptd.core.models import PullProgress
from couachgptd.core.starters import FetchFailed

END_SECONDS = 10.0  # it ends pip first, and clears up


async def fetched(name: str, folder: Path, catalogue: str) -> AsyncGenerator[PullProgress]:
    """Tell how far it is; the stage is where the bytes come from. Closing it ends the download.

    What came stays for the next try. Raises StarterUnavailable, FetchFailed, HashWrong, DiskFull,
    DiskFailed.
    """
    options = ["--json", "--models-dir", str(folder)]
    if catalogue:
        options += ["--catalogue", catalogue]
    # A program of its own: hashing and pip take seconds of a thread, and a signal ends both.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "couachgptd.ctl", "model", "fetch", *options, "--", name,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    failure: CouachError = FetchFailed(name=name, reason="")
    source = ""
    try:
        while process.stdout and (line := await process.stdout.readline()):
            match _told(line):
                case {"event": "source", "source": str(source)}:
                    yield PullProgress(source)
                case {"event": "progress", "bytes": int(done), "total_bytes": int(total)}:
                    yield PullProgress(source, done, total)
                case {"error": {"code": str(code), "fields": dict(fields), "message": message}}:
                    failure = named(code, fields)
                    if type(failure) is CouachError:  # of the program's own, as a fault of ours
                        failure = FetchFailed(name=name, reason=message)
        if await process.wait() != 0:
            raise failure
    finally:
        await _end(process)


def _told(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:  # not for us
        return None


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(END_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
