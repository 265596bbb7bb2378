"""Turns on their slots: in order, stopped in any state, kept whatever fails."""

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pytest

from couachgptd.core.errors import (
    AnswerInterrupted,
    EngineBusy,
    EngineKilled,
    EngineRejected,
    EngineUnavailable,
    MessageTooLong,
    ModelQuarantined,
    QuestionQuarantined,
    QueueFull,
    ServerStopping,
    StoreFull,
    TurnRunning,
)
from couachgptd.core.models import Finished, Loading, Reading, Text, Thought
from couachgptd.core.turns import Timings, TurnState
from couachgptd.core.verdicts import CancelReason
from couachgptd.services import calls
from tests.services.conftest import House, MakeHouse


async def text_of(house: House, message_id: int) -> str:
    found = await house.store.message_of(house.claire.id, message_id)  # type: ignore[arg-type]
    assert found is not None
    return found[1].text


async def test_an_answer_is_kept_with_its_end(house: House) -> None:
    asked = await house.ask()
    call = await house.engine.call(0)
    call.send(Loading(), Reading(1, 2), Thought("hm"))
    call.finish("Oui.")

    turn = await house.ended(asked.answer)
    assert (turn.state, turn.finish_reason, turn.timings.answer_tokens) == ("done", "stop", 2)
    assert await text_of(house, asked.answer) == "Oui."
    assert house.runner.running_turns == 0


async def test_one_slot_runs_one_turn_at_a_time_in_the_order_they_came(house: House) -> None:
    asked = [await house.ask(text=str(number)) for number in range(3)]

    for number, one in enumerate(asked):
        call = await house.engine.call(number)
        assert len(house.engine.calls) == number + 1
        assert call.request.messages[-1].text == str(number)
        call.finish()
        await house.ended(one.answer)


async def test_as_many_turns_run_at_once_as_there_are_slots_each_on_its_own(
    make_house: MakeHouse,
) -> None:
    house = await make_house(slots=2)
    for _ in range(3):
        await house.ask()
    await house.engine.call(1)

    assert {call.request.slot for call in house.engine.calls} == {0, 1}
    assert (house.runner.queued, house.runner.running_turns) == (1, 2)


async def test_a_conversation_gets_the_slot_that_it_had(make_house: MakeHouse) -> None:
    house = await make_house(slots=2)
    first = await house.ask()
    second = await house.ask()
    for number, one in enumerate((first, second)):
        (await house.engine.call(number)).finish()
        await house.ended(one.answer)
    slots = [call.request.slot for call in house.engine.calls]

    again = await house.ask(conversation=second.conversation.id)
    call = await house.engine.call(2)

    assert call.request.slot == slots[1]
    call.finish()
    await house.ended(again.answer)


# --- stopping ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pieces",
    [[], [Loading()], [Reading(1, 2)], [Thought("hm")], [Text("Ou")]],
    ids=["asked", "loading", "reading", "thinking", "writing"],
)
async def test_a_turn_is_stopped_in_every_state_and_keeps_what_was_written(
    house: House, pieces: list[Any]
) -> None:
    asked = await house.ask()
    call = await house.engine.call(0)
    call.send(*pieces)
    turn = await house.turn_of(asked.answer)
    live = house.runner.live(turn.id)
    assert live is not None
    while pieces and live.turn.state is TurnState.QUEUED:  # noqa: ASYNC110 -- the runner's own pace
        await asyncio.sleep(0)

    await asyncio.wait_for(house.runner.stop(turn.id), 5)

    assert (await house.turn_of(asked.answer)).state == "stopped"
    assert await text_of(house, asked.answer) == ("Ou" if pieces == [Text("Ou")] else "")
    assert call.closed.is_set()
    assert house.runner.running_turns == 0


async def test_a_turn_is_stopped_while_it_waits(house: House) -> None:
    first = await house.ask()
    second = await house.ask()
    turn = await house.turn_of(second.answer)

    await house.runner.stop(turn.id)

    assert (await house.turn_of(second.answer)).state == "stopped"
    assert house.runner.queued == 0
    (await house.engine.call(0)).finish()
    assert (await house.ended(first.answer)).state == "done"


