"""What can be said of a daemon that does not run: by systemd, by its last lines, and what to do."""

import os
import shutil
import subprocess

from couachgptd.control.client import DaemonNotRunning
from couachgptd.ctl import render
from couachgptd.ctl.failures import CommandFailed, explain, mistake
from couachgptd.ctl.texts import _, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping

UNIT = "couachgptd.service"
SECONDS = 5.0
LAST_LINES = 10
PROPERTIES = "LoadState,ActiveState,SubState,Result,ExecMainStatus,NRestarts,StateChangeTimestamp"

# What to do, by the exit code that couachgptd (sysexits.h), or systemd before it, ended with.
CODES = {
    "203": mark("Its program is missing: install it again"),
    "226": mark("A folder of it is missing: systemd-tmpfiles --create couachgpt.conf"),
    "69": mark("Its port or its control socket is taken: ss -ltnp, or server.port"),
    "70": mark("A part of it is missing: install it again"),
    "74": mark("Its data cannot be used: see the lines below, then `couachgptctl doctor`"),
    "78": mark("Its configuration is wrong: `couachgptctl config check`"),
}


def show(arguments: "Namespace", error: DaemonNotRunning) -> int:
    """Raise what to tell of a daemon that nobody hears, with what systemd and its journal say."""
    failure = explain(error)
    if failure is None:  # it is one of those that are foreseen
        raise error
    unit = unit_state() if is_ours(arguments) else None
    if unit is None:
        raise failure
    if arguments.json:
        raise CommandFailed(
            failure.text,
            exit_code=failure.exit_code,
            code=failure.code,
            fields={**failure.fields, "unit": dict(unit), "log": last_lines()},
        )
    print(_said(unit))
    lines = last_lines()
    if lines:
        print("\n".join([render.bold(_("Its last lines:")), *(f"  {line}" for line in lines)]))
    raise CommandFailed(
        failure.text,
        hint="\n".join(filter(None, [mistake(), to_do(unit)])),
        exit_code=failure.exit_code,
        code=failure.code,
        fields=failure.fields,
    )


def unit_state(unit: str = UNIT) -> "Mapping[str, str] | None":
    """Return what systemd says of a unit, also of one that is not there; None without systemd."""
    output = _output("systemctl", "show", unit, f"--property={PROPERTIES}")
    return dict(line.partition("=")[::2] for line in output.splitlines()) or None


def last_lines(count: int = LAST_LINES) -> list[str]:
    """Return the end of the daemon's journal, as far as we may read it."""
    output = _output("journalctl", "--unit", UNIT, "--lines", str(count), "--no-pager", "--quiet")
    return [render.safe(line) for line in output.splitlines()]


def is_ours(arguments: "Namespace") -> bool:
    """Say whether the daemon that is meant is the one that systemd runs."""
    from couachgptd import paths
    from couachgptd.ctl.connection import socket_path

    return socket_path(arguments) == paths.SYSTEM_SOCKET


def follow_journal(count: "int | None", *, follow: bool) -> int:
    """Become journalctl, whose pager and Ctrl-C are then as people know them."""
    words = ["journalctl", "--unit", UNIT, "--lines", str(count or 200), "--output=short-iso"]
    os.execvp(words[0], [*words, *(["--follow"] if follow else ["--no-pager"])])  # noqa: S606


def _output(program: str, *arguments: str) -> str:
    if shutil.which(program) is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 -- words of ours alone
            [program, *arguments], capture_output=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode(errors="replace") if done.returncode == 0 else ""


def _said(unit: "Mapping[str, str]") -> str:
    loaded = unit.get("LoadState", "?")
    if loaded != "loaded":
        return render.pairs([(_("systemd says"), render.red(render.safe(f"{UNIT}: {loaded}")))])
    state = f"{unit.get('ActiveState', '?')} ({unit.get('SubState', '?')})"
    since = unit.get("StateChangeTimestamp")  # none since the boot, maybe
    rows = [
        (_("systemd says"), render.red(render.safe(state))),
        *([(_("Since"), render.safe(since))] if since else []),
        (_("Ended with"), render.safe(f"{unit.get('Result')}, {unit.get('ExecMainStatus')}")),
        (_("Restarts"), render.safe(unit.get("NRestarts", "?"))),
    ]
    return render.pairs(rows)


def to_do(unit: "Mapping[str, str]") -> str:
    match unit.get("LoadState"):
        case "not-found":
            return _("systemd has no unit of that name: run install.sh again.")
        case "masked":
            return _("It was forbidden to start: systemctl unmask couachgptd, then start it.")
    lines = [_(CODES[code])] if (code := unit.get("ExecMainStatus", "")) in CODES else []
    match unit.get("ActiveState"), unit.get("SubState"):
        case "activating", "auto-restart":
            soon = _("systemd starts it again by itself in a moment; `--wait 30` waits for it.")
            return "\n".join([*lines, soon])
        case (("activating" | "reloading"), _state):
            return _("It is starting: `couachgptctl --wait 60 status` waits for it.")
        case "deactivating", _state:
            return _("It is ending: answers under way are being written to their end.")
        case "inactive", _state:
            return _("It was stopped. Start it with: systemctl start couachgptd")
    again = _(
        "Then: systemctl reset-failed couachgptd.service couachgptd.socket;"
        " systemctl start couachgptd"
    )
    more = _("More lines: journalctl -u couachgptd -n 100")
    return "\n".join([*lines, again, more])
