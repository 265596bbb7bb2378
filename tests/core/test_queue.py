"""Who runs next."""

from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.ids import ConversationId, TurnId, UserId
from couachgptd.core.queue import Queue, Waiting


def waiting(turn: int, conversation: str | None = None, asker: int | None = None) -> Waiting:
    return Waiting(
        TurnId(turn),
        None if asker is None else UserId(asker),
        None if conversation is None else ConversationId(conversation),
    )


def queue_of(*each: Waiting) -> Queue:
    queue = Queue()
    for one in each:
        queue.add(one)
    return queue


def test_first_come_is_first_served() -> None:
    queue = queue_of(waiting(1), waiting(2))

    assert [queue.pop(()), queue.pop(()), queue.pop(())] == [waiting(1), waiting(2), None]


def test_a_conversation_that_is_being_answered_lets_others_pass() -> None:
    queue = queue_of(waiting(1, "a"), waiting(2, "b"))

    assert queue.pop({ConversationId("a")}) == waiting(2, "b")
    assert queue.pop({ConversationId("a")}) is None
    assert queue.pop(()) == waiting(1, "a")


def test_one_that_is_taken_out_lets_the_others_move_up() -> None:
    queue = queue_of(waiting(1), waiting(2), waiting(3))

    assert queue.remove(TurnId(1))
    assert queue.places() == {2: 0, 3: 1}


def test_taking_out_one_that_does_not_wait_says_so() -> None:
    assert not queue_of(waiting(1)).remove(TurnId(2))


def test_the_turns_of_one_person_are_counted_apart_from_the_operators() -> None:
    queue = queue_of(waiting(1, asker=7), waiting(2), waiting(3, asker=7))

    assert (queue.waiting_of(UserId(7)), queue.waiting_of(None), len(queue)) == (2, 1, 3)


@given(
    st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.integers(1, 3)), max_size=20),
    st.sets(st.sampled_from(["a", "b", "c"])),
)
def test_nothing_is_lost_and_nothing_overtakes_within_a_conversation(
    each: list[tuple[str | None, int]], running: set[str]
) -> None:
    added = [waiting(number, name, asker) for number, (name, asker) in enumerate(each)]
    queue = queue_of(*added)

    popped = list(iter(lambda: queue.pop({ConversationId(name) for name in running}), None))
    rest = list(iter(lambda: queue.pop(()), None))

    assert all(one.conversation not in running for one in popped)
    assert popped + rest == sorted(added, key=lambda one: (one.conversation in running, one.turn))
