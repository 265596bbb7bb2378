"""What may be chosen for a conversation, its bounds, and what counts where nothing is."""

from dataclasses import asdict
from typing import Any

import pytest

from couachgptd.core.choices import (
    ALL,
    NOTHING_CHOSEN,
    Choices,
    Made,
    SystemPromptTooLong,
    choices_of,
    made_with,
)
from couachgptd.core.errors import BadRequest, OptionInvalid
from couachgptd.core.model_rules import Options

CONFIGURED = Made(temperature=0.2, answer_tokens=1024, exchanges=5)


def read(**given: Any) -> Choices:
    return choices_of(given, most_answer_tokens=1024)


def test_what_is_not_named_is_not_chosen_and_a_blank_text_is_none() -> None:
    assert read() == read(system_prompt=" \n", model="") == NOTHING_CHOSEN
    assert read(**asdict(NOTHING_CHOSEN)).document() == {}
    assert read(temperature=0, exchanges=ALL, think=False).document() == {
        "temperature": 0,
        "exchanges": 0,
        "think": False,
    }


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("temperature", (0, 0.7, 2), (-0.1, 2.1, True, "1", float("nan"))),
        ("answer_tokens", (1, 1024), (0, 1025, 10.0)),
        ("exchanges", (ALL, 1, 100), (-1, 101, 2.5, "5")),
    ],
)
def test_a_number_has_bounds(name: str, taken: tuple[Any, ...], refused: tuple[Any, ...]) -> None:
    for value in taken:
        assert getattr(read(**{name: value}), name) == value
    for value in refused:
        with pytest.raises(OptionInvalid) as error:
            read(**{name: value})
        assert error.value.fields["name"] == name


def test_a_prompt_has_a_length() -> None:
    assert read(system_prompt="x" * 8000).system_prompt == "x" * 8000
    with pytest.raises(SystemPromptTooLong):
        read(system_prompt="x" * 8001)


@pytest.mark.parametrize(
    "given",
    [[], "x", {"other": 1}, {"think": 1}, {"model": 3}, {"system_prompt": "\ud800"}],
)
def test_what_is_not_of_the_form_is_refused(given: Any) -> None:
    with pytest.raises(BadRequest):
        choices_of(given, most_answer_tokens=1024)


def test_the_choice_counts_then_the_rule_of_the_model_then_the_configuration() -> None:
    rules = Options(temperature=0.9, answer_tokens=500, top_p=0.5)
    chosen = Choices(system_prompt="Sois bref.", temperature=0.0, answer_tokens=100, exchanges=ALL)

    assert made_with(NOTHING_CHOSEN, Options(), CONFIGURED, can_think=True) == CONFIGURED
    by_rule = made_with(NOTHING_CHOSEN, rules, CONFIGURED, can_think=True)
    assert (by_rule.temperature, by_rule.answer_tokens, by_rule.top_p) == (0.9, 500, 0.5)
    assert made_with(chosen, rules, CONFIGURED, can_think=True) == Made(
        0.0, 100, ALL, top_p=0.5, system_prompt="Sois bref."
    )


def test_nobody_has_longer_answers_than_the_rule_of_the_model() -> None:
    long = Choices(answer_tokens=1024)

    made = made_with(long, Options(answer_tokens=50), CONFIGURED, can_think=True)

    assert made.answer_tokens == 50


def test_only_a_model_that_can_think_is_told_whether_to() -> None:
    quick = Choices(think=False)

    assert made_with(quick, Options(), CONFIGURED, can_think=True).think is False
    assert made_with(quick, Options(), CONFIGURED, can_think=False).think is None


def test_what_an_answer_was_made_with_comes_back_as_it_was_kept() -> None:
    made = Made(0.0, 100, ALL, top_p=0.5, system_prompt="Sois bref.", think=True)

    assert Made.of(made.document()) == made
