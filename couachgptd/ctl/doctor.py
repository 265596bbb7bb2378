"""couachgptctl doctor: look at everything, and say for each finding what to do."""

import shutil
from contextlib import suppress
from pathlib import Path

from couachgptd import __version__
from couachgptd.control.client import (
    ControlClient,
    ControlClientError,
    ControlError,
    DaemonNotRunning,
)
from couachgptd.ctl import dead, exits, render
from couachgptd.ctl.answers import show
from couachgptd.ctl.connection import connected, settings
from couachgptd.ctl.failures import explain
from couachgptd.ctl.problems import PROBLEMS
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import Any

Finding = tuple[str, str, str]  # how bad, what, what to do about it
OK, WARNING, BAD = "ok", "warning", "bad"
POLKIT_FOLDERS = ("/etc/polkit-1/rules.d", "/usr/share/polkit-1/rules.d")
CHECK_SECONDS = 120.0
SANDBOX = "couachgpt-sandbox.socket"


def examine(arguments: "Namespace") -> int:
    found = list(_findings(arguments))
    names = ("level", "what", "to_do")
    findings = {"findings": [dict(zip(names, each, strict=True)) for each in found]}
    show(arguments, findings, lambda _findings: "\n".join(map(_line, found)))
    levels = {level for level, _what, _to_do in found}
    return exits.FAILED if BAD in levels else exits.DEGRADED if WARNING in levels else exits.OK


def _findings(arguments: "Namespace") -> "Iterator[Finding]":
    yield _configuration(arguments)
    arguments.timeout = arguments.timeout or CHECK_SECONDS
    try:
        with connected(arguments) as client:
            status = client.call("control.status")
            yield OK, _("The daemon answers (process {pid}).").format(pid=status["pid"]), ""
            yield from _of_status(status)
            yield from _of_engine(client, status)
            yield from _of_data(client)
            yield from _of_settings(client)
    except DaemonNotRunning as error:
        yield from _of_dead(error)
    except ControlClientError as error:
        failure = explain(error)
        yield BAD, failure.text if failure else str(error), failure.hint if failure else ""
    yield _sandbox(arguments)


def _configuration(arguments: "Namespace") -> Finding:
    from couachgptd.config import ConfigError

    try:
        settings(arguments)
    except ConfigError as error:
        return BAD, _("The configuration has a mistake: {reason}").format(reason=error), ""
    return OK, _("The configuration is right."), ""


def _of_status(status: "Any") -> "Iterator[Finding]":
    if status["version"] != __version__:
        text = _("The daemon is of version {theirs}, couachgptctl of {ours}.").format(
            theirs=status["version"], ours=__version__
        )
        yield WARNING, text, _("`couachgptctl restart` starts the new one.")
    for problem in status["problems"]:
        what, to_do = PROBLEMS.get(problem, (problem, ""))
        level = BAD if status["health"] == "failed" else WARNING
        yield level, _(what), _(to_do) if to_do else ""
    if not status["problems"]:
        yield OK, _("Health is good: engine, queue, disk and memory."), ""
    if pending := status["users"]["pending"]:
        text = _("Accounts that wait for approval: {n}.").format(n=pending)
        yield WARNING, text, _("`couachgptctl user ls`, then `couachgptctl user approve LOGIN`.")


def _of_engine(client: ControlClient, status: "Any") -> "Iterator[Finding]":
    engine = client.call("control.engine.show")
    if engine["quarantined"]:
        names = ", ".join(engine["quarantined"])
        text = _("Models that failed to load too often and are set aside: {names}.")
        to_do = _("A new file, or `couachgptctl engine reset`, makes them available again.")
        yield WARNING, text.format(names=names), to_do
    if engine["unit"] is not None:
        folders = [Path(folder) for folder in POLKIT_FOLDERS]
        with suppress(OSError):  # they may be root's alone
            if not any("couachgpt" in each.name for at in folders for each in at.iterdir()):
                text = _("The daemon may not restart ollama.service: there is no polkit rule.")
                yield WARNING, text, _("Install polkitd, and run install.sh again.")
    if status["engine"]["kind"] == "ollama" and engine["unit"] is None:
        text = _("Ollama is no unit of this machine: the watchdog cannot restart it.")
        yield WARNING, text, _("Run it as ollama.service, or watch over it where it runs.")


def _of_data(client: ControlClient) -> "Iterator[Finding]":
    check = client.call("control.db.check", {"is_quick": True})
    if check["is_well"]:
        yield OK, _("The database is whole."), ""
    else:
        complaints = "; ".join(check["complaints"])
        text = _("The database is damaged: {complaints}").format(complaints=complaints)
        yield BAD, text, _("Put a backup back: `couachgptctl db backups`, `db restore NAME`.")
    backups = client.call("control.db.backup.list")["backups"]
    if backups:
        when = render.moment(backups[0]["made_at"])
        yield OK, _("The newest backup is of {moment}.").format(moment=when), ""
    else:
        yield WARNING, _("There is no backup yet."), _("`couachgptctl db backup` makes one.")


def _of_settings(client: ControlClient) -> "Iterator[Finding]":
    try:
        shown = client.call("control.config.show")
    except ControlError as error:  # the file went wrong, or away, after the start
        failure = explain(error)
        yield BAD, failure.text if failure else str(error), ""
        return
    if shown["file"] is None:
        yield OK, _("There is no configuration file: everything has its default."), ""


def _sandbox(arguments: "Namespace") -> Finding:
    """Say what files that somebody sent are opened in: the ways of couachgptd/sandbox/walls.py."""
    unit = dead.unit_state(SANDBOX) or {}
    if unit.get("ActiveState") == "active":
        return OK, _("There is a sandbox to open files in: {name}.").format(name=SANDBOX), ""
    # The service itself may make no namespaces, and so has no other way.
    if dead.is_ours(arguments) and unit:
        text = _("{name} does not run: a logo cannot be set.").format(name=SANDBOX)
        if unit.get("LoadState") == "not-found":
            return WARNING, text, _("Run install.sh again: it puts the unit back.")
        to_do = _("systemctl start {name}; if that fails: journalctl -u {name} -n 20")
        return WARNING, text, to_do.format(name=SANDBOX)
    if shutil.which("bwrap"):
        return OK, _("There is a sandbox to open files in: {name}.").format(name="bubblewrap"), ""
    text = _("There is no sandbox to open files in: a logo cannot be set.")
    return WARNING, text, _("Install bubblewrap.")


def _of_dead(error: DaemonNotRunning) -> "Iterator[Finding]":
    failure = explain(error)
    unit = dead.unit_state()
    hint = dead.to_do(unit) if unit is not None else failure.hint if failure else ""
    yield BAD, failure.text if failure else str(error), hint


def _line(finding: Finding) -> str:
    level, what, to_do = finding
    sign = {OK: render.green("✓"), WARNING: render.yellow("!"), BAD: render.red("✗")}[level]
    lines = [f"{sign} {render.safe(what)}"]
    lines += [f"    {render.safe(line)}" for line in to_do.splitlines()]
    return "\n".join(lines)
