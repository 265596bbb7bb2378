"""couachgptctl restart and drain: have the daemon end, and where it is wanted, begin anew."""

from couachgptd.ctl import render
from couachgptd.ctl.answers import say
from couachgptd.ctl.connection import connected
from couachgptd.ctl.long import CHANGE_SECONDS, wait_until
from couachgptd.ctl.texts import _, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any


def restart(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        before = client.call("control.status")
        ending = client.call("control.restart", _body(arguments))
    if not arguments.json:
        _tell(ending)
    if arguments.no_wait:
        return say(arguments, {"ending": ending}, _("The daemon is restarting."))
    status = come_back(arguments, before, ending["drain_seconds"])
    text = _("The daemon has restarted: version {version}, process {pid}.").format(
        version=status["version"], pid=status["pid"]
    )
    return say(arguments, status, text)


def come_back(arguments: "Namespace", before: "Any", drain_seconds: float = 0.0) -> "Any":
    """Return the status of the daemon that follows the one of this status. Raises CommandFailed."""
    return wait_until(
        arguments,
        lambda status: status is not None and status["started_at"] != before["started_at"],
        _("The daemon is restarting:"),
        drain_seconds + CHANGE_SECONDS,
    )


def drain(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        before = client.call("control.status")
        ending = client.call("control.drain", _body(arguments))
    if not arguments.json:
        _tell(ending)
    if arguments.no_wait:
        text = _("The daemon ends once they are written.")
    else:
        wait_until(
            arguments,
            lambda status: status is None or status["started_at"] != before["started_at"],
            _("The daemon is ending:"),
            ending["drain_seconds"] + CHANGE_SECONDS,
        )
        text = _("The daemon has ended.")
    advice = _(
        "Under systemd, the next visit starts it again; to keep it down:"
        " systemctl stop couachgptd.socket couachgptd.service"
    )
    return say(arguments, {"ending": ending}, f"{text}\n{advice}")


def _body(arguments: "Namespace") -> "dict[str, Any]":
    return {} if arguments.within is None else {"drain_seconds": arguments.within}


def _tell(ending: "Any") -> None:
    running = ending["running"]
    text = ngettext(
        "{n} answer is being written and has {duration} to end; those that wait are kept.",
        "{n} answers are being written and have {duration} to end; those that wait are kept.",
        running,
    )
    if running:
        print(text.format(n=running, duration=render.duration(ending["drain_seconds"])))