async def test_a_turn_stopped_before_its_task_began_gives_its_slot_back(house: House) -> None:
    asked = await house.ask()
    # No await stands between: the task that `ask` made has certainly not run a step.
    (turn_id,) = house.runner._live
    async with asyncio.timeout(5):
        await house.runner.stop(turn_id)

    assert (await house.turn_of(asked.answer)).state == "stopped"
    again = await house.ask()
    (await house.engine.call(0)).finish()
    assert (await house.ended(again.answer)).state == "done"


async def test_stopping_what_has_ended_or_never_was_is_nothing(house: House) -> None:
    asked = await house.ask()
    (await house.engine.call(0)).finish()
    turn = await house.ended(asked.answer)

    await house.runner.stop(turn.id)
    await house.runner.stop(turn.id + 99)

    assert (await house.turn_of(asked.answer)).state == "done"


async def test_two_stops_at_once_are_one(house: House) -> None:
    asked = await house.ask()
    await house.engine.call(0)
    turn = await house.turn_of(asked.answer)

    await asyncio.gather(house.runner.stop(turn.id), house.runner.stop(turn.id))

    assert (await house.turn_of(asked.answer)).state == "stopped"


async def test_a_stop_outweighs_a_cut_that_would_be_tried_again(house: House) -> None:
    asked = await house.ask()
    await house.engine.call(0)
    trying = next(iter(house.runner.attempts))

    house.runner.cancel([trying.id], CancelReason.HUNG)
    await house.runner.stop(trying.live.turn.id)

    turn = await house.ended(asked.answer)
    assert (turn.state, turn.attempt) == ("stopped", 1)


async def test_who_is_given_up_ends_so_though_its_call_is_cut_for_a_hang(house: House) -> None:
    asked = await house.ask()
    await house.engine.call(0)
    trying = next(iter(house.runner.attempts))

    ending = house.runner.give_up(QuestionQuarantined(), trying.live.turn.id)
    house.runner.cancel([trying.id], CancelReason.HUNG)
    await ending

    turn = await house.ended(asked.answer)
    assert (turn.state, turn.error_code, turn.attempt) == ("failed", "question_quarantined", 1)


async def test_giving_a_model_up_ends_who_runs_and_who_waits_for_it(house: House) -> None:
    asked = [await house.ask(text=str(number)) for number in range(2)]
    await house.engine.call(0)

    await house.runner.give_up(ModelQuarantined(model="couac:1b"), model="couac:1b")

    turns = [await house.ended(each.answer) for each in asked]
    assert [turn.error_code for turn in turns] == ["model_quarantined"] * 2


async def test_after_a_stop_the_next_one_runs(house: House) -> None:
    first = await house.ask()
    second = await house.ask()
    await house.engine.call(0)

    await house.runner.stop((await house.turn_of(first.answer)).id)

    (await house.engine.call(1)).finish()
    assert (await house.ended(second.answer)).state == "done"


# --- failures ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "state", "code"),
    [
        (EngineUnavailable(address="x"), "failed", "engine_unavailable"),
        (EngineRejected(reason="x"), "failed", "engine_rejected"),
        (EngineKilled(signal="SIGKILL"), "interrupted", "engine_killed"),
        (AnswerInterrupted(reason="x"), "interrupted", "answer_interrupted"),
        (None, "interrupted", "answer_interrupted"),
        (ZeroDivisionError(), "failed", "internal_error"),
    ],
)
async def test_a_failure_of_the_engine_ends_the_turn_and_keeps_what_came(
    house: House, failure: Exception | None, state: str, code: str
) -> None:
    asked = await house.ask()
    tries = 2 if state == "interrupted" else 1
    for number in range(tries):
        (await house.engine.call(number)).send(Text("Ou"), failure)

    turn = await house.ended(asked.answer)
    assert (turn.state, turn.error_code, turn.attempt) == (state, code, tries)
    assert await text_of(house, asked.answer) == "Ou"
    again = await house.ask(conversation=asked.conversation.id)
    (await house.engine.call(tries)).finish()
    assert (await house.ended(again.answer)).state == "done"


