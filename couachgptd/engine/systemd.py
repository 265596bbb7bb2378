"""One systemd unit as `systemctl` shows it, and its restart, without any privilege assumed."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from couachgptd.core.vitals import Life, Process, Unit

SHOW_SECONDS = 3.0
RESTART_SECONDS = 60.0  # stop (15 s with our drop-in) and start; the ladder allows 45
PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "NRestarts",
    "MainPID",
    "InvocationID",
    "Job",
    "ControlGroup",
)

# systemctl's words (systemd 252, LC_ALL=C) for what a program can tell apart by nothing else.
REFUSALS = (
    ("not been booted with systemd", "no_systemd"),
    ("failed to connect to bus", "no_systemd"),
    ("access denied", "not_permitted"),
    ("authentication required", "not_permitted"),
    ("not authorized", "not_permitted"),
    ("permission denied", "not_permitted"),
    ("not found", "no_such_unit"),
    ("is masked", "unit_masked"),
    ("repeated too quickly", "started_too_often"),
)


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended; `status` is None where it did not in time, or could not start."""

    status: int | None
    output: str = ""
    errors: str = ""


def unit_in(output: str) -> Unit | None:
    """Return the unit in an answer of `systemctl show`; None if it is no such answer."""
    lines = (line.partition("=") for line in output.splitlines())
    facts = {name: value for name, equals, value in lines if equals}
    if "ActiveState" not in facts:
        return None
    return Unit(
        active_state=facts["ActiveState"],
        sub_state=facts.get("SubState", ""),
        result=facts.get("Result", ""),
        restarts=_number(facts.get("NRestarts")) or 0,
        main_pid=_number(facts.get("MainPID")) or None,
        invocation=facts.get("InvocationID", ""),
        has_job=bool(_number(facts.get("Job", "").partition(" ")[0])),
        control_group=facts.get("ControlGroup", ""),
        is_found=facts.get("LoadState", "loaded") == "loaded",
    )


def process_of(unit: Unit | None) -> Process:
    """Return what the unit's state says of the engine's main process."""
    if unit is None:
        return Process(Life.UNKNOWN)
    life = {
        "active": Life.RUNNING,
        "reloading": Life.RUNNING,
        "deactivating": Life.RUNNING,
        "activating": Life.STARTING,
        "inactive": Life.NONE if unit.result == "success" else Life.ENDED,
        "failed": Life.ENDED,
    }.get(unit.active_state, Life.UNKNOWN)
    ended = unit.result if unit.result not in {"", "success"} else None
    return Process(life, unit.main_pid, unit.invocation or None, ended)


def reason_in(done: Done) -> str | None:
    """Return why a command failed, as a stable word; None where it did not fail."""
    if done.status == 0:
        return None
    lower = done.errors.lower()
    if done.status is None:
        return "no_systemd" if done.errors else "timeout"
    return next((reason for words, reason in REFUSALS if words in lower), "systemctl_failed")


class Systemctl:
    """Runs `systemctl` for one unit; `program` may be another that speaks as it does."""

    def __init__(self, unit: str, program: Sequence[str] = ("systemctl",)) -> None:
        self._unit = unit
        self._program = tuple(program)

    async def show(self) -> Unit | None:
        """Return the unit; None where systemd does not say, or is not there."""
        properties = ",".join(PROPERTIES)
        done = await self._run("show", self._unit, f"--property={properties}", limit=SHOW_SECONDS)
        return unit_in(done.output) if done.status == 0 else None

    async def restart(self, limit: float = RESTART_SECONDS) -> str | None:
        """Return None once it has restarted, else why not; past the limit systemd goes on alone."""
        # Never a password prompt: this needs a polkit rule, or root.
        return reason_in(await self._run("restart", "--no-ask-password", self._unit, limit=limit))

    async def start(self, limit: float = RESTART_SECONDS) -> str | None:
        return reason_in(await self._run("start", "--no-ask-password", self._unit, limit=limit))

    async def stop(self, limit: float = RESTART_SECONDS) -> str | None:
        return reason_in(await self._run("stop", "--no-ask-password", self._unit, limit=limit))

    async def log(self, lines: int, limit: float = SHOW_SECONDS) -> list[str] | None:
        """Return the end of the unit's journal; None where it cannot be read."""
        words = ("--unit", self._unit, "--lines", str(lines), "--no-pager", "--output=short-iso")
        done = await _done("journalctl", *words, limit=limit)
        return done.output.splitlines() if done.status == 0 else None

    async def _run(self, *arguments: str, limit: float) -> Done:
        return await _done(*self._program, *arguments, limit=limit)


async def _done(*command: str, limit: float) -> Done:
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"LC_ALL": "C", "SYSTEMD_PAGER": "", "SYSTEMD_COLORS": "0"},
        )
    except OSError as error:
        return Done(None, errors=error.strerror or "cannot start")
    try:
        async with asyncio.timeout(limit):
            output, errors = await process.communicate()
    except TimeoutError:
        return Done(None)
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return Done(process.returncode, output.decode(errors="replace"), errors.decode())


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
