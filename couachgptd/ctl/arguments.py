"""The command line of couachgptctl: every verb and option, and where its work is done."""

from __future__ import annotations

import argparse
import os
import sys

from couachgptd import __version__
from couachgptd.ctl.texts import _, mark, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

PROGRAM = "couachgptctl"
NARROWEST, WIDEST = 40, 100
MOST_INCIDENTS = 2000
# What every verb takes, before or after it.
EVERYWHERE = {
    "help": False, "json": False, "socket": None, "config": None, "timeout": None, "wait": 0.0,
    "debug": False,
}  # fmt: skip

# argparse's own sentences; collected here so that they are translated like ours.
_ARGPARSE = (
    mark("usage: "),
    mark("options"),
    mark("positional arguments"),
    mark("%(prog)s: error: %(message)s\n"),
    mark("argument %(argument_name)s: %(message)s"),
    mark("expected one argument"),
    mark("the following arguments are required: %s"),
    mark("unrecognized arguments: %s"),
    mark("not allowed with argument %s"),
    mark("invalid choice: %(value)r (choose from %(choices)s)"),
    mark("invalid %(type)s value: %(value)r"),
)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help as wide as the terminal, without the import that argparse makes to find the width."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, max_help_position=28, width=columns(), **options)

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: Any = None) -> None:
        """Leave out of the usage what every verb takes: help lists it below."""
        own = [action for action in actions if action.dest not in EVERYWHERE]
        super().add_usage(usage, own, groups, prefix)