async def test_an_interrupted_answer_is_asked_for_again_and_stays_until_the_new_one_writes(
    house: House,
) -> None:
    asked = await house.ask()
    other = await house.ask(user=house.marc)
    sent: list[str] = []
    await house.chat.watch(house.claire, asked.conversation.id, None, "tab", sent.append)
    (await house.engine.call(0)).send(Thought("hm"), Text("Ou"), EngineKilled(signal="SIGKILL"))

    call = await house.engine.call(1)
    assert call.request.messages == house.engine.calls[0].request.messages
    turn = await house.turn_of(asked.answer)
    live = house.runner.live(turn.id)
    assert live is not None
    assert (live.text, live.thinking, live.turn.attempt) == ("Ou", "hm", 2)
    call.send(Text("Non"))
    call.finish(".")
    assert (await house.ended(asked.answer)).state == "done"
    assert await text_of(house, asked.answer) == "Non."
    (await house.engine.call(2)).finish()
    assert (await house.ended(other.answer, house.marc)).state == "done"

    events = [json.loads(text) for text in sent]
    queued = [
        e["turn"]["is_healing"]
        for e in events
        if e["type"] == "turn" and e["turn"]["state"] == "queued"
    ]
    assert queued[-1]
    assert [(e["text"], e["thinking"]) for e in events if e["type"] == "rewrite"] == [("", "")]


async def test_an_answer_gone_on_with_keeps_its_beginning_when_it_is_tried_again(
    house: House,
) -> None:
    asked = await house.ask()
    call = await house.engine.call(0)
    call.send(Text("Il était "), Finished("length", Timings(answer_tokens=2, write_seconds=1.0)))
    await house.ended(asked.answer)
    await house.chat.go_on(house.claire, asked.answer)
    (await house.engine.call(1)).send(Text("un "), AnswerInterrupted(reason="x"))
    call = await house.engine.call(2)

    assert call.request.messages[-1].text == "Il était "
    call.finish("une fois")
    await house.ended(asked.answer)
    assert await text_of(house, asked.answer) == "Il était une fois"


async def test_an_answer_that_waits_to_be_tried_again_is_stopped_and_kept(house: House) -> None:
    house.runner.is_watched = True
    asked = await house.ask()
    (await house.engine.call(0)).send(Text("Ou"), AnswerInterrupted(reason="x"))
    turn = await house.turn_of(asked.answer)
    live = house.runner.live(turn.id)
    assert live is not None
    async with asyncio.timeout(10):
        while live.turn.attempt == 1:  # noqa: ASYNC110 -- no event tells it
            await asyncio.sleep(0.01)

    await house.runner.stop(turn.id)

    assert (await house.turn_of(asked.answer)).state == "stopped"
    assert await text_of(house, asked.answer) == "Ou"
    assert house.runner.drains  # the engine may still be at it
    house.runner.release([each.id for each in house.runner.attempts])
    again = await house.ask(conversation=asked.conversation.id)
    (await house.engine.call(1)).finish()
    assert (await house.ended(again.answer)).state == "done"


async def test_while_somebody_watches_a_turn_waits_for_an_engine_that_is_gone(
    house: House,
) -> None:
    house.runner.is_watched = True
    asked = await house.ask()
    (await house.engine.call(0)).send(EngineUnavailable(address="x"))
    other = await house.ask(user=house.marc)
    await asyncio.sleep(0.05)
    assert len(house.engine.calls) == 1

    house.runner.allow(may_start=True, suspects=frozenset())

    for number, (one, user) in enumerate(((asked, house.claire), (other, house.marc)), start=1):
        (await house.engine.call(number)).finish()
        assert (await house.ended(one.answer, user)).state == "done"
    assert (await house.turn_of(asked.answer)).attempt == 1


async def test_an_engine_that_has_no_room_is_asked_again(house: House) -> None:
    calls.BUSY_DELAYS, before = (0.01, 0.01, 0.01), calls.BUSY_DELAYS
    try:
        asked = await house.ask()
        for number in range(3):
            (await house.engine.call(number)).send(EngineBusy())
        (await house.engine.call(3)).finish()
        assert (await house.ended(asked.answer)).state == "done"
    finally:
        calls.BUSY_DELAYS = before


