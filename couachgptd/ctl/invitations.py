"""couachgptctl invitation: links with which people make an account."""

from couachgptd.ctl import exits, render
from couachgptd.ctl.answers import note, reworded, say, show
from couachgptd.ctl.connection import connected
from couachgptd.ctl.texts import _, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

CLOSED = ("accounts.registration", "closed")


def listed(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return show(arguments, client.call("control.invitation.list"), _table)


def add(arguments: "Namespace") -> int:
    """Print the link alone on standard output: it is told once."""
    body = {"uses": arguments.uses, "days": arguments.days}
    with connected(arguments) as client:
        made = client.call("control.invitation.add", body)
        settings = client.call("control.setting.list")["settings"]
    show(arguments, made, lambda made: render.safe(made["url"]))
    invitation = made["invitation"]
    text = ngettext(
        "It makes {n} account until {moment}, and is not shown again.",
        "It makes {n} accounts until {moment}, and is not shown again.",
        invitation["uses_left"],
    ).format(n=invitation["uses_left"], moment=render.moment(invitation["expires_at"]))
    note(text)
    note(_("`couachgptctl invitation rm {id}` takes it back.").format(id=invitation["id"]))
    if any((each["name"], each["value"]) == CLOSED for each in settings):
        note(
            _(
                "But registration is closed: no link works before"
                " `couachgptctl setting set accounts.registration invitation`."
            )
        )
    return exits.OK


def remove(arguments: "Namespace") -> int:
    with (
        connected(arguments) as client,
        reworded(
            "not_found",
            _("There is no such invitation."),
            _("`couachgptctl invitation ls` lists those that still work."),
        ),
    ):
        answer = client.call("control.invitation.rm", invitation=arguments.invitation)
    return say(arguments, answer, _("The invitation is taken back: its link works no more."))


def _table(found: "Any") -> str:
    if not found["invitations"]:
        return _("No invitation works now: `couachgptctl invitation add` makes one.")
    head = (_("INVITATION"), _("USES LEFT"), _("UNTIL"), _("MADE"), _("BY"))
    rows = [
        (
            each["id"],
            str(each["uses_left"]),
            render.moment(each["expires_at"]),
            render.moment(each["created_at"]),
            each["created_by"],
        )
        for each in found["invitations"]
    ]
    return render.table(head, rows, right=(1,))
