"""The titles that conversations get, by rule or from their owner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.conversations import (
    OWN_TITLE_MAX_LENGTH,
    TITLE_MAX_LENGTH,
    own_title,
    title_from,
)
from couachgptd.core.errors import TitleInvalid


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Bonjour", "Bonjour"),
        ("\n\n  Deux   mots \n suite", "Deux mots"),
        ("## Le titre", "Le titre"),
        ("> - citation", "citation"),
        ("---\nAprès la ligne", "Après la ligne"),
        ("***\n\n###\n# Vrai titre", "Vrai titre"),
        ("###", "###"),
        ("a" * 60, "a" * 60),
        ("a" * 61, "a" * 60 + "…"),
        ("mot " * 20, "mot " * 14 + "mot…"),
        ("x, " + "b" * 80, "x, " + "b" * 57 + "…"),
        (
            "Une phrase entière, finie bien avant la fin. Puis une autre.",
            "Une phrase entière, finie bien avant la fin. Puis une autre.",
        ),
        (
            "Une première phrase, assez longue pour elle. " + "b" * 80,
            "Une première phrase, assez longue pour elle…",
        ),
    ],
)
def test_a_title_is_the_first_line_that_says_something(question: str, title: str) -> None:
    assert title_from(question) == title


@given(st.text(min_size=1))
def test_a_question_that_says_something_has_a_title_of_one_short_line(question: str) -> None:
    title = title_from(question)

    assert len(title) <= TITLE_MAX_LENGTH + 1
    assert len(title.splitlines()) <= 1
    assert bool(title) == bool(question.strip())


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("  Infusion \n sous\tvide ", "Infusion sous vide"),
        ("<b>1 & 2</b>", "<b>1 & 2</b>"),
        ("nul\0 et \x1b[31m", "nul et [31m"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("é" * OWN_TITLE_MAX_LENGTH, "é" * OWN_TITLE_MAX_LENGTH),
    ],
)
def test_a_title_of_ones_own_is_one_line_as_it_was_written(text: str, title: str) -> None:
    assert own_title(text) == title


@pytest.mark.parametrize("text", ["", " \n\t ", "\0", "a" * (OWN_TITLE_MAX_LENGTH + 1)])
def test_a_title_of_ones_own_that_says_nothing_or_too_much_is_refused(text: str) -> None:
    with pytest.raises(TitleInvalid):
        own_title(text)
