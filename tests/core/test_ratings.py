"""Thumbs up and down: what may be rated, and what a press makes of the rating before."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from couachgptd.core.conversations import Author, Message, Rating, Thumb
from couachgptd.core.errors import BadRequest, NotFound, TurnRunning
from couachgptd.core.ratings import WORD_MAX_LENGTH, Given, checked, decide
from couachgptd.core.turns import FINAL, TurnState
from tests.core.test_wire import MOMENT, message, turn

LATER = MOMENT + timedelta(days=1)


def answered(**changes: Any) -> Message:
    return replace(message(Author.MODEL, turn(TurnState.DONE)), **changes)


def test_a_thumb_is_kept_with_its_word_and_the_model_as_it_was() -> None:
    assert decide(answered(), Given(Thumb.DOWN, "faux"), MOMENT) == Rating(
        Thumb.DOWN, "faux", "m", MOMENT
    )


def test_the_same_said_twice_is_as_it_was_and_something_else_replaces_it() -> None:
    before = Rating(Thumb.UP, "bien", "older", MOMENT)
    rated = answered(rating=before)

    assert decide(rated, Given(Thumb.UP, "bien"), LATER) is before
    assert decide(rated, Given(Thumb.UP, "très bien"), LATER) == Rating(
        Thumb.UP, "très bien", "m", LATER
    )
    assert decide(rated, Given(Thumb.DOWN), LATER) == Rating(Thumb.DOWN, "", "m", LATER)


def test_no_thumb_takes_it_back_however_often() -> None:
    rated = answered(rating=Rating(Thumb.UP, "bien", "m", MOMENT))

    assert decide(rated, Given(None, "bien"), LATER) is None
    assert decide(answered(), Given(None), LATER) is None


def test_a_question_is_not_rated_nor_what_a_model_has_not_ended_or_not_begun() -> None:
    with pytest.raises(NotFound):
        decide(message(Author.PERSON), Given(Thumb.UP), MOMENT)
    for state in set(TurnState) - FINAL:
        with pytest.raises(TurnRunning):
            decide(answered(turn=turn(state)), Given(Thumb.UP), MOMENT)
    with pytest.raises(BadRequest):
        decide(answered(text=" "), Given(Thumb.DOWN), MOMENT)


@pytest.mark.parametrize("state", sorted(FINAL))
def test_whatever_came_of_an_answer_may_be_rated(state: TurnState) -> None:
    assert decide(answered(turn=turn(state)), Given(Thumb.UP), MOMENT) is not None


@pytest.mark.parametrize("value", [0, 2, -2, True, "1", 1.0, [], {}])
def test_a_value_is_one_up_or_one_down_or_nothing(value: object) -> None:
    with pytest.raises(BadRequest):
        checked(value, "")
    assert checked(None, "") == Given(None)
    assert checked(-1, "") == Given(Thumb.DOWN)


def test_a_word_is_one_line_of_at_most_500_characters() -> None:
    assert checked(1, " trop\0\n long ") == Given(Thumb.UP, "trop long")
    assert len(checked(1, "é" * WORD_MAX_LENGTH).word) == WORD_MAX_LENGTH
    with pytest.raises(BadRequest):
        checked(1, "é" * (WORD_MAX_LENGTH + 1))
