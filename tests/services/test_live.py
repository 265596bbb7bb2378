"""A turn in memory: pieces are gathered, never lost, and told in their order."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from couachgptd.core.ids import ConversationId, MessageId, TurnId, UserId
from couachgptd.core.turns import Timings, Turn, TurnSource, TurnState
from couachgptd.services.live import GATHER_SECONDS, LiveTurn

Told = list[tuple[str, dict[str, Any], bool]]


async def no_request(_slot: int) -> Any:
    raise NotImplementedError


def live_turn() -> tuple[LiveTurn, Told]:
    told: Told = []
    turn = Turn(
        id=TurnId(1),
        asker_id=UserId(1),
        source=TurnSource.CHAT,
        state=TurnState.QUEUED,
        attempt=1,
        model="m",
        queued_at=datetime(2026, 1, 1, tzinfo=UTC),
        conversation_id=ConversationId("c"),
        message_id=MessageId(2),
    )

    def publish(kind: str, fields: dict[str, Any], revises: bool) -> None:  # noqa: FBT001
        told.append((kind, fields, revises))

    return LiveTurn(turn, publish, no_request), told


def pieces(told: Told) -> list[tuple[str, str]]:
    return [(fields["kind"], fields["d"]) for kind, fields, _ in told if kind == "text"]


def states(told: Told) -> list[str]:
    return [fields["turn"]["state"] for kind, fields, _ in told if kind == "turn"]


async def test_the_first_piece_is_told_at_once() -> None:
    live, told = live_turn()

    live.write("text", "Bon")

    assert pieces(told) == [("text", "Bon")]
    assert states(told) == ["writing"]


async def test_what_comes_close_together_is_one_event() -> None:
    live, told = live_turn()
    live.write("text", "Bon")
    for letter in "jour":
        live.write("text", letter)

    await asyncio.sleep(GATHER_SECONDS * 2)  # the time itself is the behaviour

    assert pieces(told) == [("text", "Bon"), ("text", "jour")]
    assert live.text == "Bonjour"


async def test_what_has_gathered_is_told_before_the_end() -> None:
    live, told = live_turn()
    live.write("text", "a")
    live.write("text", "b")

    live.end(TurnState.DONE, reason="stop", timings=Timings(answer_tokens=2))
    live.announce_end()

    assert pieces(told) == [("text", "a"), ("text", "b")]
    assert told[-1][0] == "turn"
    assert told[-1][2]
    assert states(told)[-1] == "done"


async def test_the_end_is_not_told_before_it_is_announced() -> None:
    live, told = live_turn()

    live.end(TurnState.STOPPED)

    assert states(told) == []


async def test_thoughts_and_text_never_mix_and_keep_their_order() -> None:
    live, told = live_turn()
    live.write("thinking", "h")
    live.write("thinking", "m")
    live.write("text", "O")
    live.write("text", "ui")
    live.flush()

    assert pieces(told) == [("thinking", "h"), ("thinking", "m"), ("text", "Oui")]
    assert (live.thinking, live.text) == ("hm", "Oui")
    assert states(told) == ["thinking", "writing"]


async def test_half_of_a_pair_from_a_broken_engine_becomes_a_mark() -> None:
    live, told = live_turn()

    live.write("text", "a\ud83d")
    live.write("text", "\ude00é🦆")
    live.flush()

    assert live.text == "a??é🦆"
    assert "".join(text for _, text in pieces(told)) == live.text
    live.text.encode()


async def test_a_place_is_told_once_until_it_changes() -> None:
    live, told = live_turn()
    live.wait_at(1)
    live.wait_at(1)
    live.wait_at(0)
    live.enter(TurnState.LOADING)

    assert [fields["turn"]["place"] for _, fields, _ in told] == [1, 0, None]


async def test_the_same_stage_twice_is_told_once() -> None:
    live, told = live_turn()
    live.enter(TurnState.LOADING)
    live.enter(TurnState.LOADING)

    assert states(told) == ["loading"]


async def test_reading_tells_how_far_it_is_but_not_at_each_step() -> None:
    live, told = live_turn()
    for tokens in range(0, 1000, 10):
        live.read(tokens, 1000)

    assert states(told)[0] == "reading"
    assert len(states(told)) <= 3
    assert live.shape()["read_tokens"] == 990


async def test_the_clock_starts_with_the_first_stage_and_not_again() -> None:
    live, _ = live_turn()
    live.enter(TurnState.LOADING)
    started = live.turn.started_at
    live.enter(TurnState.READING)

    assert started is not None
    assert live.turn.started_at == started


async def test_an_ended_turn_takes_nothing_more() -> None:
    live, _ = live_turn()
    live.end(TurnState.STOPPED)

    with pytest.raises(ValueError, match="has ended"):
        live.write("text", "x")
    with pytest.raises(ValueError, match="has ended"):
        live.end(TurnState.DONE)


async def test_a_second_attempt_goes_on_behind_the_first() -> None:
    live, told = live_turn()
    live.begin_with("Bon", "hm")

    live.write("text", "jour")

    assert (live.text, live.thinking) == ("Bonjour", "hm")
    assert pieces(told) == [("text", "jour")]


# --- how long it thought ------------------------------------------------------------------------


async def test_the_time_of_thinking_is_told_once_it_is_over_and_adds_up() -> None:
    live, told = live_turn()
    live.write("thinking", "hm")
    await asyncio.sleep(0.05)  # the time itself is the behaviour
    kept = live.so_far.think_seconds
    live.write("text", "Oui")
    first = live.turn.think_seconds
    live.write("thinking", "ou non")
    await asyncio.sleep(0.05)
    live.end(TurnState.STOPPED)
    live.announce_end()

    seconds = [fields["turn"]["think_seconds"] for kind, fields, _ in told if kind == "turn"]
    assert seconds == [None, first, first, live.turn.think_seconds]
    assert kept is not None
    assert first is not None
    assert live.turn.think_seconds is not None
    assert 0.05 <= kept <= first <= live.turn.think_seconds - 0.05


async def test_a_turn_without_thoughts_has_no_time_of_them() -> None:
    live, _ = live_turn()
    live.write("text", "Oui")

    live.end(TurnState.DONE)

    assert live.turn.think_seconds is None


async def test_a_new_attempt_drops_the_time_with_the_thoughts() -> None:
    live, _ = live_turn()
    live.write("thinking", "hm")
    await asyncio.sleep(0.02)
    live.try_again()
    assert live.turn.think_seconds is not None  # as its text, until the new one writes

    live.write("text", "Oui")

    assert live.turn.think_seconds is None


# --- what it cost, where the engine does not say -------------------------------------------------


async def test_an_answer_that_was_stopped_tells_what_we_counted_of_it() -> None:
    live, _ = live_turn()
    live.write("thinking", "hm")
    await asyncio.sleep(0.05)  # the time itself is the behaviour
    live.write("text", "Bonjour à", 3)

    live.end(TurnState.STOPPED)

    timings = live.shape()["timings"]
    assert timings["answer_tokens"] == 4
    assert 0.05 <= timings["write_seconds"] < 1
    assert timings["tokens_per_second"] == pytest.approx(4 / timings["write_seconds"], abs=0.01)


async def test_the_engines_own_count_goes_before_ours() -> None:
    live, _ = live_turn()
    live.write("text", "Oui")

    live.end(TurnState.DONE, timings=Timings(answer_tokens=7, write_seconds=2.0))

    assert live.turn.timings == Timings(answer_tokens=7, write_seconds=2.0)


async def test_an_engine_that_tells_all_but_its_tokens_is_counted() -> None:
    live, _ = live_turn()
    live.write("text", "Oui")

    live.end(TurnState.DONE, timings=Timings(prompt_tokens=9))

    assert live.turn.timings == Timings(prompt_tokens=9, answer_tokens=1)


async def test_one_piece_has_no_speed_and_no_piece_no_count() -> None:
    one, _ = live_turn()
    one.write("text", "Bonjour", 2)
    one.end(TurnState.INTERRUPTED)
    none, _ = live_turn()
    none.end(TurnState.FAILED)

    assert one.turn.timings == Timings(answer_tokens=2)
    assert one.turn.timings.tokens_per_second is None
    assert none.turn.timings == Timings()


async def test_a_second_attempt_counts_only_what_it_wrote() -> None:
    live, _ = live_turn()
    live.begin_with("Bon", "hm")
    live.write("text", "jour")

    live.end(TurnState.STOPPED)

    assert live.turn.timings.answer_tokens == 1
