"""Who runs next, case by case."""

import random

import pytest

from couachgptd.core.ids import ConversationId, TurnId, UserId
from couachgptd.core.queue import Queue, Waiting
from couachgptd.core.turns import TurnSource

ANNE, BEN, CLEO = (UserId(number) for number in (1, 2, 3))


def waiting(
    turn: int,
    asker: UserId | None = ANNE,
    conversation: str | None = None,
    *,
    source: TurnSource = TurnSource.CHAT,
    model: str = "",
    at: float = 0.0,
    tokens: float = 100.0,
    seconds: float = 10.0,
    is_suspect: bool = False,
) -> Waiting:
    return Waiting(
        TurnId(turn),
        asker,
        None if conversation is None else ConversationId(conversation),
        source=source,
        model=model,
        queued_at=at,
        tokens=tokens,
        seconds=seconds,
        is_suspect=is_suspect,
    )


def queue_of(*each: Waiting, slots: int = 1, pass_over_seconds: float = 60.0) -> Queue:
    queue = Queue(slots=slots, pass_over_seconds=pass_over_seconds)
    for one in each:
        queue.add(one)
    return queue


def taken(queue: Queue, now: float = 0.0) -> list[TurnId]:
    """Take what may start now."""
    found = []
    while (running := queue.take(now)) is not None:
        found.append(running.waiting.turn)
    return found


def order(queue: Queue, now: float = 0.0) -> list[TurnId]:
    """Let each turn run for its expected seconds; return them as they started."""
    started = taken(queue, now)
    for turn in started:
        now += queue.running[turn].waiting.seconds
        queue.ended(turn, now)
        started += taken(queue, now)
    return started


# between people


def test_one_question_waits_for_one_answer_of_somebody_who_asked_two_hundred() -> None:
    """Row 35 of the fault table."""
    queue = queue_of(*(waiting(number) for number in range(200)))
    assert taken(queue) == [0]
    queue.add(waiting(200, BEN, at=5, tokens=4000))

    assert queue.places(5)[TurnId(200)] == 0
    queue.ended(TurnId(0), 10, tokens=1)
    assert taken(queue, 10) == [200]


def test_the_questions_of_one_person_are_answered_in_their_order() -> None:
    queue = queue_of(waiting(1), waiting(2), waiting(3))

    assert order(queue) == [1, 2, 3]


def test_people_take_turns_however_many_each_has_asked() -> None:
    queue = queue_of(*(waiting(turn) for turn in (1, 2, 3)), waiting(4, BEN), waiting(5, BEN))

    assert order(queue) == [1, 4, 2, 5, 3]


def test_who_asks_for_long_answers_gets_fewer_of_them() -> None:
    long = [waiting(turn, tokens=300) for turn in (1, 2)]
    short = [waiting(turn, BEN) for turn in (3, 4, 5, 6, 7)]
    queue = queue_of(*long, *short)

    assert order(queue) == [1, 3, 4, 5, 2, 6, 7]


def test_an_answer_that_was_longer_than_expected_is_paid_for_afterwards() -> None:
    queue = queue_of(*(waiting(turn) for turn in (1, 2)), *(waiting(t, BEN) for t in (3, 4, 5)))
    assert taken(queue) == [1]
    queue.ended(TurnId(1), 30, tokens=300)

    assert order(queue, 30) == [3, 4, 5, 2]


def test_one_that_was_shorter_is_paid_back() -> None:
    queue = queue_of(*(waiting(turn, tokens=300) for turn in (1, 2)), waiting(3, BEN))
    queue.add(waiting(4, BEN))
    assert taken(queue) == [1]
    queue.ended(TurnId(1), 1, tokens=50)

    assert order(queue, 1) == [3, 2, 4]


def test_a_turn_in_a_room_is_its_askers() -> None:
    queue = queue_of(
        waiting(1), waiting(2, source=TurnSource.ROOM, conversation="room"), waiting(3, BEN)
    )

    assert order(queue) == [1, 3, 2]


def test_the_operator_is_one_person_among_the_others() -> None:
    queue = queue_of(waiting(1, None), waiting(2, None), waiting(3, BEN))

    assert order(queue) == [1, 3, 2]


def test_newcomers_do_not_pass_for_ever_one_who_was_served_much() -> None:
    queue = queue_of(waiting(0, ANNE, tokens=500), waiting(1, ANNE))
    now, newcomer, started = 0.0, 100, taken(queue)
    while started[-1] != 1:
        now += 1
        queue.add(waiting(newcomer, UserId(newcomer), at=now))
        newcomer += 1
        queue.ended(TurnId(started[-1]), now)
        started += taken(queue, now)

    assert 400 < now < 600