@pytest.mark.parametrize("failure", [AnswerInterrupted(reason="x"), EngineRejected(reason="x")])
async def test_an_answer_that_is_cut_tells_how_much_was_written(
    house: House, failure: Exception
) -> None:
    asked = await house.ask()
    for number in range(2 if isinstance(failure, AnswerInterrupted) else 1):
        call = await house.engine.call(number)
        call.send(Thought("hm", tokens=2), Text("Ou"), Text("i", 4), failure)

    assert (await house.ended(asked.answer)).timings.answer_tokens == 7


async def test_what_was_counted_is_kept_with_what_grows_for_the_case_of_a_crash(
    house: House,
) -> None:
    asked = await house.ask()
    (await house.engine.call(0)).send(Text("Ou", tokens=3))
    async with asyncio.timeout(10):
        while await text_of(house, asked.answer) != "Ou":  # noqa: ASYNC110 -- the keeper's own pace
            await asyncio.sleep(0.05)

    await house.store.recover_turns()  # as the next start would, after a crash now

    turn = await house.turn_of(asked.answer)
    assert (turn.state, turn.timings.answer_tokens) == ("interrupted", 3)


@pytest.mark.parametrize("failure", [StoreFull(path="x", reason="y"), ZeroDivisionError()])
async def test_growing_goes_on_while_the_store_fails_and_is_kept_later(
    house: House, failure: Exception
) -> None:
    asked = await house.ask()
    call = await house.engine.call(0)
    house.store.failure = failure
    call.send(Text("Ou"))
    await asyncio.wait_for(house.store.refused.wait(), 10)
    house.store.failure = None
    call.finish("i.")

    assert (await house.ended(asked.answer)).state == "done"
    assert await text_of(house, asked.answer) == "Oui."


async def test_an_end_that_the_store_could_not_take_is_kept_as_soon_as_it_can(
    house: House,
) -> None:
    asked = await house.ask()
    house.store.failure = StoreFull(path="x", reason="y")
    (await house.engine.call(0)).finish()
    await asyncio.wait_for(house.store.refused.wait(), 10)
    house.store.failure = None

    async with asyncio.timeout(10):
        while (await house.turn_of(asked.answer)).state != "done":  # noqa: ASYNC110 -- the runner's own pace
            await asyncio.sleep(0.05)  # the keeper's own pace
    assert await text_of(house, asked.answer) == "Oui."
    await house.ask(conversation=asked.conversation.id)


async def test_half_of_a_pair_from_the_engine_ends_neither_the_turn_nor_the_others(
    make_house: MakeHouse,
) -> None:
    house = await make_house(slots=2)
    asked = await house.ask()
    other = await house.ask()
    (await house.engine.call(0)).finish("a\ud800b")
    (await house.engine.call(1)).finish()

    assert (await house.ended(asked.answer)).state == "done"
    assert await text_of(house, asked.answer) == "a?b"
    assert (await house.ended(other.answer)).state == "done"


# --- the bound, the end ------------------------------------------------------------------------


async def test_a_person_waits_with_so_many_turns_and_no_more(make_house: MakeHouse) -> None:
    house = await make_house(per_person=2, in_all=3)
    for _ in range(3):  # one runs, two wait
        await house.ask()

    with pytest.raises(QueueFull) as raised:
        await house.ask()
    assert raised.value.fields == {"waiting": 2}

    await house.ask(house.marc)
    with pytest.raises(QueueFull) as raised:
        await house.ask(house.marc)
    assert raised.value.fields == {"waiting": 3}


async def test_many_questions_at_once_do_not_pass_the_bound(make_house: MakeHouse) -> None:
    house = await make_house(per_person=2)

    done = await asyncio.gather(*(house.ask() for _ in range(20)), return_exceptions=True)

    assert sum(isinstance(each, QueueFull) for each in done) == 17  # one runs, two wait
    assert len(await house.store.conversations(house.claire.id, 100)) == 3


async def test_a_place_held_in_vain_is_given_back(make_house: MakeHouse) -> None:
    house = await make_house(per_person=1)
    for _ in range(5):
        with pytest.raises(MessageTooLong):
            await house.ask(text="x" * 10_000)

    await house.ask()
    await house.ask()


async def test_what_was_taken_is_taken_again_when_the_queue_is_full(
    make_house: MakeHouse,
) -> None:
    house = await make_house(per_person=1)
    await house.ask()
    second = await house.ask(client_id="same")

    assert (await house.ask(client_id="same")).answer == second.answer


