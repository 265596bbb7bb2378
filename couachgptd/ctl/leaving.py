"""couachgptctl user rm, sessions and conversation: who leaves, who is logged in, what is purged."""

import sys

from couachgptd.control.client import ControlError
from couachgptd.ctl import consent, exits, render
from couachgptd.ctl.connection import connected
from couachgptd.ctl.failures import CommandFailed
from couachgptd.ctl.texts import _, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any


def remove(arguments: "Namespace") -> int:
    login = arguments.login
    with connected(arguments) as client:
        owned = client.call("control.user.rm", {"is_dry_run": True}, login=login)
        if arguments.heir is None:
            what = _("{login} is deleted for good, with {owned}.")
        else:
            what = _("{login} is deleted for good; {heir} gets {owned}.")
        shown = what.format(login=login, heir=arguments.heir, owned=_belongings(owned))
        consent.require(arguments, render.safe(shown))
        gone = client.call("control.user.rm", {"heir": arguments.heir}, login=login)
    return _say(arguments, gone, _("{login} is deleted.").format(login=login))


def reset_link(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        link = client.call("control.user.reset-link", login=arguments.login)
    if arguments.json:
        print(render.as_json(link))
        return exits.OK
    print(render.safe(link["url"]))
    until = _("It works once, until {moment}.").format(moment=render.moment(link["expires_at"]))
    print(render.safe(until), file=sys.stderr)
    return exits.OK


def purge(arguments: "Namespace") -> int:
    if arguments.user is not None:
        body = {"user": arguments.user}
        what = _("All conversations of {whose} are deleted for good: {owned}.")
    else:
        body = {"conversation": arguments.conversation}
        what = _("The conversation {whose} is deleted for good: {owned}.")
    with connected(arguments) as client:
        try:
            owned = client.call("control.conversation.purge", {**body, "is_dry_run": True})
        except ControlError as error:
            if error.code != "not_found" or arguments.user is not None:
                raise
            raise CommandFailed(
                _("There is no such conversation."),
                hint=_("Its id is the end of its address, after /c/."),
                code=error.code,
            ) from None
        shown = what.format(whose=next(iter(body.values())), owned=_belongings(owned))
        consent.require(arguments, render.safe(shown))
        gone = client.call("control.conversation.purge", body)
    return _say(arguments, gone, _("Deleted: {owned}.").format(owned=_belongings(gone)))


def sessions(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        found = client.call("control.session.list")
    if arguments.json:
        print(render.as_json(found))
    elif found["sessions"]:
        head = (_("SESSION"), _("WHO"), _("SINCE"), _("LAST SEEN"), _("ADDRESS"), _("PAGES"))
        print(render.table(head, [_row(each) for each in found["sessions"]], right=(5,)))
    else:
        print(_("Nobody is logged in."))
    return exits.OK


def kick(arguments: "Namespace") -> int:
    whose = arguments.user
    body = {"session": arguments.session} if whose is None else {"user": whose}
    with connected(arguments) as client:
        try:
            answer = client.call("control.session.kick", body)
        except ControlError as error:
            if error.code != "not_found" or whose is not None:
                raise
            raise CommandFailed(
                _("There is no such session."),
                hint=_("`couachgptctl sessions ls` lists them."),
                code=error.code,
            ) from None
    ended = answer["ended"]
    text = ngettext("{n} session is ended.", "{n} sessions are ended.", ended).format(n=ended)
    return _say(arguments, answer, text)


def _row(session: "Any") -> tuple[str, ...]:
    return (
        session["id"],
        session["user"],
        render.moment(session["created_at"]),
        render.moment(session["seen_at"]) if session["seen_at"] else "?",
        session["address"],
        str(session["open_pages"]),
    )


def _belongings(owned: "Any") -> str:
    conversations, messages = owned["conversations"], owned["messages"]
    first = ngettext("{n} conversation", "{n} conversations", conversations)
    second = ngettext("{n} message", "{n} messages", messages)
    return f"{first.format(n=conversations)}, {second.format(n=messages)}"


def _say(arguments: "Namespace", answer: "Any", text: str) -> int:
    print(render.as_json(answer) if arguments.json else render.safe(text))
    return exits.OK
