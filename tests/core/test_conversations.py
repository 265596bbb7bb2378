"""The titles that conversations get by rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.conversations import TITLE_MAX_LENGTH, title_from


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
