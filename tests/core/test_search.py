"""What a person types is never an expression of the index, whatever it is."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.search import EXCERPT_LENGTH, Part, expression, parts, sought, window

# What FTS5 would take for more than words, and what ends a C string.
SYNTAX = ['"', "'", "*", "^", ":", "-", "+", "(", ")", "{", "}", ",", " ", "\0", "\x02", "\n", ";"]
WORDS = ["AND", "OR", "NOT", "NEAR", "NEAR(", "owner", "text", "été", "e\u0301", "😀", "中文", "a"]
typed = st.lists(st.sampled_from(SYNTAX + WORDS) | st.text(max_size=5)).map("".join) | st.text()


@pytest.fixture(scope="module")
def index() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE found USING fts5"
            " (text, owner, tokenize = 'unicode61 remove_diacritics 2')"
        )
        connection.execute("INSERT INTO found VALUES ('L’été, il a lu « core.search »', 'u1')")
        yield connection


def finds(index: sqlite3.Connection, text: str) -> bool:
    words = expression(text)
    if words is None:
        return False
    query = f'{{owner}} : "u1" AND {{text}} : ({words})'
    return bool(index.execute("SELECT 1 FROM found WHERE found MATCH ?", (query,)).fetchall())


@given(typed)
def test_no_text_is_an_error(index: sqlite3.Connection, text: str) -> None:
    finds(index, text)


@given(typed)
def test_nothing_typed_finds_what_another_column_says(index: sqlite3.Connection, text: str) -> None:
    assert not finds(index, f"{text} u1")


@pytest.mark.parametrize(
    "text",
    ["ete", "ÉTÉ", "l'été", "lu il", "search", "core.sea", "se", "« lu »", '"lu', "(lu)",
     "e\u0301te\u0301", "lu\0", "l"],
)  # fmt: skip
def test_words_are_found_however_they_are_written(index: sqlite3.Connection, text: str) -> None:
    assert finds(index, text)


@pytest.mark.parametrize("text", ["", " ", "\0", '""', "—", "***", "😀", "lu NOT il", "ét ", "s"])
def test_what_is_not_there_is_not_found(index: sqlite3.Connection, text: str) -> None:
    assert not finds(index, text)


def test_ten_thousand_letters_are_a_short_search() -> None:
    assert len(expression("mot " * 2500) or "") < 100
    assert len(expression("x" * 10_000) or "") < 300


def test_an_excerpt_is_one_line_with_what_was_found_marked() -> None:
    assert parts("un\n\n  \x02été\x03\ttrès **chaud**") == (
        Part("un "),
        Part("été", is_hit=True),
        Part(" très **chaud**"),
    )


@given(st.text())
def test_an_excerpt_is_short_whatever_the_text(text: str) -> None:
    found = parts(text * 50)

    assert sum(len(part.text) for part in found) <= EXCERPT_LENGTH + 2
    assert not {"\x02", "\x03", "\n"} & set("".join(part.text for part in found))


def test_a_hit_far_into_a_line_without_a_blank_is_in_the_excerpt() -> None:
    lead, hit = parts("=" * 5000 + "\x02ici\x03")

    assert (lead.text[0], len(lead.text), hit) == ("…", 61, Part("ici", is_hit=True))


def shown(text: str, typed: str) -> str:
    """Return what is shown of a text, what was found between angles."""
    return window(text, sought(expression(typed) or "")).translate({2: "<", 3: ">"})


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("ete", "L’<été>, il a lu « core.search »"),
        ("ÉTÉ IL", "L’<été>, <il> a lu « core.search »"),
        ("e\u0301te\u0301 ", "L’<été>, il a lu « core.search »"),
        ("l'été", "<L’été>, il a lu « core.search »"),
        ("core.sea", "L’été, il a lu « <core.search> »"),
        ("t l", "<L>’été, il a lu « core.search »"),
        ("il a", "L’été, <il> <a> lu « core.search »"),
        ("zz", "L’été, il a lu « core.search »"),
    ],
)
def test_words_are_marked_as_the_index_finds_them(typed: str, found: str) -> None:
    assert shown("L’été, il a lu « core.search »", typed) == found


@given(typed, st.text())
def test_no_text_and_no_words_are_an_error(words: str, text: str) -> None:
    if expression(words) is not None:
        shown(text, words)


def test_of_a_long_text_the_piece_with_most_of_the_words_is_shown() -> None:
    text = "le chien dort. " * 20 + "x" * 200 + " le chat noir " + "y" * 400

    piece = shown(text, "noir le")

    assert "<le> chat <noir>" in piece
    assert (piece[0], piece[-1]) == ("…", "…")


def test_accents_without_end_are_no_work_without_end() -> None:
    assert shown("a" + "\u0301" * 1_000_000, "a.b")
