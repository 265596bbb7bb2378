"""The verbs of accounts."""

from __future__ import annotations

from couachgptd.ctl.grammar.data import add_yes
from couachgptd.ctl.grammar.parser import count, example, group, verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_to(verbs: Any) -> None:
    help_text = _("accounts: add, list, approve, suspend, change role and password")
    users = group(verbs, "user", help_text)
    new = verb(
        users, "add", "couachgptd.ctl.users:add", _("make an account"),
        _(
            "It is a member's, and may log in at once. The password is asked for twice; it never"
            " is a word of the command line, which others could read."
        ),
    )  # fmt: skip
    new.add_argument("login", metavar="LOGIN", help=_("what the person logs in with"))
    role = new.add_mutually_exclusive_group()
    role.add_argument(
        "--admin", dest="role", action="store_const", const="admin", help=_("an administrator")
    )
    role.add_argument(
        "--reader", dest="role", action="store_const", const="reader",
        help=_("a reader, who may look but not write"),
    )  # fmt: skip
    new.add_argument("--name", metavar="NAME", help=_("the name that others see"))
    new.add_argument("--language", choices=("fr", "en"), help=_("the language of their pages"))
    _add_password(new)

    verb(users, "ls", "couachgptd.ctl.users:show", _("list the accounts"))

    approve_help = _("let somebody in who registered and waits")
    approve = verb(users, "approve", "couachgptd.ctl.users:approve", approve_help)
    approve.add_argument("login", metavar="LOGIN", help=_("whose account"))

    suspend = verb(
        users, "suspend", "couachgptd.ctl.users:suspend",
        _("keep somebody out: their pages close, their answers end, nothing is deleted"),
    )  # fmt: skip
    suspend.add_argument("login", metavar="LOGIN", help=_("whose account"))
    suspend.add_argument("--undo", action="store_true", help=_("let them in again"))
    change = verb(
        users, "role", "couachgptd.ctl.users:set_role",
        _("make somebody an administrator, a member or a reader"),
    )  # fmt: skip
    change.add_argument("login", metavar="LOGIN", help=_("whose account"))
    change.add_argument(
        "role", metavar="admin|member|reader", choices=("admin", "member", "reader"),
        help=_("what they are from now on"),
    )  # fmt: skip

    passwd_help = _("change a password; the person's sessions end")
    passwd = verb(users, "passwd", "couachgptd.ctl.users:change_password", passwd_help)
    passwd.add_argument("login", metavar="LOGIN", help=_("whose account"))
    _add_password(passwd)

    link = verb(
        users, "reset-link", "couachgptd.ctl.users:reset_link",
        _("print a one-time link with which a person sets a new password"),
        _(
            "It works for 24 hours and ends an older one. Once it is used, every session of the"
            " person ends."
        ),
    )  # fmt: skip
    link.add_argument("login", metavar="LOGIN", help=_("whose account"))

    remove = verb(
        users, "rm", "couachgptd.ctl.leaving:remove",
        _("delete an account for good, with its conversations or handing them over"),
        _(
            "It says first how much goes, and asks. The last active administrator cannot be"
            " deleted."
        ),
    )  # fmt: skip
    remove.add_argument("login", metavar="LOGIN", help=_("whose account"))
    remove.add_argument("--heir", metavar="LOGIN", help=_("who gets the conversations"))
    add_yes(remove)

    _add_invitations(verbs)
    verb(
        verbs, "setup-link", "couachgptd.ctl.users:setup_link",
        _("print the one-time link that makes the first administrator"),
        _("Links that were printed before end. Refused once there is an administrator."),
    )  # fmt: skip


def _add_invitations(verbs: Any) -> None:
    invitations = group(verbs, "invitation", _("links with which people make an account"))
    verb(
        invitations, "ls", "couachgptd.ctl.invitations:listed",
        _("list the invitations that still work, without their links"),
    )  # fmt: skip
    add = verb(
        invitations, "add", "couachgptd.ctl.invitations:add",
        _("print a link with which people make an account that may be used at once"),
        _("The link is told once. Send it to whom you mean: whoever has it may use it.")
        + "\n\n"
        + example("invitation add --uses 10 --days 7"),
    )  # fmt: skip
    add.add_argument(
        "--uses", metavar="N", type=count(1000), default=1,
        help=_("how many accounts it makes (default: 1; 1000 at most)"),
    )  # fmt: skip
    add.add_argument(
        "--days", metavar="N", type=count(365), default=7,
        help=_("how long it works (default: 7; 365 at most)"),
    )  # fmt: skip
    remove = verb(
        invitations, "rm", "couachgptd.ctl.invitations:remove",
        _("take an invitation back; accounts that it made stay"),
        example("invitation rm ID"),
    )  # fmt: skip
    remove.add_argument("invitation", metavar="ID", help=_("which: `invitation ls` lists them"))


def _add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true",
        help=_("read the password from the first line of standard input instead of asking twice"),
    )  # fmt: skip
