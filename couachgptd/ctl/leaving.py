"""couachgptctl user rm, sessions and conversation: who leaves, who is logged in, what is purged."""

from contextlib import nullcontext

from couachgptd.ctl import consent, render
from couachgptd.ctl.answers import reworded, say, show
from couachgptd.ctl.connection import connected
from couachgptd.ctl.texts import _, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from contextlib import AbstractContextManager
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
    return say(arguments, gone, _("{login} is deleted.").format(login=login))


def purge(arguments: "Namespace") -> int:
    if arguments.user is not None:
        body = {"user": arguments.user}
        what = _("All conversations of {whose} are deleted for good: {owned}.")
    else:
        body = {"conversation": arguments.conversation}
        what = _("The conversation {whose} is deleted for good: {owned}.")
    with connected(arguments) as client:
        with _no(
            _("There is no such conversation."),
            _("Its id is the end of its address, after /c/."),
            arguments.user,
        ):
            owned = client.call("control.conversation.purge", {**body, "is_dry_run": True})
        shown = what.format(whose=next(iter(body.values())), owned=_belongings(owned))
        consent.require(arguments, render.safe(shown))
        gone = client.call("control.conversation.purge", body)
    return say(arguments, gone, _("Deleted: {owned}.").format(owned=_belongings(gone)))


def sessions(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return show(arguments, client.call("control.session.list"), _table)


def kick(arguments: "Namespace") -> int:
    whose = arguments.user
    body = {"session": arguments.session} if whose is None else {"user": whose}
    with (
        connected(arguments) as client,
        _no(_("There is no such session."), _("`couachgptctl sessions ls` lists them."), whose),
    ):
        answer = client.call("control.session.kick", body)
    ended = answer["ended"]
    text = ngettext("{n} session is ended.", "{n} sessions are ended.", ended).format(n=ended)
    return say(arguments, answer, text)


def _no(text: str, hint: str, whose: str | None) -> "AbstractContextManager[None]":
    """Say that what was named by its id is not there; where a person was, the code says it."""
    return reworded("not_found", text, hint) if whose is None else nullcontext()


def _table(found: "Any") -> str:
    if not found["sessions"]:
        return _("Nobody is logged in.")
    head = (_("SESSION"), _("WHO"), _("SINCE"), _("LAST SEEN"), _("ADDRESS"), _("PAGES"))
    return render.table(head, [_row(each) for each in found["sessions"]], right=(5,))


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