class _Parser(argparse.ArgumentParser):
    """A parser whose help and errors read as ours."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_Formatter, allow_abbrev=False, add_help=False, **options)
        self._positionals.title = _("arguments")
        self._optionals.title = _("options")

    def error(self, message: str) -> NoReturn:
        from couachgptd.ctl.failures import usage

        more = _("`{program} --help` says more.").format(program=self.prog)
        raise usage(message, hint=f"{self.format_usage()}{more}")

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse hides a failing write; a reader that left is for main() to see.
        if message:
            (file or sys.stderr).write(message)


def parse(words: list[str]) -> argparse.Namespace:
    """Return the options and `run`, the function of the verb. Exits on help and on mistakes."""
    # argparse looks its own gettext up at each use: this is how it learns our language.
    argparse._ = _  # type: ignore[attr-defined]
    argparse.ngettext = ngettext  # type: ignore[attr-defined]
    return build().parse_args(words, argparse.Namespace(**EVERYWHERE))


def build() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description=_("Operate a CouachGPT server from its own terminal."),
        epilog=_("`couachgptctl VERB --help` says more about a verb."),
    )
    parser.add_argument(
        "--version", action="version", version=f"{PROGRAM} {__version__}",
        help=_("say the version"),
    )  # fmt: skip
    verbs = _verbs(parser)
    _add_everywhere(parser)
    _verb(
        verbs, "status", "couachgptd.ctl.status:show",
        _("how the daemon, its engine and its queue are"),
    )  # fmt: skip
    _add_user(verbs)
    _verb(
        verbs, "setup-link", "couachgptd.ctl.users:setup_link",
        _("print the one-time link that makes the first administrator"),
    )  # fmt: skip
    _add_model(verbs)
    _add_engine(verbs)
    queue = _group(verbs, "queue", _("show who waits for an answer"))
    _verb(
        queue, "ls", "couachgptd.ctl.engine:show_queue",
        _("list the answers being written and those that wait, never what is asked"),
    )  # fmt: skip
    _add_ask(verbs)
    return parser


def _add_user(verbs: Any) -> None:
    help_text = _("add, list and approve accounts, change passwords")
    users = _group(verbs, "user", help_text)
    add = _verb(users, "add", "couachgptd.ctl.users:add", _("make an account"))
    add.add_argument("login", metavar="LOGIN", help=_("what the person logs in with"))
    role = add.add_mutually_exclusive_group()
    role.add_argument(
        "--admin", dest="role", action="store_const", const="admin", help=_("an administrator")
    )
    role.add_argument(
        "--reader", dest="role", action="store_const", const="reader",
        help=_("a reader, who may look but not write"),
    )  # fmt: skip
    add.add_argument("--name", metavar="NAME", help=_("the name that others see"))
    add.add_argument("--language", choices=("fr", "en"), help=_("the language of their pages"))
    _add_password(add)

    _verb(users, "ls", "couachgptd.ctl.users:show", _("list the accounts"))

    approve_help = _("let somebody in who registered and waits")
    approve = _verb(users, "approve", "couachgptd.ctl.users:approve", approve_help)
    approve.add_argument("login", metavar="LOGIN", help=_("whose account"))

    passwd_help = _("change a password; the person's sessions end")
    passwd = _verb(users, "passwd", "couachgptd.ctl.users:change_password", passwd_help)
    passwd.add_argument("login", metavar="LOGIN", help=_("whose account"))
    _add_password(passwd)


def _add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--password-stdin", action="store_true",
        help=_("read the password from the first line of standard input instead of asking twice"),
    )  # fmt: skip


def _add_model(verbs: Any) -> None:
    models = _group(verbs, "model", _("list models, fetch a starter model"))
    _verb(models, "ls", "couachgptd.ctl.models:show", _("list the models of the engine"))
    help_text = _("bring a starter model to this machine; needs no daemon")
    fetch = _verb(models, "fetch", "couachgptd.ctl.models:fetch", help_text)
    fetch.add_argument("name", metavar="NAME", nargs="?", help=_("which one: --list shows them"))
    fetch.add_argument("--list", action="store_true", help=_("show the starter models"))
    fetch.add_argument(
        "--models-dir", metavar="DIR",
        help=_("where to put it (default: the models_dir of the configuration)"),
    )  # fmt: skip
    fetch.add_argument(
        "--catalogue", metavar="FILE",
        help=_("a catalogue of your own instead of the packaged one, to use a mirror"),
    )  # fmt: skip


def _add_engine(verbs: Any) -> None:
    engine = _group(verbs, "engine", _("what happened to the engine, and what to do about it"))
    help_text = _("list what happened to the engine, newest first, with the figures")
    incidents = _verb(engine, "incidents", "couachgptd.ctl.engine:incidents", help_text)
    incidents.add_argument(
        "--limit", metavar="N", type=_count, help=_("how many at most (default: 200)")
    )
    _verb(
        engine, "reset", "couachgptd.ctl.engine:reset",
        _("say that it is mended: forget its failures, restarts and quarantines"),
    )  # fmt: skip
    help_text = _("leave the engine alone and let questions wait, while you work on it")
    maintenance = _verb(engine, "maintenance", "couachgptd.ctl.engine:maintenance", help_text)
    maintenance.add_argument(
        "switch",
        choices=("on", "off"),
        metavar="on|off",
        help=_("on ends by itself, after 30 minutes where nothing else is set"),
    )


def _add_ask(verbs: Any) -> None:
    help_text = _("ask a model and watch its answer grow; Ctrl-C stops it")
    ask = _verb(verbs, "ask", "couachgptd.ctl.ask:ask", help_text)
    ask.add_argument(
        "text", metavar="TEXT", nargs="*",
        help=_("the question; without one, or with -, it is read from standard input"),
    )  # fmt: skip
    ask.add_argument("--model", metavar="MODEL", help=_("which model (default: the server's)"))


def _add_everywhere(parser: argparse.ArgumentParser) -> None:
    """Add what every verb takes, before or after it: SUPPRESS keeps what was said before."""
    absent = argparse.SUPPRESS
    parser.add_argument("-h", "--help", action="help", default=absent, help=_("show this help"))
    add = parser.add_argument_group(_("options of every verb")).add_argument
    add("--json", action="store_true", default=absent, help=_("write JSON, for programs"))
    add(
        "--socket", metavar="PATH", default=absent,
        help=_("the daemon's control socket (or the environment's COUACHGPT_SOCKET)"),
    )  # fmt: skip
    add(
        "--config", metavar="FILE", default=absent,
        help=_("the couachgpt.toml that names the socket (default: /etc/couachgpt.toml)"),
    )  # fmt: skip
    add(
        "--timeout", metavar="SECONDS", type=_seconds, default=absent,
        help=_("how long to wait for an answer (default: 30; for ask, without end)"),
    )  # fmt: skip
    add(
        "--wait", metavar="SECONDS", type=_seconds, default=absent,
        help=_("how long to wait for a daemon that is still starting (default: 0)"),
    )  # fmt: skip
    add(
        "--debug", action="store_true", default=absent,
        help=_("show where an unexpected error comes from"),
    )  # fmt: skip


def _verbs(parser: argparse.ArgumentParser) -> Any:
    return parser.add_subparsers(
        metavar=_("VERB"), title=_("verbs"), required=True, parser_class=_Parser
    )


def _group(verbs: Any, name: str, help_text: str) -> Any:
    parser = verbs.add_parser(name, help=help_text, description=_sentence(help_text))
    inner = _verbs(parser)
    _add_everywhere(parser)
    return inner


def _verb(verbs: Any, name: str, place: str, help_text: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=help_text, description=_sentence(help_text)
    )
    _add_everywhere(parser)
    parser.set_defaults(run=_late(place))
    return parser


def _late(place: str) -> Callable[[argparse.Namespace], int]:
    """Return the verb's function, imported when it is called: starting must stay quick."""

    def run(arguments: argparse.Namespace) -> int:
        from importlib import import_module

        module, _colon, function = place.partition(":")
        code: int = getattr(import_module(module), function)(arguments)
        return code

    return run


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def _count(text: str) -> int:
    value = int(text)
    if not 0 < value <= MOST_INCIDENTS:
        raise ValueError
    return value


_count.__name__ = "number"
_seconds.__name__ = "number"  # argparse says: invalid number value


def columns() -> int:
    """Return how wide a text may be on this terminal."""
    try:
        columns = int(os.environ.get("COLUMNS", "")) or os.get_terminal_size(1).columns
    except (ValueError, OSError):
        try:
            columns = os.get_terminal_size(1).columns
        except OSError:
            columns = 80
    return max(NARROWEST, min(columns - 2, WIDEST))
