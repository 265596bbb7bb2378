"""couachgptctl db: backups and their return, the check of the database, what is old."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from couachgptd import paths
from couachgptd.control.client import ControlError, DaemonNotRunning
from couachgptd.ctl import consent, exits, render
from couachgptd.ctl.connection import connected, settings
from couachgptd.ctl.failures import CommandFailed
from couachgptd.ctl.long import shown
from couachgptd.ctl.texts import _, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from typing import Any

    from couachgptd.control.client import ControlClient

LONG_SECONDS = 3600.0  # a large database on a slow disk
BACKUPS = "backups"  # below the data

KINDS = {
    "nightly": mark("of the night"),
    "manual": mark("by hand"),
    "before-restore": mark("before a restore"),
}
OLD = {
    "empty_conversations": mark("conversations without a message"),
    "old_conversations": mark("conversations past their days"),
    "expired_bin": mark("conversations past their days in the bin"),
    "expired_sessions": mark("sessions that have run out"),
    "expired_links": mark("links that have run out"),
    "old_audit": mark("old entries of the audit"),
    "old_incidents": mark("old incidents of the engine"),
}


def back_up(arguments: "Namespace") -> int:
    with _patient(arguments, _("Backing up:")) as client:
        made = client.call("control.db.backup.add")
    size = render.size(made["backup"]["size_bytes"])
    text = _("Backed up and checked: {path} ({size})").format(path=made["path"], size=size)
    return _say(arguments, made, text)


def backups(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        found = client.call("control.db.backup.list")
    if arguments.json:
        print(render.as_json(found))
    elif found["backups"]:
        head = (_("MADE"), _("KIND"), _("SIZE"), _("NAME"))
        print(render.table(head, [_row(each) for each in found["backups"]], right=(2,)))
        print(_("They are in {folder}.").format(folder=render.safe(found["folder"])))
    else:
        print(_("There is no backup yet: `couachgptctl db backup` makes one."))
    return exits.OK


def restore(arguments: "Namespace") -> int:
    consent.require(
        arguments,
        _("The database is replaced by the backup, and kept as a backup itself.")
        + " "
        + _("Everybody has to log in again."),
    )
    try:
        with _patient(arguments, _("Checking the backup:")) as client:
            folder = client.call("control.db.backup.list")["folder"]
            answer = client.call("control.db.restore", {"backup": _name(arguments, folder)})
    except DaemonNotRunning:
        return _restore_alone(arguments)
    except ControlError as error:
        if error.code != "not_found":
            raise
        raise _no_backup(arguments) from None
    text = (
        _("The daemon restarts now, with the backup.")
        if answer["is_restarting"]
        else _("The backup is ready: the next start of the daemon puts it in place.")
    )
    return _say(arguments, answer, text)


def check(arguments: "Namespace") -> int:
    with _patient(arguments, _("Checking the database:")) as client:
        found = client.call("control.db.check", {"is_quick": arguments.quick})
    if arguments.json:
        print(render.as_json(found))
    elif found["is_well"]:
        print(_("The database is whole."))
    else:
        print("\n".join(render.safe(each) for each in found["complaints"]))
        print(_("The database is damaged: `couachgptctl db restore` puts a backup in its place."))
    return exits.OK if found["is_well"] else exits.FAILED


def vacuum(arguments: "Namespace") -> int:
    with _patient(arguments, _("Making room:")) as client:
        answer = client.call("control.db.vacuum")
    text = _("{size} are free again.").format(size=render.size(answer["freed_bytes"]))
    return _say(arguments, answer, text)


def clean(arguments: "Namespace") -> int:
    arguments.timeout = arguments.timeout or LONG_SECONDS
    with connected(arguments) as client:
        found = client.call("control.db.old")
        old = {kind: count for kind, count in found["old"].items() if count}
        if arguments.dry_run or not old:
            text = _counts(old) or _("There is nothing to clean away.")
            return _say(arguments, found, text)
        consent.require(arguments, f"{_counts(old)}\n{_('This is deleted for good.')}")
        answer = client.call("control.db.clean", {"kinds": list(old)})
    return _say(arguments, answer, f"{_counts(answer['deleted'])}\n{_('Deleted.')}")


def _restore_alone(arguments: "Namespace") -> int:
    """Have the daemon's own program do it, where none runs."""
    given = Path(arguments.backup)
    if given.name == arguments.backup:
        given = settings(arguments).storage.directory / BACKUPS / given
    # -P: root runs no module of the current folder, which may well be the daemon's user's.
    program = [sys.executable, "-P", "-m", "couachgptd", "--restore", str(given.absolute())]
    if arguments.config is not None:
        program += ["--config", arguments.config]
    done = subprocess.run(  # noqa: S603 -- ours
        program, check=False, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent)},
    )  # fmt: skip
    if done.returncode:
        reason = done.stderr.strip().rpartition("couachgptd: ")[2] or str(done.returncode)
        raise CommandFailed(render.safe(reason), code="restore_failed")
    text = _("The backup is in place: `systemctl start couachgptd` starts the daemon.")
    return _say(arguments, {"backup": str(given), "is_restarting": False}, text)


def _name(arguments: "Namespace", folder: str) -> str:
    """Return the name of a backup of the running daemon, which reads no other file."""
    given = Path(arguments.backup)
    if given.name == arguments.backup or str(given.absolute().parent) == folder:
        return given.name
    raise CommandFailed(
        _("While the daemon runs, it takes a backup from {folder} only.").format(folder=folder),
        hint=_("Stop it first (`systemctl stop couachgptd`), or copy the file there."),
        code="wrong_folder",
    )


def _no_backup(arguments: "Namespace") -> CommandFailed:
    return CommandFailed(
        _("There is no backup {name}.").format(name=render.safe(arguments.backup)),
        hint=_("`couachgptctl db backups` lists them."),
        code="not_found",
    )


def _row(backup: "Any") -> tuple[str, ...]:
    kind = KINDS.get(backup["kind"])
    return (
        render.moment(backup["made_at"], "seconds"),
        _(kind) if kind else backup["kind"],
        render.size(backup["size_bytes"]),
        backup["name"],
    )


def _counts(counts: "dict[str, int]") -> str:
    rows = [(str(count), _(OLD[kind]) if kind in OLD else kind) for kind, count in counts.items()]
    longest = max((len(count) for count, _text in rows), default=0)
    return "\n".join(f"{count:>{longest}}  {text}" for count, text in rows)


@contextmanager
def _patient(arguments: "Namespace", text: str) -> "Iterator[ControlClient]":
    """Give a client that waits for a large database, and show that it goes on."""
    arguments.timeout = arguments.timeout or LONG_SECONDS
    with connected(arguments) as client, shown(text):
        yield client


def _say(arguments: "Namespace", answer: "Any", text: str) -> int:
    print(render.as_json(answer) if arguments.json else render.safe(text))
    return exits.OK
