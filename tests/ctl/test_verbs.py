"""What the control socket can, the command line can, too: each verb of the one table is reached."""

import dis
import inspect
from collections.abc import Iterator
from importlib import import_module
from types import CodeType, FunctionType
from typing import Any

from couachgptd.control.client import ControlClient
from couachgptd.core.access import TABLE
from couachgptd.ctl import arguments
from scripts import reference

# Verb of the control socket -> why no verb of the command line asks for it.
NOT_OFFERED = {
    "control.starter.list": "`model fetch --list` reads the catalogue itself: it needs no daemon",
}

# Where a name is looked up: among those of its module, or as a method: the client's matter alone.
METHODS = dict(vars(ControlClient))
PLACES = {"LOAD_GLOBAL": None, "LOAD_METHOD": METHODS, "LOAD_ATTR": METHODS}


def codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a function's code and that of what is defined in it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from codes(const)


def reached(function: Any, seen: set[Any]) -> set[str]:
    """Return the control verbs that a function names, or what it calls by name."""
    function = inspect.unwrap(function)
    if not isinstance(function, FunctionType) or function in seen:
        return set()
    seen.add(function)
    found: set[str] = set()
    for code in codes(function.__code__):
        found |= {each for each in code.co_consts if isinstance(each, str) and each in TABLE}
        for each in dis.get_instructions(code):
            if each.opname in PLACES:
                place = PLACES[each.opname] or function.__globals__
                found |= reached(place.get(each.argval), seen)
    return found


def offered() -> dict[str, set[str]]:
    """Return what each verb of the command line asks the control socket for."""
    found = {}
    for name, parser in reference.commands(arguments.build()):
        module, _, function = parser.get_default("place").partition(":")
        found[name] = reached(getattr(import_module(module), function), set())
    return found


def test_the_command_line_offers_every_verb_of_the_control_socket() -> None:
    verbs = {verb for verb in TABLE if verb.startswith("control.")}

    assert set[str]().union(*offered().values()) == verbs - set(NOT_OFFERED)
    assert verbs >= set(NOT_OFFERED)


def test_what_a_verb_reaches_is_found_through_what_it_calls() -> None:
    found = offered()

    assert found["ask"] == {"control.ask"}
    assert found["restart"] == {"control.restart", "control.status"}
    assert found["db backup rm"] == {"control.db.backup.rm"}
    assert found["model fetch"] == {"control.starter.fetch"}
    assert not found["config check"]