def test_a_line_that_was_empty_for_hours_gives_no_right_to_hours() -> None:
    queue = queue_of(*(waiting(turn) for turn in range(10)))
    started = taken(queue)
    for turn in range(5):
        queue.ended(TurnId(turn), turn * 10 + 10)
        started += taken(queue, turn * 10 + 10)
    for turn in range(10, 14):
        queue.add(waiting(turn, BEN, at=55))
    queue.ended(TurnId(5), 60)

    assert order(queue, 60) == [10, 6, 11, 7, 12, 8, 13, 9]


def test_nobody_is_remembered_once_nobody_waits() -> None:
    queue = queue_of(*(waiting(person, UserId(person)) for person in range(50)))
    order(queue)

    assert not queue._lines
    assert not queue._due


# slots


def test_who_is_alone_may_use_every_slot() -> None:
    assert taken(queue_of(*(waiting(turn) for turn in range(5)), slots=3)) == [0, 1, 2]


def test_nobody_has_two_slots_while_somebody_has_none() -> None:
    queue = queue_of(
        waiting(1, tokens=1), waiting(2, tokens=1), waiting(3, BEN, tokens=9999), slots=2
    )

    assert taken(queue) == [1, 3]


def test_a_conversation_that_is_being_answered_lets_others_pass() -> None:
    queue = queue_of(waiting(1, ANNE, "a"), waiting(2, BEN, "a"), waiting(3, ANNE, "b"), slots=2)

    assert taken(queue) == [1, 3]
    queue.ended(TurnId(1), 10)
    assert taken(queue, 10) == [2]


# sources


@pytest.mark.parametrize("source", [TurnSource.BENCHMARK, TurnSource.TITLE])
def test_a_benchmark_or_a_title_waits_until_nobody_waits_or_runs(source: TurnSource) -> None:
    queue = queue_of(waiting(1, None, source=source), waiting(2), waiting(3, BEN), slots=2)

    assert taken(queue) == [2, 3]
    queue.ended(TurnId(2), 10)
    assert taken(queue, 10) == []
    queue.ended(TurnId(3), 10)
    assert taken(queue, 10) == [1]


def test_a_title_does_not_count_against_what_a_person_may_ask() -> None:
    queue = queue_of(waiting(1), waiting(2, source=TurnSource.TITLE), waiting(3, None))

    assert (queue.waiting_of(ANNE), queue.waiting_of(None), queue.waiting_of(BEN)) == (1, 1, 0)
    assert len(queue) == 3


# models


def test_turns_of_the_loaded_model_go_first() -> None:
    queue = queue_of(waiting(1, ANNE, model="small"), waiting(2, BEN, model="large"))
    queue.add(waiting(3, CLEO, model="small"))

    assert order(queue) == [1, 3, 2]


def test_nobody_is_passed_for_longer_than_the_bound() -> None:
    each = [waiting(turn, ANNE, model="small", seconds=25) for turn in range(1, 9)]
    queue = queue_of(*each, waiting(9, BEN, model="large", seconds=25), pass_over_seconds=60)

    assert order(queue) == [1, 2, 3, 9, 4, 5, 6, 7, 8]


def test_one_whose_expected_end_is_too_late_does_not_pass() -> None:
    queue = queue_of(waiting(1, ANNE, model="small"), waiting(2, BEN, model="large"))
    queue.add(waiting(3, CLEO, model="small", seconds=61))

    assert order(queue) == [1, 2, 3]


def test_without_a_bound_nobody_is_passed() -> None:
    each = [waiting(1, ANNE, model="small"), waiting(2, BEN, model="large")]
    queue = queue_of(*each, waiting(3, CLEO, model="small"), pass_over_seconds=0)

    assert order(queue) == [1, 2, 3]


def test_the_model_changes_only_when_every_slot_is_free() -> None:
    queue = queue_of(waiting(1, ANNE, model="small", seconds=90), slots=2)
    assert taken(queue) == [1]
    large = waiting(2, BEN, model="large")
    queue.add(large)

    assert taken(queue) == []
    queue.ended(TurnId(1), 90)
    running = queue.take(90)
    assert running is not None
    assert (running.waiting, running.loads) == (large, True)
    assert queue.model == "large"


def test_a_short_one_of_the_loaded_model_may_use_a_slot_that_is_being_emptied() -> None:
    each = [waiting(1, ANNE, model="small", seconds=90), waiting(2, BEN, model="large")]
    queue = queue_of(*each, waiting(3, CLEO, model="small", seconds=20), slots=2)

    assert taken(queue) == [1, 3]


