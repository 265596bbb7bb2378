"""docs/couachgptctl.1.md names every verb, option, exit code and event."""

import argparse
import re
import tomllib
from collections.abc import Iterator
from importlib import import_module

import pytest

from couachgptd.ctl import arguments, exits, progress
from scripts import reference, terminal
from tests.ctl.terminal import ROOT

MANUAL = (ROOT / "docs" / "couachgptctl.1.md").read_text(encoding="utf-8")


def verbs(parser: argparse.ArgumentParser, *path: str) -> Iterator[tuple[str, ...]]:
    groups = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    for action in groups:
        for name, inner in action.choices.items():
            yield from verbs(inner, *path, name)
    if not any(action.required for action in groups):
        yield path


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        yield from (option for option in action.option_strings if option.startswith("--"))
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from options(inner)


BUILT = arguments.build()
VERBS = sorted(set(verbs(BUILT)))


def test_the_manual_says_what_the_command_line_has() -> None:
    assert reference.manual() == MANUAL, "out of date: `make reference`"


def test_every_verb_of_the_manual_is_told_with_its_options() -> None:
    assert {" ".join(verb) for verb in VERBS} == {name for name, _ in reference.commands(BUILT)}
    for option in set(options(BUILT)):
        assert f"`{option}`" in MANUAL


def test_the_page_of_the_configuration_has_every_key_with_its_default_and_meaning() -> None:
    text = (ROOT / "etc" / "couachgpt.toml").read_text(encoding="utf-8")
    page = terminal.of_configuration(text).splitlines()

    for section, keys in tomllib.loads(text).items():
        begin = page.index(f".SH [{section}]")
        terms = page[begin + 1 : begin + 1 + 3 * len(keys)]
        assert terms[0::3] == [".TP"] * len(keys)
        assert [term[3:].partition(" ")[0] for term in terms[1::3]] == list(keys)
        assert all(len(meaning) > 10 for meaning in terms[2::3])


def test_the_manual_lists_the_exit_codes() -> None:
    codes = {value for name, value in vars(exits).items() if name.isupper()}

    assert {int(code) for code in re.findall(r"^\| (\d+) \|", MANUAL, re.MULTILINE)} == codes


def test_the_manual_lists_the_events_of_a_fetch() -> None:
    assert all(f"`{event}`" in MANUAL for event in [*progress.TEXTS, "progress"])


@pytest.mark.parametrize(("name", "parser"), list(reference.commands(BUILT)))
def test_a_verb_has_a_function_that_is_there(name: str, parser: argparse.ArgumentParser) -> None:
    module, _, function = parser.get_default("place").partition(":")

    assert callable(getattr(import_module(module), function)), name