async def test_the_drain_waits_for_an_answer_that_comes_in_time(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    house = await make_house(drain=10)
    asked = await house.ask()
    call = await house.engine.call(0)
    queued = await house.ask()

    async with asyncio.TaskGroup() as group:
        ending = group.create_task(house_ended(make_house))
        while house.runner._group is not None:  # noqa: ASYNC110 -- the runner's own pace
            await asyncio.sleep(0)
        with pytest.raises(ServerStopping):
            await house.ask()
        call.finish()
        await ending

    again = await MakeHouse(make_house._stack, tmp_path / "data")()
    assert (await again.turn_of(asked.answer)).state == "done"
    assert (await again.turn_of(queued.answer)).state == "queued"


async def house_ended(make_house: MakeHouse) -> None:
    await make_house._stack.aclose()


async def test_the_drain_gives_up_and_the_rest_survives_for_the_next_start(
    make_house: MakeHouse,
) -> None:
    house = await make_house(drain=0.05)
    first = await house.ask()
    second = await house.ask(text="deux")
    third = await house.ask(text="trois")
    (await house.engine.call(0)).send(Text("Ou"))
    await asyncio.sleep(0)
    await make_house._stack.aclose()

    again = await make_house()
    await again.chat.recover()

    turn = await again.turn_of(first.answer)
    assert (turn.state, turn.error_code) == ("interrupted", "daemon_restarted")
    for number, (one, text) in enumerate(((second, "deux"), (third, "trois"))):
        call = await again.engine.call(number)
        assert call.request.messages[-1].text == text
        call.finish()
        assert (await again.ended(one.answer)).state == "done"


async def test_a_conversation_whose_answer_waits_takes_no_other_question(house: House) -> None:
    await house.ask()
    asked = await house.ask()

    with pytest.raises(TurnRunning):
        await house.ask(conversation=asked.conversation.id)


# --- what is sent ------------------------------------------------------------------------------


async def test_going_on_counts_what_is_already_written(make_house: MakeHouse) -> None:
    house = await make_house(answer_tokens=100)
    house.engine.context = 400
    asked = await house.ask(text="q" * 100)
    (await house.engine.call(0)).send(Text("a" * 150), Finished("length"))
    await house.ended(asked.answer)

    await house.chat.go_on(house.claire, asked.answer)
    (await house.engine.call(1)).send(Text("b" * 100), Finished("length"))
    await house.ended(asked.answer)
    await house.chat.go_on(house.claire, asked.answer)

    turn = await house.ended(asked.answer)
    assert (turn.state, turn.error_code) == ("failed", "context_exceeded")
    for call in house.engine.calls:
        sent = sum(len(message.text) for message in call.request.messages)
        assert sent + call.request.max_tokens <= house.engine.context


async def test_every_prompt_fits_the_context_however_long_the_conversation(
    make_house: MakeHouse,
) -> None:
    house = await make_house(answer_tokens=200, exchanges=2)
    house.engine.context = 1000
    conversation = None
    for number in range(12):
        asked = await house.ask(conversation=conversation, text="x" * (1 + 60 * number))
        conversation = asked.conversation.id
        call = await house.engine.call(number)
        sent = sum(len(message.text) for message in call.request.messages)
        assert sent + call.request.max_tokens <= 1000
        assert [each.speaker for each in call.request.messages[:2]] == ["system", "user"]
        call.finish("a" * 150)
        await house.ended(asked.answer)


async def test_a_snapshot_taken_in_mid_answer_and_the_events_after_it_make_the_whole(
    house: House,
) -> None:
    asked = await house.ask()
    call = await house.engine.call(0)
    call.send(Text("Bon"))
    heard: list[str] = []
    await house.chat.watch(house.claire, asked.conversation.id, None, "w", heard.append)
    call.send(Text("jo"))
    await asyncio.sleep(0)
    late: list[str] = []
    await house.chat.watch(house.claire, asked.conversation.id, None, "l", late.append)
    call.finish("ur")
    await house.ended(asked.answer)

    for told in (heard, late):
        events = [json.loads(each) for each in told]
        assert [event["type"] for event in events].count("snapshot") == 1
        text = events[0]["messages"][1]["text"]
        text += "".join(event["d"] for event in events[1:] if event["type"] == "text")
        assert text == "Bonjour"
        numbers = [event["n"] for event in events[1:]]
        start = events[0]["position"]["n"]
        assert numbers == list(range(start + 1, start + 1 + len(numbers)))


async def test_an_operators_question_is_answered_and_kept_nowhere(house: House) -> None:
    async def read() -> list[Any]:
        return [event async for event in house.chat.ask_operator("Bonjour", None)]

    task = asyncio.create_task(read())
    (await house.engine.call(0)).finish()
    events = await asyncio.wait_for(task, 10)

    assert "".join(event["d"] for event in events if event["type"] == "text") == "Oui."
    assert events[-1]["turn"]["state"] == "done"
    assert await house.store.conversations(house.claire.id, 10) == []


async def test_an_operator_who_leaves_stops_the_turn(house: House) -> None:
    answer = house.chat.ask_operator("Bonjour", None)
    reading = asyncio.ensure_future(anext(answer))
    call = await house.engine.call(0)
    call.send(Loading())
    await reading

    await answer.aclose()

    assert call.closed.is_set()
    assert house.runner.running_turns == 0


async def test_no_model_at_all_is_told_apart_from_an_engine_that_is_down(house: House) -> None:
    house.engine.names = []
    with pytest.raises(Exception, match="no_model"):
        await house.ask()
    house.engine.up = False
    with pytest.raises(EngineUnavailable):
        await house.ask()


# --- what an odd engine or an odd store must not do ---------------------------------------------


@pytest.mark.parametrize(
    "odd",
    [
        Timings(answer_tokens=20, write_seconds=-1.0),
        Timings(answer_tokens=20, write_seconds=math.inf),
        Timings(answer_tokens=20, write_seconds=math.nan),
        Timings(answer_tokens=-3, read_seconds=-0.5),
    ],
    ids=str,
)
async def test_figures_that_cannot_be_are_not_believed_and_end_nobody(
    house: House, odd: Timings
) -> None:
    first, second = await house.ask(), await house.ask()
    (await house.engine.call(0)).send(Text("Oui"), Finished("stop", odd))
    turn = await house.ended(first.answer)

    assert turn.state == "done"
    assert turn.timings.write_seconds is None or turn.timings.write_seconds >= 0
    (await house.engine.call(1)).finish()
    assert (await house.ended(second.answer)).state == "done"


async def test_a_turn_that_waits_again_is_kept_as_waiting(house: House) -> None:
    house.runner.is_watched = True
    asked = await house.ask()
    call = await house.engine.call(0)
    call.send(Loading())
    async with asyncio.timeout(10):
        while (await house.turn_of(asked.answer)).state != "loading":  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.05)
    call.send(EngineUnavailable(address="x"))

    async with asyncio.timeout(10):
        while (await house.turn_of(asked.answer)).state != "queued":  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.05)
    assert (await house.turn_of(asked.answer)).started_at is None


