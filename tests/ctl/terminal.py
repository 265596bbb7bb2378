"""Runs couachgptctl as a program of its own, as a person or a script does."""

import asyncio
import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PROGRAM = (sys.executable, "-m", "couachgptd.ctl")


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    out: str
    err: str


def environment(**more: str) -> dict[str, str]:
    """Return an environment that says nothing of the machine's own: no socket, locale C."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LC_", "COUACHGPT_")) and name not in ("LANG", "NO_COLOR")
    }
    return kept | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"} | more


async def start(*words: str, **more: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *PROGRAM, *words, stdin=pipe, stdout=pipe, stderr=pipe, env=environment(**more)
    )


async def run(*words: str, given: str = "", **more: str) -> Outcome:
    process = await start(*words, **more)
    try:
        out, err = await asyncio.wait_for(process.communicate(given.encode()), 120)
    finally:
        if process.returncode is None:
            process.kill()
    return Outcome(process.returncode or 0, out.decode(), err.decode())
