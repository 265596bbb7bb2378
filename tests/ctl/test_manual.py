"""docs/couachgptctl.1.md names every verb, option, exit code and event."""

import argparse
import re
from collections.abc import Iterator

import pytest

from couachgptd.ctl import arguments, exits, progress
from tests.ctl.terminal import ROOT

MANUAL = (ROOT / "docs" / "couachgptctl.1.md").read_text(encoding="utf-8")


def verbs(parser: argparse.ArgumentParser, *path: str) -> Iterator[tuple[str, ...]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from verbs(inner, *path, name)
            return
    yield path


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from (option for option in action.option_strings if option.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from options(inner)


VERBS = sorted(set(verbs(arguments.build())))


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_verb_is_in_the_manual(verb: tuple[str, ...]) -> None:
    assert f"`{' '.join(verb)}`" in MANUAL
    assert f"couachgptctl [OPTIONS] {' '.join(verb)}" in MANUAL


@pytest.mark.parametrize("option", sorted(set(options(arguments.build()))))
def test_an_option_is_in_the_manual(option: str) -> None:
    assert f"`{option}`" in MANUAL


def test_the_manual_lists_the_exit_codes() -> None:
    codes = {value for name, value in vars(exits).items() if name.isupper()}

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", MANUAL, re.MULTILINE)} == codes


def test_the_manual_lists_the_events_of_a_fetch() -> None:
    assert all(f"`{event}`" in MANUAL for event in [*progress.TEXTS, "progress"])


def test_every_verb_has_a_function() -> None:
    for verb in VERBS:
        needed = {"add": ["x"], "approve": ["x"], "passwd": ["x"], "fetch": ["x"], "ask": ["x"]}
        needed["maintenance"] = ["on"]
        parsed = arguments.build().parse_args([*verb, *needed.get(verb[-1], [])])
        assert callable(parsed.run)