async def test_a_store_that_fails_in_an_odd_way_ends_nobody(house: House) -> None:
    asked = await house.ask()
    house.store.failure = RuntimeError("odd")
    (await house.engine.call(0)).finish()
    await asyncio.sleep(2)  # the keeper has tried again
    house.store.failure = None

    async with asyncio.timeout(10):
        while (await house.turn_of(asked.answer)).state != "done":  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.05)


async def test_a_turn_tried_again_before_a_crash_is_not_tried_a_third_time(
    make_house: MakeHouse,
) -> None:
    house = await make_house()
    house.runner.is_watched = True  # and lets go of nothing: it goes on waiting
    asked = await house.ask()
    (await house.engine.call(0)).send(Text("Il était"), AnswerInterrupted(reason="x"))
    async with asyncio.timeout(10):
        while (await house.turn_of(asked.answer)).attempt != 2:  # noqa: ASYNC110 -- as above
            await asyncio.sleep(0.05)
    house.runner.unwatch()
    await make_house._stack.aclose()

    again = await make_house()
    await again.chat.recover()
    (await again.engine.call(0)).send(AnswerInterrupted(reason="x"))

    turn = await again.ended(asked.answer)
    assert (turn.state, turn.attempt) == ("interrupted", 2)
    assert await text_of(again, asked.answer) == "Il était"
