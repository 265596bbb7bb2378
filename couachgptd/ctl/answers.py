"""Giving an operator what the daemon answered: as JSON, as a text, or as what to do instead."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from couachgptd.control.client import ControlError
from couachgptd.ctl import exits, render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any


def show(arguments: "Namespace", answer: "Any", as_text: "Callable[[Any], str]") -> int:
    """Print an answer, for a person as `as_text` has it, which makes it safe for a terminal."""
    print(render.as_json(answer) if arguments.json else as_text(answer))
    return exits.OK


def say(arguments: "Namespace", answer: "Any", text: str) -> int:
    """Print what was done, in a sentence."""
    return show(arguments, answer, lambda _answer: render.safe(text))


def note(text: str) -> None:
    """Tell what a person should know besides, apart from what a script reads."""
    print(render.safe(text), file=sys.stderr)


@contextmanager
def reworded(code: str, text: str, hint: str = "") -> Iterator[None]:
    """Say of an error of the daemon what it means here: a code has one text for all verbs.

    "{reason}" in the text becomes what the daemon gave as such.
    """
    try:
        yield
    except ControlError as error:
        if error.code != code:
            raise
        from couachgptd.ctl.failures import CommandFailed  # what goes well need not know the texts

        text = text.replace("{reason}", str(error.fields.get("reason", "?")))
        raise CommandFailed(text, hint=hint, code=code, fields=error.fields) from None
