"""A turn's stages: it goes on freely until its end, and never leaves an end."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from couachgptd.core.ids import TurnId
from couachgptd.core.turns import FINAL, RUNNING, Timings, Turn, TurnSource, TurnState


def turn(state: TurnState) -> Turn:
    return Turn(
        id=TurnId(1),
        asker_id=None,
        source=TurnSource.CHAT,
        state=state,
        attempt=1,
        model="m",
        queued_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize("after", TurnState)
@pytest.mark.parametrize("end", sorted(FINAL))
def test_a_turn_never_leaves_an_end(end: TurnState, after: TurnState) -> None:
    with pytest.raises(ValueError, match="has ended"):
        turn(end).at(after)


@pytest.mark.parametrize("after", TurnState)
@pytest.mark.parametrize("state", sorted(RUNNING | {TurnState.QUEUED}))
def test_a_turn_that_has_not_ended_can_move_on(state: TurnState, after: TurnState) -> None:
    assert turn(state).at(after).state is after


def test_each_state_is_queued_running_or_an_end_and_only_one_of_them() -> None:
    for state in TurnState:
        assert [state is TurnState.QUEUED, state.is_running, state.is_final].count(True) == 1


def test_the_rate_is_tokens_over_the_seconds_of_writing() -> None:
    assert Timings(answer_tokens=30, write_seconds=2.0).tokens_per_second == 15.0


@pytest.mark.parametrize(
    "timings",
    [Timings(), Timings(answer_tokens=30), Timings(answer_tokens=30, write_seconds=0.0)],
)
def test_there_is_no_rate_where_the_engine_does_not_say_enough(timings: Timings) -> None:
    assert timings.tokens_per_second is None


@pytest.mark.parametrize(
    ("state", "reason", "is_cut"),
    [
        (TurnState.DONE, "stop", False),
        (TurnState.DONE, "length", True),
        (TurnState.STOPPED, None, True),
        (TurnState.INTERRUPTED, None, True),
        (TurnState.FAILED, None, True),
        (TurnState.WRITING, None, False),
    ],
)
def test_only_an_answer_that_ended_early_is_cut(
    state: TurnState, reason: str | None, *, is_cut: bool
) -> None:
    assert replace(turn(state), finish_reason=reason).is_cut is is_cut