def test_nobody_gets_a_second_slot_because_the_others_wait_for_a_model() -> None:
    each = [waiting(turn, ANNE, model="small") for turn in (1, 2)]
    queue = queue_of(*each, waiting(3, BEN, model="large"), slots=2)

    assert taken(queue) == [1]


def test_a_turn_says_whether_the_engine_must_load_its_model() -> None:
    queue = queue_of(waiting(1, model="small"), waiting(2, BEN, model="small"), slots=2)

    first, second = queue.take(0), queue.take(0)

    assert first is not None
    assert second is not None
    assert (first.loads, second.loads) == (True, False)


def test_an_engine_that_lost_its_model_loads_it_again() -> None:
    queue = queue_of(waiting(1, model="small"), waiting(2, model="small"))
    taken(queue)
    queue.ended(TurnId(1), 10)
    queue.model = None

    running = queue.take(10)

    assert running is not None
    assert running.loads


# what goes wrong


def test_an_interrupted_turn_is_the_next_of_its_person() -> None:
    queue = queue_of(waiting(1), waiting(2), waiting(3, BEN))
    taken(queue)
    queue.give_back(TurnId(1))

    assert order(queue) == [1, 3, 2]


def test_an_interrupted_turn_is_charged_once() -> None:
    each = [waiting(1), waiting(2), *(waiting(turn, BEN) for turn in (3, 4))]
    queue = queue_of(*each)
    for _ in range(3):
        taken(queue)
        queue.give_back(TurnId(1))

    assert order(queue) == [1, 3, 2, 4]


def test_a_suspect_runs_alone() -> None:
    each = [waiting(turn, UserId(turn)) for turn in (1, 2, 3, 4)]
    queue = queue_of(*each, slots=2)
    assert taken(queue) == [1, 2]
    queue.give_back(TurnId(1), is_suspect=True)
    queue.give_back(TurnId(2), is_suspect=True)

    assert taken(queue) == [1]
    queue.ended(TurnId(1), 10)
    assert taken(queue, 10) == [2]
    queue.ended(TurnId(2), 20)
    assert taken(queue, 20) == [3, 4]


def test_a_suspect_waits_until_the_others_have_ended() -> None:
    queue = queue_of(waiting(1), waiting(2, BEN, is_suspect=True), waiting(3, CLEO), slots=2)

    assert taken(queue) == [1]
    queue.ended(TurnId(1), 10)
    assert taken(queue, 10) == [2]
    queue.ended(TurnId(2), 20)
    assert taken(queue, 20) == [3]


def test_a_paused_queue_takes_in_and_gives_nothing_out() -> None:
    queue = queue_of(waiting(1))
    queue.pause()
    queue.add(waiting(2, BEN))

    assert queue.is_paused
    assert taken(queue) == []
    assert queue.places(0) == {1: 0, 2: 1}
    queue.resume()
    assert order(queue) == [1, 2]


def test_turns_of_before_a_restart_come_back_in_their_order() -> None:
    each = [waiting(turn, UserId(turn % 2), at=float(turn)) for turn in range(10)]
    shuffled = random.Random(1).sample(each, len(each))  # noqa: S311 -- not a secret

    assert order(queue_of(*shuffled)) == list(range(10))


def test_one_that_is_taken_out_lets_the_others_move_up() -> None:
    queue = queue_of(waiting(1), waiting(2), waiting(3))

    assert queue.remove(TurnId(1))
    assert queue.places(0) == {2: 0, 3: 1}


def test_taking_out_one_that_does_not_wait_says_so() -> None:
    queue = queue_of(waiting(1))
    taken(queue)

    assert not queue.remove(TurnId(1))
    assert not queue.remove(TurnId(2))
    assert len(queue) == 0


def test_ending_what_does_not_run_is_an_error() -> None:
    with pytest.raises(KeyError):
        queue_of(waiting(1)).ended(TurnId(1), 0)


def test_the_turns_that_wait_can_be_listed() -> None:
    each = [waiting(1), waiting(2, BEN), waiting(3)]

    assert sorted(queue_of(*each), key=lambda one: one.turn) == each


def test_a_rehearsal_changes_nothing() -> None:
    each = [waiting(turn, UserId(turn % 3), model="ab"[turn % 2]) for turn in range(9)]
    queue = queue_of(*each, slots=2)
    taken(queue)
    places = queue.places(0)

    assert queue.places(0) == places
    assert len(queue) == len(places)
