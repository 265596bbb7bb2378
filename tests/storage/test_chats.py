"""Conversations, messages and turns, kept: nothing twice, nothing of somebody else's."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from peewee import IntegrityError

from couachgptd.core.conversations import Author, Conversation, Message
from couachgptd.core.errors import NotFound, TurnRunning
from couachgptd.core.ids import ConversationId, MessageId, TurnId
from couachgptd.core.turns import RUNNING, Timings, Turn, TurnSource, TurnState
from couachgptd.core.users import User
from couachgptd.storage.store import SqliteStore
from couachgptd.storage.tables import ConversationTable, MessageTable, TurnTable

Asked = tuple[Conversation, Message, Message, bool]
NOWHERE = ConversationId("nowhere")


async def ask(store: SqliteStore, user: User, client_id: str = "c1", **changes: Any) -> Asked:
    fields: dict[str, Any] = {
        "conversation_id": None,
        "text": "Bonjour ?",
        "title": "Bonjour",
        "parent_id": None,
        "source": TurnSource.CHAT,
        "model": "couac:1b",
        "options": {"seed": 1},
    }
    return await store.add_question(user_id=user.id, client_id=client_id, **{**fields, **changes})


def turn_of(message: Message) -> Turn:
    assert message.turn is not None
    return message.turn


async def ended(store: SqliteStore, answer: Message, state: TurnState = TurnState.DONE) -> Message:
    turn = replace(turn_of(answer), state=state, finished_at=datetime.now(UTC))
    await store.finish_turn(turn, "Oui.", "")
    return answer


# --- questions ---------------------------------------------------------------------------------


async def test_a_question_comes_with_its_empty_answer_and_a_queued_turn(
    store: SqliteStore, claire: User
) -> None:
    conversation, question, answer, is_new = await ask(store, claire)

    assert is_new
    assert (conversation.owner_id, conversation.title) == (claire.id, "Bonjour")
    assert (question.author, question.author_id) == (Author.PERSON, claire.id)
    assert (answer.author, answer.parent_id, answer.text) == (Author.MODEL, question.id, "")
    turn = turn_of(answer)
    assert (turn.state, turn.attempt, turn.options) == (TurnState.QUEUED, 1, {"seed": 1})
    assert await store.messages(conversation.id) == [question, answer]
    assert await store.turn_of(claire.id, turn.id) == turn


async def test_a_question_sent_twice_is_one_and_names_the_same_ids(
    store: SqliteStore, claire: User
) -> None:
    first = await ask(store, claire)
    again = await ask(store, claire, text="Autre chose")

    assert again[:3] == first[:3]
    assert (first[3], again[3]) == (True, False)


async def test_a_question_sent_twenty_times_at_once_is_one(
    store: SqliteStore, claire: User
) -> None:
    asked = await asyncio.gather(*(ask(store, claire) for _ in range(20)))

    assert len({question.id for _, question, _, _ in asked}) == 1
    assert [is_new for *_, is_new in asked].count(True) == 1
    assert len(await store.conversations(claire.id, 10)) == 1


async def test_two_people_may_choose_the_same_client_id(
    store: SqliteStore, claire: User, marc: User
) -> None:
    hers = await ask(store, claire)
    his = await ask(store, marc)

    assert hers[0].id != his[0].id
    assert his[3]


async def test_what_was_asked_is_found_by_its_client_id_and_only_by_its_author(
    store: SqliteStore, claire: User, marc: User
) -> None:
    first = await ask(store, claire)

    found = await store.asked(claire.id, "c1")

    assert found is not None
    assert found[:3] == first[:3]
    assert await store.asked(marc.id, "c1") is None
    assert await store.asked(claire.id, "c2") is None


async def test_a_question_follows_the_newest_message_where_no_parent_is_told(
    store: SqliteStore, claire: User
) -> None:
    conversation, _, answer, _ = await ask(store, claire)
    await ended(store, answer)

    _, second, _, _ = await ask(store, claire, "c2", conversation_id=conversation.id)

    assert second.parent_id == answer.id


async def test_a_question_can_branch_off_an_older_message(store: SqliteStore, claire: User) -> None:
    conversation, question, answer, _ = await ask(store, claire)
    await ended(store, answer)

    _, second, _, _ = await ask(
        store, claire, "c2", conversation_id=conversation.id, parent_id=question.id
    )

    assert second.parent_id == question.id


async def test_a_parent_in_another_conversation_is_not_found_and_nothing_is_kept(
    store: SqliteStore, claire: User
) -> None:
    _, elsewhere, answer, _ = await ask(store, claire)
    await ended(store, answer)
    other, _, last, _ = await ask(store, claire, "c2")
    await ended(store, last)

    with pytest.raises(NotFound):
        await ask(store, claire, "c3", conversation_id=other.id, parent_id=elsewhere.id)
    with pytest.raises(NotFound):
        await ask(store, claire, "c4", parent_id=elsewhere.id)

    assert len(await store.messages(other.id)) == 2
    assert len(await store.conversations(claire.id, 10)) == 2


async def test_an_edited_question_stands_beside_the_one_before(
    store: SqliteStore, claire: User
) -> None:
    conversation, first, answer, _ = await ask(store, claire)
    await ended(store, answer)
    inside: dict[str, Any] = {"conversation_id": conversation.id}
    _, second, answer_to_second, _ = await ask(store, claire, "c2", **inside)
    await ended(store, answer_to_second)

    for number, edited in enumerate((first, second)):
        _, version, its_answer, _ = await ask(
            store, claire, f"e{number}", edited_id=edited.id, parent_id=edited.id, **inside
        )
        await ended(store, its_answer)
        assert version.parent_id == edited.parent_id
    assert [each.text for each in await store.messages(conversation.id)][:4] == [
        "Bonjour ?", "Oui.", "Bonjour ?", "Oui.",
    ]  # fmt: skip


async def test_only_a_question_of_this_conversation_can_be_edited(
    store: SqliteStore, claire: User
) -> None:
    _, elsewhere, answer, _ = await ask(store, claire)
    await ended(store, answer)
    other, _, last, _ = await ask(store, claire, "c2")
    await ended(store, last)

    for conversation, edited in ((other.id, elsewhere), (other.id, last), (None, elsewhere)):
        with pytest.raises(NotFound):
            await ask(store, claire, "c3", conversation_id=conversation, edited_id=edited.id)

    assert len(await store.messages(other.id)) == 2
    assert len(await store.conversations(claire.id, 10)) == 2


async def test_nobody_writes_into_somebody_elses_conversation(
    store: SqliteStore, claire: User, marc: User
) -> None:
    conversation, _, answer, _ = await ask(store, claire)
    await ended(store, answer)

    for name in (conversation.id, NOWHERE):
        with pytest.raises(NotFound):
            await ask(store, marc, "c2", conversation_id=name)


async def test_a_conversation_takes_no_question_while_its_answer_is_open(
    store: SqliteStore, claire: User
) -> None:
    conversation, question, answer, _ = await ask(store, claire)
    turn = turn_of(answer)

    for state in (TurnState.QUEUED, *sorted(RUNNING)):
        await store.save_progress([(replace(turn, state=state), "", "")])
        with pytest.raises(TurnRunning):
            await ask(store, claire, "c2", conversation_id=conversation.id)
        with pytest.raises(TurnRunning):
            await store.add_answer(
                user_id=claire.id, question_id=question.id, model="m", options={}
            )
        with pytest.raises(TurnRunning):
            await store.add_attempt(user_id=claire.id, message_id=answer.id, model="m", options={})


async def test_two_questions_at_once_into_one_conversation_are_one_question(
    store: SqliteStore, claire: User
) -> None:
    conversation, _, answer, _ = await ask(store, claire)
    await ended(store, answer)

    done = await asyncio.gather(
        *(ask(store, claire, f"d{n}", conversation_id=conversation.id) for n in range(6)),
        return_exceptions=True,
    )

    assert sum(isinstance(each, TurnRunning) for each in done) == 5
    assert len(await store.messages(conversation.id)) == 4


async def test_the_database_itself_refuses_a_second_running_turn(
    store: SqliteStore, claire: User
) -> None:
    conversation, question, answer, _ = await ask(store, claire)
    await store.save_progress([(replace(turn_of(answer), state=TurnState.WRITING), "", "")])

    def second() -> None:
        TurnTable.create(
            conversation=conversation.id,
            message=question.id,
            asker=claire.id,
            source="chat",
            state="loading",
            attempt=1,
            model="m",
            options={},
            queued_at=datetime.now(UTC),
        )

    with pytest.raises(IntegrityError):
        await store._db.write(second)


# --- other answers -----------------------------------------------------------------------------


async def test_another_answer_is_a_sibling_of_the_first(store: SqliteStore, claire: User) -> None:
    conversation, question, answer, _ = await ask(store, claire)
    await ended(store, answer)

    _, another = await store.add_answer(
        user_id=claire.id, question_id=question.id, model="couac:3b", options={}
    )

    assert another.parent_id == answer.parent_id == question.id
    assert another.id != answer.id
    assert (turn_of(another).model, turn_of(another).attempt) == ("couac:3b", 1)
    assert len(await store.messages(conversation.id)) == 3


async def test_another_attempt_is_a_new_turn_of_the_same_answer(
    store: SqliteStore, claire: User
) -> None:
    conversation, _, answer, _ = await ask(store, claire)
    await ended(store, answer, TurnState.INTERRUPTED)

    _, again = await store.add_attempt(
        user_id=claire.id, message_id=answer.id, model="m", options={}
    )

    assert (again.id, again.text, turn_of(again).attempt) == (answer.id, "Oui.", 2)
    assert turn_of((await store.messages(conversation.id))[1]) == turn_of(again)


async def test_nobody_answers_for_somebody_else(
    store: SqliteStore, claire: User, marc: User
) -> None:
    _, question, answer, _ = await ask(store, claire)
    await ended(store, answer)

    for message_id in (question.id, MessageId(999)):
        with pytest.raises(NotFound):
            await store.add_answer(user_id=marc.id, question_id=message_id, model="m", options={})
        with pytest.raises(NotFound):
            await store.add_attempt(user_id=marc.id, message_id=message_id, model="m", options={})


# --- reading -----------------------------------------------------------------------------------


async def test_what_is_somebody_elses_is_not_found(
    store: SqliteStore, claire: User, marc: User
) -> None:
    conversation, question, answer, _ = await ask(store, claire)

    assert await store.conversations(marc.id, 10) == []
    assert await store.conversation(marc.id, conversation.id) is None
    assert await store.message_of(marc.id, question.id) is None
    assert await store.turn_of(marc.id, turn_of(answer).id) is None


async def test_what_is_not_there_is_not_found(store: SqliteStore, claire: User) -> None:
    assert await store.conversation(claire.id, NOWHERE) is None
    assert await store.message_of(claire.id, MessageId(999)) is None
    assert await store.turn_of(claire.id, TurnId(999)) is None
    assert await store.messages(NOWHERE) == []


async def test_a_message_of_ones_own_is_found_with_its_conversation_and_turn(
    store: SqliteStore, claire: User
) -> None:
    conversation, _, answer, _ = await ask(store, claire)

    assert await store.message_of(claire.id, answer.id) == (conversation, answer)


async def test_the_conversation_written_last_is_listed_first_and_no_more_than_asked_for(
    store: SqliteStore, claire: User
) -> None:
    for number in range(3):
        await ask(store, claire, f"c{number}", title=str(number))

    # A row keeps milliseconds: three quick questions may share one.
    def apart() -> None:
        for row in ConversationTable.select():
            row.updated_at = datetime(2026, 1, 1 + int(row.title), tzinfo=UTC)
            row.save()

    await store._db.write(apart)

    assert [each.title for each in await store.conversations(claire.id, 2)] == ["2", "1"]


async def test_what_is_deleted_is_not_seen(store: SqliteStore, claire: User) -> None:
    conversation, question, answer, _ = await ask(store, claire)
    await ended(store, answer)

    def delete(table: Any, key: Any) -> None:
        table.update(deleted_at=datetime.now(UTC)).where(table.id == key).execute()

    await store._db.write(lambda: delete(MessageTable, question.id))
    assert await store.message_of(claire.id, question.id) is None
    assert [each.id for each in await store.messages(conversation.id)] == [answer.id]

    await store._db.write(lambda: delete(ConversationTable, conversation.id))
    assert await store.message_of(claire.id, answer.id) is None
    assert await store.conversations(claire.id, 10) == []


@pytest.mark.parametrize(
    "text", ["", "é" * 10_000, "'; DROP TABLE messages; --", "nul \0 inside", "🦆\u202e\r\n\t"]
)
async def test_a_text_is_kept_as_it_was_written(
    store: SqliteStore, claire: User, text: str
) -> None:
    conversation, question, _, _ = await ask(store, claire, text=text)

    assert (await store.messages(conversation.id))[0].text == text == question.text


# --- turns -------------------------------------------------------------------------------------


async def test_the_growing_text_of_several_answers_is_kept_at_once(
    store: SqliteStore, claire: User, marc: User
) -> None:
    hers = await ask(store, claire)
    his = await ask(store, marc)

    await store.save_progress(
        [
            (replace(turn_of(hers[2]), state=TurnState.WRITING), "Ou", "hm"),
            (replace(turn_of(his[2]), state=TurnState.READING), "", ""),
        ]
    )

    answer = (await store.messages(hers[0].id))[1]
    assert (answer.text, answer.thinking) == ("Ou", "hm")
    assert turn_of(answer).state is TurnState.WRITING
    assert turn_of((await store.messages(his[0].id))[1]).state is TurnState.READING


async def test_the_end_of_a_turn_is_kept_whole(store: SqliteStore, claire: User) -> None:
    conversation, _, answer, _ = await ask(store, claire)
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_000, tzinfo=UTC)
    turn = replace(
        turn_of(answer),
        state=TurnState.FAILED,
        started_at=moment,
        finished_at=moment,
        timings=Timings(1, 2, 3, 0.5, 1.5, 2.5),
        finish_reason="length",
        error_code="engine_killed",
        error_fields={"signal": "SIGKILL"},
        think_seconds=4.25,
        energy_j=12.5,
    )

    await store.finish_turn(turn, "Oui.", "hm")

    kept = (await store.messages(conversation.id))[1]
    assert kept == replace(answer, text="Oui.", thinking="hm", turn=turn)
    assert await store.turn_of(claire.id, turn.id) == turn


async def test_a_turn_of_the_operators_is_kept_without_an_answer(store: SqliteStore) -> None:
    turn = await store.add_turn(source=TurnSource.API, model="m", options={})

    await store.finish_turn(replace(turn, state=TurnState.DONE), "ignored", "")

    assert (turn.asker_id, turn.conversation_id, turn.message_id) == (None, None, None)


@pytest.mark.parametrize("state", sorted(RUNNING))
async def test_a_turn_that_a_crash_cut_is_interrupted_with_its_text(
    store: SqliteStore, claire: User, state: TurnState
) -> None:
    conversation, _, answer, _ = await ask(store, claire)
    await store.save_progress([(replace(turn_of(answer), state=state), "Ou", "")])

    assert await store.recover_turns() == []

    kept = (await store.messages(conversation.id))[1]
    turn = turn_of(kept)
    assert (kept.text, turn.state, turn.error_code) == (
        "Ou",
        TurnState.INTERRUPTED,
        "daemon_restarted",
    )
    assert turn.finished_at is not None


async def test_queued_turns_are_given_back_in_the_order_they_came(
    store: SqliteStore, claire: User
) -> None:
    asked = [await ask(store, claire, f"c{number}") for number in range(4)]
    await ended(store, asked[1][2])

    found = await store.recover_turns()

    assert [turn.id for turn in found] == [turn_of(asked[n][2]).id for n in (0, 2, 3)]


async def test_a_queued_turn_that_nobody_waits_for_any_more_is_interrupted(
    store: SqliteStore,
) -> None:
    turn = await store.add_turn(source=TurnSource.API, model="m", options={})

    assert await store.recover_turns() == []

    row = await store._db.read(lambda: TurnTable.get_by_id(turn.id))
    assert row.state == "interrupted"


async def test_an_ended_turn_is_not_touched_by_the_recovery(
    store: SqliteStore, claire: User
) -> None:
    conversation, _, answer, _ = await ask(store, claire)
    await ended(store, answer)
    before = await store.messages(conversation.id)

    await store.recover_turns()

    assert await store.messages(conversation.id) == before
