"""couachgptctl db: backups and their return, the check of the database, what is old."""

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

from couachgptd import paths
from couachgptd.control.client import DaemonNotRunning
from couachgptd.ctl import consent, exits, render
from couachgptd.ctl.answers import reworded, say, show
from couachgptd.ctl.connection import connected, settings
from couachgptd.ctl.failures import CommandFailed, refused
from couachgptd.ctl.long import patient, shown
from couachgptd.ctl.server import come_back
from couachgptd.ctl.texts import _, mark, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import Any

    from couachgptd.control.client import ControlClient

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
    "unsent_files": mark("files that were attached and never sent"),
    "old_audit": mark("old entries of the audit"),
    "old_incidents": mark("old incidents of the engine"),
}


def back_up(arguments: "Namespace") -> int:
    with _patient(arguments, _("Backing up:")) as client:
        made = client.call("control.db.backup.add")
    size = render.size(made["backup"]["size_bytes"])
    text = _("Backed up and checked: {path} ({size})").format(path=made["path"], size=size)
    return say(arguments, made, text)


def backups(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        found = client.call("control.db.backup.list")
    return show(arguments, found, _table)


def download(arguments: "Namespace") -> int:
    from couachgptd.ctl.progress import Progress
    from couachgptd.ctl.whole import written

    name = arguments.backup
    target = Path(arguments.output or name)
    if os.path.isdir(target):  # noqa: PTH112 -- is_dir() raises, of a name that is too long
        target /= name
    with connected(arguments) as client:
        sizes = {
            each["name"]: each["size_bytes"]
            for each in client.call("control.db.backup.list")["backups"]
        }
        if name not in sizes:
            raise _no_backup(name)
        progress = Progress(name, sizes[name], as_json=arguments.json)
        done = 0
        try:
            with written(target, is_forced=arguments.force) as file:
                for piece in client.file("control.db.backup.download", backup=name):
                    file.write(piece)
                    done += len(piece)
                    progress.at(done)
        finally:
            progress.close()
    progress.say("done", path=str(target))
    return exits.OK


def delete(arguments: "Namespace") -> int:
    name = arguments.backup
    what = _("The backup {name} is deleted for good.").format(name=name)
    consent.require(arguments, render.safe(what))
    with connected(arguments) as client, _known(name):
        answer = client.call("control.db.backup.rm", backup=name)
    return say(arguments, answer, _("Deleted: {name}.").format(name=name))


def show_data(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return show(arguments, client.call("control.db.show"), _told)


def restore(arguments: "Namespace") -> int:
    consent.require(
        arguments,
        _("The database is replaced by the backup, and kept as a backup itself.")
        + " "
        + _("Everybody has to log in again."),
    )
    try:
        with _patient(arguments, _("Checking the backup:")) as client, _known(arguments.backup):
            before = client.call("control.status")
            folder = client.call("control.db.backup.list")["folder"]
            answer = client.call("control.db.restore", {"backup": _name(arguments, folder)})
    except DaemonNotRunning:
        return _restore_alone(arguments)
    if not answer["is_restarting"]:
        text = _("The backup is ready: the next start of the daemon puts it in place.")
    elif arguments.no_wait:
        text = _("The daemon restarts now, with the backup.")
    else:
        come_back(arguments, before)
        text = _("The daemon has restarted with the backup.")
    return say(arguments, answer, text)


def check(arguments: "Namespace") -> int:
    with _patient(arguments, _("Checking the database:")) as client:
        found = client.call("control.db.check", {"is_quick": arguments.quick})
    show(arguments, found, _checked)
    return exits.OK if found["is_well"] else exits.FAILED


def vacuum(arguments: "Namespace") -> int:
    with _patient(arguments, _("Making room:")) as client:
        answer = client.call("control.db.vacuum")
    text = _("{size} are free again.").format(size=render.size(answer["freed_bytes"]))
    return say(arguments, answer, text)


def clean(arguments: "Namespace") -> int:
    with connected(patient(arguments)) as client:
        found = client.call("control.db.old")
        old = {kind: count for kind, count in found["old"].items() if count}
        if arguments.dry_run or not old:
            text = _counts(old) or _("There is nothing to clean away.")
            return say(arguments, found, text)
        consent.require(arguments, _counts(old) + "\n" + _("This is deleted for good."))
        with shown(_("Cleaning up:")):
            answer = client.call("control.db.clean", {"kinds": list(old)})
    return say(arguments, answer, _counts(answer["deleted"]) + "\n" + _("Deleted."))


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
    return say(arguments, {"backup": str(given), "is_restarting": False}, text)


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


def _known(name: str) -> "AbstractContextManager[None]":
    failure = _no_backup(name)
    return reworded("not_found", failure.text, failure.hint)


def _no_backup(name: str) -> CommandFailed:
    return CommandFailed(
        _("There is no backup {name}.").format(name=name),
        hint=_("`couachgptctl db backups` lists them."),
        code="not_found",
    )


def _table(found: "Any") -> str:
    if not found["backups"]:
        return _("There is no backup yet: `couachgptctl db backup` makes one.")
    head = (_("MADE"), _("KIND"), _("SIZE"), _("NAME"))
    table = render.table(head, [_row(each) for each in found["backups"]], right=(2,))
    where = _("They are in {folder}.").format(folder=render.safe(found["folder"]))
    return f"{table}\n{where}"


def _row(backup: "Any") -> tuple[str, ...]:
    kind = KINDS.get(backup["kind"])
    return (
        render.moment(backup["made_at"], "seconds"),
        _(kind) if kind else backup["kind"],
        render.size(backup["size_bytes"]),
        backup["name"],
    )


def _checked(found: "Any") -> str:
    if found["is_well"]:
        return _("The database is whole.")
    damaged = _("The database is damaged: `couachgptctl db restore` puts a backup in its place.")
    return "\n".join([*map(render.safe, found["complaints"]), damaged])


def _told(data: "Any") -> str:
    sizes, kept, night = data["sizes"], data["retention"], data["night"]
    return render.pairs(
        [
            (
                _("Database"),
                _("{size}, and {log} in its log; {unused} unused").format(
                    size=render.size(sizes["database"]),
                    unused=render.size(sizes["unused"]),
                    log=render.size(sizes["log"]),
                ),
            ),
            (_("Backups"), render.size(sizes["backups"])),
            (_("Files sent"), render.size(sizes["uploads"])),
            (_("Models"), render.size(sizes["models"])),
            (
                _("Disk"),
                _("{free} free of {total}").format(
                    free=render.size(sizes["disk_free"]), total=render.size(sizes["disk_total"])
                ),
            ),
            (_("People"), str(sizes["people"])),
            (_("Conversations"), str(sizes["conversations"])),
            (_("Messages"), str(sizes["messages"])),
            (_("Conversations kept"), _days(kept["conversation_days"])),
            (_("Audit log kept"), _days(kept["audit_days"])),
            (_("Incidents kept"), _days(kept["incident_days"])),
            (_("Each night"), _night(night)),
        ]
    )


def _days(days: int) -> str:
    return ngettext("{n} day", "{n} days", days).format(n=days) if days else _("for ever")


def _night(night: "Any") -> str:
    text = (
        _("at {hour}:00 a backup, then what is old is deleted")
        if night["is_backed_up"]
        else _("at {hour}:00 what is old is deleted; no backup is made")
    ).format(hour=night["hour"])
    if night["done_at"]:
        done = render.moment(night["done_at"])
        text += "\n" + render.safe(_("last done: {moment}").format(moment=done))
    if night["error"]:
        failure = refused(night["error"]["code"], night["error"]["fields"])
        text += "\n" + render.red(render.safe(_("failed: {why}").format(why=failure.text)))
    return text


def _counts(counts: "dict[str, int]") -> str:
    rows = [(str(count), _(OLD[kind]) if kind in OLD else kind) for kind, count in counts.items()]
    longest = max((len(count) for count, _text in rows), default=0)
    return "\n".join(f"{count:>{longest}}  {text}" for count, text in rows)


@contextmanager
def _patient(arguments: "Namespace", text: str) -> "Iterator[ControlClient]":
    """Give a client that waits for a large database, and show that it goes on."""
    with connected(patient(arguments)) as client, shown(text):
        yield client
