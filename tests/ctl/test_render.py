"""Sizes, durations and columns."""

import pytest

from couachgptd.core import errors, starters
from couachgptd.core.verdicts import FailedReason, Verdict
from couachgptd.ctl import engine, failures, render, stages, texts


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (None, "?"),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_960, "1.0 MB"),
        (491_400_064, "491.4 MB"),
        (1_117_320_768, "1.1 GB"),
        (5e15, "5000.0 TB"),
    ],
)
def test_sizes_are_shown_in_the_unit_that_suits(count: float | None, shown: str) -> None:
    assert render.size(count) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.4, "0 s"), (59.9, "59 s"), (61, "1 min 01 s"), (7384, "2 h 03 min"), (200_000, "2 d 7 h")],
)
def test_durations_are_shown_by_their_two_largest_units(seconds: float, shown: str) -> None:
    assert render.duration(seconds) == shown


@pytest.mark.parametrize(
    ("text", "columns"),
    [("abc", 3), ("é", 1), ("e\u0301", 1), ("李", 2), ("👍", 2), ("a\u200bb", 2)],
)
def test_width_counts_columns_and_not_letters(text: str, columns: int) -> None:
    assert render.width(text) == columns


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "FR"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "fr", "LANG": "C"}, "fr"),
    ],
)
def test_the_first_variable_that_speaks_chooses_the_language(
    environment: dict[str, str], language: str
) -> None:
    assert texts.language_of(environment) == language


def test_every_code_has_a_text() -> None:
    # What only pages ask for has its errors in modules of its own, and its texts in the page.
    ours = {errors.__name__, starters.__name__}
    codes = {each.code for each in _family(errors.CouachError) if each.__module__ in ours}

    assert set(failures.TEXTS) == codes


def test_a_text_takes_an_error_without_its_fields() -> None:
    assert failures.refused("model_missing", {}).text == "There is no model ?."


def test_bytes_in_an_error_are_said_in_a_unit_that_suits_them() -> None:
    fields = {
        "model": "gros",
        "needed_bytes": 12_360_000_000,
        "total_bytes": 8_100_000_000,
        "fitting_context_tokens": 2048,
    }

    refused = failures.refused("model_too_large", fields)

    assert refused.text == "The model gros needs 12.4 GB of memory, and the machine has 8.1 GB."
    assert "2048" in refused.hint


def _family(error: type[errors.CouachError]) -> set[type[errors.CouachError]]:
    return {error}.union(*(_family(child) for child in error.__subclasses__()))


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        ((0, 20), "less than 20 s"),
        ((20, 60), "between 20 s and 1 min"),
        ((60, 90), "between 1 min and 1 min 30"),
        ((300, 300), "about 5 min"),
        ((3600, 7200), "between 1 h and 2 h"),
    ],
)
def test_a_wait_is_said_as_people_say_it(seconds: tuple[int, int], shown: str) -> None:
    assert stages.expected_wait(seconds) == shown


def test_every_state_and_reason_of_the_watchdog_has_a_word() -> None:
    assert set(engine.STATES) == set(Verdict)
    assert set(engine.REASONS) == set(FailedReason)


def test_a_value_of_several_lines_stands_below_itself() -> None:
    assert render.pairs([("a", "1\n2"), ("bcd", "3")]) == "a    1\n     2\nbcd  3"
