"""What a model thinks is parted from what it says, wherever its tags are cut."""

import pytest

from couachgptd.core.models import Piece, Reading, Text, Thought
from couachgptd.engine.thinking import ThinkingSplitter, joined


def split(text: str, size: int, *, starts_inside: bool = False) -> tuple[str, str]:
    splitter = ThinkingSplitter(starts_inside=starts_inside)
    pieces: list[Piece] = []
    for start in range(0, len(text), size):
        pieces += splitter.feed(text[start : start + size])
    pieces += splitter.finish()
    thought = "".join(piece.text for piece in pieces if isinstance(piece, Thought))
    said = "".join(piece.text for piece in pieces if isinstance(piece, Text))
    return thought, said


SIZES = [1, 2, 3, 5, 7, 8, 100]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("text", "thought", "said"),
    [
        ("Bonjour", "", "Bonjour"),
        ("<think>Je réfléchis.</think>Bonjour", "Je réfléchis.", "Bonjour"),
        ("\n<think>\nJe réfléchis.\n</think>\n\nBonjour\n", "Je réfléchis.", "Bonjour\n"),
        ("<think></think>Bonjour", "", "Bonjour"),
        ("<think>a < b </thin </think>Oui", "a < b </thin ", "Oui"),
        ("<think>cut short", "cut short", ""),
        ("<thinking about it", "", "<thinking about it"),
        ("<thi", "", "<thi"),
        ("  Bonjour", "", "  Bonjour"),
        ("", "", ""),
        ("La balise `<think>` ouvre.", "", "La balise `<think>` ouvre."),
        ("<think>x</think>Puis <think>y</think>", "x", "Puis <think>y</think>"),
    ],
)
def test_thoughts_are_parted_from_text_however_the_stream_is_cut(
    text: str, thought: str, said: str, size: int
) -> None:
    found, rest = split(text, size)

    assert found.rstrip() == thought.rstrip()
    assert rest == said


@pytest.mark.parametrize("size", SIZES)
def test_a_thought_that_the_template_opened_ends_at_its_closing_tag(size: int) -> None:
    thought, said = split("\nJe réfléchis.</think>\n\nBonjour", size, starts_inside=True)

    assert thought == "Je réfléchis."
    assert said == "Bonjour"


@pytest.mark.parametrize("size", SIZES)
def test_a_model_that_opens_the_thought_again_is_understood(size: int) -> None:
    thought, said = split("<think>Encore.</think>Oui", size, starts_inside=True)

    assert (thought, said) == ("Encore.", "Oui")


def test_plain_text_is_passed_on_at_once() -> None:
    splitter = ThinkingSplitter()

    assert splitter.feed("Bon") == [Text("Bon")]
    assert splitter.is_plain
    assert splitter.feed("jour <think>") == [Text("jour <think>")]


def test_neighbours_of_one_kind_are_joined_in_order_and_counted() -> None:
    pieces: list[Piece] = [Thought("a"), Thought("b"), Text("c"), Reading(1, 2), Text("d")]

    assert joined([*pieces, Text("e")]) == [
        Thought("ab", tokens=2),
        Text("c"),
        Reading(1, 2),
        Text("de", tokens=2),
    ]
