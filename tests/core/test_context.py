"""The context window: what is sent, how rarely its start moves, and what is refused."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.context import exchanges_of, system_prompt, window
from couachgptd.core.conversations import Author, Message, branch_to
from couachgptd.core.errors import MessageTooLong
from couachgptd.core.ids import ConversationId, MessageId

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
sizes = st.integers(1, 400)
conversations = st.lists(st.tuples(sizes, sizes), min_size=1, max_size=40)
keeps = st.integers(1, 8)


def starts_of(conversation: list[tuple[int, int]], keep: int, budget: int) -> list[int]:
    """Return where the window starts at each turn of a conversation that grows."""
    questions = [question for question, _ in conversation]
    answers = [answer for _, answer in conversation]
    return [
        window(questions[: turn + 1], answers[:turn], keep=keep, budget_tokens=budget).start
        for turn in range(len(questions))
    ]


def message(
    number: int, parent: int | None, author: Author = Author.PERSON, text: str = "x"
) -> Message:
    return Message(
        id=MessageId(number),
        conversation_id=ConversationId("c"),
        parent_id=None if parent is None else MessageId(parent),
        author=author,
        author_id=None,
        client_id=None,
        text=text,
        thinking="",
        created_at=MOMENT,
    )


# --- the window ------------------------------------------------------------------------------


@given(conversations, keeps, st.integers(400, 6000))
def test_what_is_sent_never_exceeds_the_budget(
    conversation: list[tuple[int, int]], keep: int, budget: int
) -> None:
    questions = [question for question, _ in conversation]
    answers = [answer for _, answer in conversation][:-1]

    found = window(questions, answers, keep=keep, budget_tokens=budget)

    exchanges = [q + a for q, a in zip(questions, answers, strict=False)]
    assert found.tokens == sum(exchanges[found.start :]) + questions[-1] <= budget
    assert 0 <= found.start < len(questions)


@given(conversations, keeps, st.integers(400, 6000))
def test_the_start_only_moves_forward(
    conversation: list[tuple[int, int]], keep: int, budget: int
) -> None:
    starts = starts_of(conversation, keep, budget)

    assert starts == sorted(starts)


@given(conversations, keeps)
def test_at_least_the_kept_exchanges_are_sent_where_the_budget_holds_any_as_many(
    conversation: list[tuple[int, int]], keep: int
) -> None:
    budget = (keep + 1) * 800

    starts = starts_of(conversation, keep, budget)

    assert all(turn - start >= min(turn, keep) for turn, start in enumerate(starts))


@given(conversations, keeps, st.integers(800, 6000))
def test_a_cut_leaves_the_kept_exchanges_where_they_fit_and_were_still_there(
    conversation: list[tuple[int, int]], keep: int, budget: int
) -> None:
    starts = starts_of(conversation, keep, budget)

    exchanges = [question + answer for question, answer in conversation]
    for turn in range(1, len(starts)):
        if starts[turn] == starts[turn - 1]:
            continue
        kept = max(starts[turn - 1], turn - keep)
        if sum(exchanges[kept:turn]) + conversation[turn][0] <= budget:
            assert starts[turn] == kept


@given(conversations, keeps, st.integers(800, 6000))
def test_between_two_cuts_each_prompt_begins_with_the_whole_of_the_one_before(
    conversation: list[tuple[int, int]], keep: int, budget: int
) -> None:
    starts = starts_of(conversation, keep, budget)

    def prompt(turn: int) -> list[tuple[str, int]]:
        return [
            *((part, turn) for turn in range(starts[turn], turn) for part in ("q", "a")),
            ("q", turn),
        ]

    for turn in range(1, len(starts)):
        if starts[turn] == starts[turn - 1]:
            before = prompt(turn - 1)
            assert prompt(turn)[: len(before)] == before


@given(st.integers(1, 8))
def test_with_room_enough_a_cut_comes_every_keep_turns_and_not_at_each(keep: int) -> None:
    starts = starts_of([(1, 1)] * (6 * keep + 1), keep, 10_000)

    moves = [turn for turn in range(1, len(starts)) if starts[turn] != starts[turn - 1]]
    assert moves[0] == 2 * keep + 1
    assert all(later - sooner == keep + 1 for sooner, later in itertools.pairwise(moves))


def test_when_tokens_force_a_cut_half_the_budget_stays_free_for_the_next_turns() -> None:
    starts = starts_of([(50, 50)] * 12, 10, 500)

    moves = [turn for turn in range(1, len(starts)) if starts[turn] != starts[turn - 1]]
    assert len(moves) <= 4
    assert all(later - sooner > 1 for sooner, later in itertools.pairwise(moves))


def test_one_long_exchange_is_sent_rather_than_a_half_empty_prompt() -> None:
    found = window([10, 10, 10], [300, 300], keep=5, budget_tokens=400)

    assert found.start == 1


@pytest.mark.parametrize("budget", [9, 1])
def test_a_question_that_alone_does_not_fit_is_refused_with_its_size(budget: int) -> None:
    with pytest.raises(MessageTooLong) as raised:
        window([1, 10], [1], keep=5, budget_tokens=budget)

    assert raised.value.fields == {"tokens": 10, "limit_tokens": budget}


def test_an_old_question_too_long_for_todays_budget_is_left_out() -> None:
    found = window([5000, 10, 10], [10, 10], keep=5, budget_tokens=500)

    assert found.start == 1


# --- what is sent ----------------------------------------------------------------------------


def test_questions_are_paired_with_their_answers_and_the_last_one_waits() -> None:
    branch = [
        message(1, None),
        message(2, 1, Author.MODEL),
        message(3, 2),
    ]

    pairs = exchanges_of(branch)

    assert [(pair.question.id, pair.answer and pair.answer.id) for pair in pairs] == [
        (1, 2),
        (3, None),
    ]


def test_a_question_that_never_got_a_word_is_left_out() -> None:
    branch = [message(1, None), message(2, 1, Author.MODEL, " \n"), message(3, 2)]

    assert [pair.question.id for pair in exchanges_of(branch)] == [3]


def test_of_two_questions_in_a_row_the_later_one_counts() -> None:
    branch = [message(1, None), message(2, 1), message(3, 2, Author.MODEL)]

    assert [pair.question.id for pair in exchanges_of(branch)] == [2]


def test_an_answer_without_a_question_is_left_out() -> None:
    assert exchanges_of([message(1, None, Author.MODEL)]) == []


def test_a_branch_goes_from_the_root_to_its_leaf_past_its_siblings() -> None:
    tree = [message(1, None), message(2, 1), message(3, 1), message(4, 3)]

    assert [each.id for each in branch_to(tree, MessageId(4))] == [1, 3, 4]


def test_a_branch_begins_where_a_parent_is_not_known() -> None:
    assert [each.id for each in branch_to([message(4, 3)], MessageId(4))] == [4]


def test_the_branch_to_an_unknown_leaf_is_empty() -> None:
    assert branch_to([message(1, None)], MessageId(9)) == []


@pytest.mark.parametrize(
    ("language", "begins"), [("fr", "Quand la personne"), ("eo", "When the person")]
)
def test_the_system_prompt_is_in_the_persons_language_else_in_english(
    language: str, begins: str
) -> None:
    assert system_prompt(language).startswith(begins)
