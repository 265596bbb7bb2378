"""couachgptctl user and setup-link: accounts, and the way in for the first administrator."""

import sys

from couachgptd.ctl import answers, exits, render
from couachgptd.ctl.connection import connected
from couachgptd.ctl.failures import refused, usage
from couachgptd.ctl.texts import _, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from couachgptd.control.shapes import User

ROLES = {"admin": mark("administrator"), "member": mark("member"), "reader": mark("reader")}
STATES = {
    "pending": mark("waits for approval"),
    "active": mark("active"),
    "suspended": mark("suspended"),
}


def add(arguments: "Namespace") -> int:
    password = _password(arguments)
    with connected(arguments) as client:
        chosen = {name: getattr(arguments, name) for name in ("name", "role", "language")}
        body = {name: value for name, value in chosen.items() if value is not None}
        body |= {"login": arguments.login, "password": password}
        answer = client.call("control.user.add", body)
    text = _("Added {login} ({role}).").format(
        login=answer["user"]["login"], role=_role(answer["user"])
    )
    return answers.say(arguments, answer, text)


def show(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return answers.show(arguments, client.call("control.user.list"), _table)


def approve(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.user.approve", login=arguments.login)
    return answers.say(
        arguments, answer, _("{login} may now log in.").format(login=answer["user"]["login"])
    )


def suspend(arguments: "Namespace") -> int:
    state = "active" if arguments.undo else "suspended"
    with connected(arguments) as client:
        answer = client.call("control.user.state", {"state": state}, login=arguments.login)
    text = (
        _("{login} may log in again.")
        if arguments.undo
        else _("{login} is out, and may not log in. `--undo` lets them in again.")
    )
    return answers.say(arguments, answer, text.format(login=answer["user"]["login"]))


def set_role(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        body = {"role": arguments.role}
        answer = client.call("control.user.role", body, login=arguments.login)
    text = _("{login} is now: {role}.").format(
        login=answer["user"]["login"], role=_role(answer["user"])
    )
    return answers.say(arguments, answer, text)


def change_password(arguments: "Namespace") -> int:
    password = _password(arguments)
    with connected(arguments) as client:
        body = {"password": password}
        answer = client.call("control.user.passwd", body, login=arguments.login)
    text = _("The password of {login} is changed and their sessions are ended.")
    return answers.say(arguments, answer, text.format(login=answer["user"]["login"]))


def setup_link(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        link = client.call("control.setup-link")
    return _say_link(arguments, link)


def reset_link(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return _say_link(arguments, client.call("control.user.reset-link", login=arguments.login))


def _say_link(arguments: "Namespace", link: "Any") -> int:
    """Print a one-time link alone on standard output."""
    answers.say(arguments, link, link["url"])
    if not arguments.json and (expires_at := link.get("expires_at")):
        moment = render.moment(expires_at)
        answers.note(_("It works once, until {moment}.").format(moment=moment))
    return exits.OK


def _password(arguments: "Namespace") -> str:
    """Return the new password, asked for twice on a terminal; it never is a word of a command."""
    if arguments.password_stdin:
        try:
            line = sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise usage(_("Standard input is not UTF-8.")) from None
        if not line:
            raise usage(_("Standard input holds no password."))
        return line
    if not sys.stdin.isatty():
        raise usage(
            _("There is no terminal to ask for the password on."),
            hint=_("Give it on standard input, with --password-stdin."),
        )
    from getpass import getpass

    try:
        password = getpass(_("New password: "))
        again = getpass(_("Once more: "))
    except EOFError:
        raise usage(_("No password was given.")) from None
    if password != again:
        raise refused("passwords_differ", {})
    return password


def _table(found: "Any") -> str:
    if not found["users"]:
        return _("There is no account yet: `couachgptctl user add LOGIN --admin` makes one.")
    head = (_("LOGIN"), _("NAME"), _("ROLE"), _("STATE"), _("LANGUAGE"), _("SINCE"))
    return render.table(head, [_row(user) for user in found["users"]])


def _row(user: "User") -> tuple[str, ...]:
    state = STATES.get(user["state"])
    return (
        user["login"],
        user["name"],
        _role(user),
        _(state) if state else user["state"],
        user["language"],
        render.moment(user["created_at"]),
    )


def _role(user: "User") -> str:
    role = ROLES.get(user["role"])
    return _(role) if role else user["role"]
