"""How our command line is made: the parser, groups of verbs, verbs, and what every verb takes."""

from __future__ import annotations

import argparse
import sys

from couachgptd.ctl.render import columns
from couachgptd.ctl.texts import _, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

PROGRAM = "couachgptctl"
MOST_LINES = 2000
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


class Formatter(argparse.HelpFormatter):
    """Help as wide as the terminal, without the import that argparse makes to find the width."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, max_help_position=28, width=columns(), **options)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Keep paragraphs apart, which argparse would run together."""
        fill = super()._fill_text
        return "\n\n".join(fill(each, width, indent) for each in text.split("\n\n"))

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: Any = None) -> None:
        """Leave out of the usage what every verb takes: help lists it below."""
        own = [action for action in actions if action.dest not in EVERYWHERE]
        super().add_usage(usage, own, groups, prefix)


class Parser(argparse.ArgumentParser):
    """A parser whose help and errors read as ours."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=Formatter, allow_abbrev=False, add_help=False, **options)
        self.is_whole = True
        self._positionals.title = _("arguments")
        self._optionals.title = _("options")

    def complete(self) -> None:
        """Add what every verb takes, once it is known that this verb is meant: there are many."""
        if not self.is_whole:
            self.is_whole = True
            add_everywhere(self)

    def parse_known_args(self, *given: Any, **options: Any) -> Any:
        self.complete()
        return super().parse_known_args(*given, **options)

    def format_help(self) -> str:
        self.complete()
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        from couachgptd.ctl.failures import usage

        more = _("`{program} --help` says more.").format(program=self.prog)
        raise usage(message, hint=f"{self.format_usage()}{more}")

    def _print_message(self, message: str, file: Any = None) -> None:
        # argparse hides a failing write; a reader that left is for main() to see.
        if message:
            (file or sys.stderr).write(message)


def add_everywhere(parser: argparse.ArgumentParser) -> None:
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
        "--timeout", metavar="SECONDS", type=seconds, default=absent,
        help=_("how long to wait for an answer (default: 30, more for what takes long)"),
    )  # fmt: skip
    add(
        "--wait", metavar="SECONDS", type=seconds, default=absent,
        help=_("how long to wait for a daemon that is still starting (default: 0)"),
    )  # fmt: skip
    add(
        "--debug", action="store_true", default=absent,
        help=_("show where an unexpected error comes from"),
    )  # fmt: skip


def add_lines(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--lines", metavar="N", type=count(MOST_LINES), help=_("how many at most (default: 200)")
    )


def add_no_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-wait", action="store_true", help=_("return before it has come about"))


def verbs_of(parser: argparse.ArgumentParser) -> Any:
    """Return what the verbs of a command line, or of a group, are added to."""
    return parser.add_subparsers(
        metavar=_("VERB"), title=_("verbs"), required=True, parser_class=Parser
    )


def verbs_below(parser: argparse.ArgumentParser) -> Any:
    """Return what the verbs below a verb are added to, which does something by itself as well."""
    return parser.add_subparsers(
        metavar="[" + _("VERB") + "]", title=_("verbs"), required=False, parser_class=Parser
    )


def group(verbs: Any, name: str, help_text: str) -> Any:
    """Add a noun; return what its verbs are added to."""
    parser = verbs.add_parser(name, help=help_text, description=_sentence(help_text))
    inner = verbs_of(parser)
    add_everywhere(parser)
    return inner


def verb(
    verbs: Any, name: str, place: str, help_text: str, more: str = ""
) -> argparse.ArgumentParser:
    """Add a verb, done by the function at `place` ("module:function"), and return its parser.

    `more` is what its own help and the manual teach beyond the one line.
    """
    description = "\n\n".join(filter(None, [_sentence(help_text), more]))
    parser: Parser = verbs.add_parser(name, help=help_text, description=description)
    parser.is_whole = False
    parser.set_defaults(run=_late(place), place=place)
    return parser


def example(words: str) -> str:
    """Return what the help of a verb ends with."""
    return _("For example: {command}").format(command=f"{PROGRAM} {words}")


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


def seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def count(most: int) -> Callable[[str], int]:
    """Return what reads a number from 1 to `most`."""

    def number(text: str) -> int:
        value = int(text)
        if not 0 < value <= most:
            raise ValueError
        return value

    return number


seconds.__name__ = "number"  # argparse says: invalid number value
