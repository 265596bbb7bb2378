"""Ratings, kept: one of a person and an answer, gone with the conversation and with the person."""

from datetime import UTC, datetime, timedelta

import pytest
from peewee import IntegrityError

from couachgptd.core.conversations import Message, Rating, Thumb
from couachgptd.core.errors import NotFound, TurnRunning
from couachgptd.core.ids import ConversationId
from couachgptd.core.ratings import Count, Given
from couachgptd.core.users import User
from couachgptd.storage.store import SqliteStore
from couachgptd.storage.tables import ConversationTable, RatingTable, UserTable
from tests.storage.test_chats import ask, ended

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def answered(store: SqliteStore, user: User, client_id: str = "c1") -> Message:
    _, _, answer, _ = await ask(store, user, client_id)
    return await ended(store, answer)


async def ratings(store: SqliteStore, conversation: ConversationId) -> list[Rating | None]:
    return [each.rating for each in await store.messages(conversation)]


async def test_a_rating_is_read_with_its_answer_and_replaced_and_taken_back(
    store: SqliteStore, claire: User
) -> None:
    answer = await answered(store, claire)
    for given in (Given(Thumb.UP, "bien"), Given(Thumb.DOWN)):
        _, rated = await store.rate(claire.id, answer.id, given)
        found = await ratings(store, answer.conversation_id)

        assert found == [None, rated.rating]
        assert rated.rating is not None
        assert (rated.rating.thumb, rated.rating.word) == (given.thumb, given.word)
        assert rated.rating.model == "couac:1b"
        assert rated.text == "Oui."
    await store.rate(claire.id, answer.id, Given(None))
    await store.rate(claire.id, answer.id, Given(None))

    assert await ratings(store, answer.conversation_id) == [None, None]


async def test_what_is_anothers_or_in_the_bin_or_still_grows_is_not_rated(
    store: SqliteStore, claire: User, marc: User
) -> None:
    _, question, answer, _ = await ask(store, claire)
    with pytest.raises(TurnRunning):
        await store.rate(claire.id, answer.id, Given(Thumb.UP))
    await ended(store, answer)
    for user, message in ((marc, answer), (claire, question)):
        with pytest.raises(NotFound):
            await store.rate(user.id, message.id, Given(Thumb.UP))
    await store.bin_conversation(claire.id, answer.conversation_id)
    with pytest.raises(NotFound):
        await store.rate(claire.id, answer.id, Given(Thumb.UP))

    assert await store.count_ratings(LONG_AGO) == []


async def test_ratings_are_counted_by_model_since_a_moment_and_told_to_their_person_alone(
    store: SqliteStore, claire: User, marc: User
) -> None:
    first, second = [await answered(store, claire, each) for each in ("c1", "c2")]
    third = await answered(store, marc)
    await store.rate(claire.id, first.id, Given(Thumb.UP))
    await store.rate(claire.id, second.id, Given(Thumb.DOWN, "inventé"))
    await store.rate(marc.id, third.id, Given(Thumb.UP))

    assert await store.count_ratings(LONG_AGO) == [Count("couac:1b", 2, 1)]
    assert await store.count_ratings(datetime.now(UTC) + timedelta(hours=1)) == []
    own = await store.ratings_of(claire.id)
    assert [(each.message, each.rating.word) for each in own] == [
        (first.id, ""), (second.id, "inventé"),
    ]  # fmt: skip


async def test_a_rating_goes_with_its_conversation_and_with_its_person(
    store: SqliteStore, claire: User, marc: User
) -> None:
    hers, his = await answered(store, claire), await answered(store, marc)
    await store.rate(claire.id, hers.id, Given(Thumb.UP, "bien"))
    await store.rate(marc.id, his.id, Given(Thumb.UP, "bien"))

    def gone() -> int:
        ConversationTable.delete().where(ConversationTable.id == hers.conversation_id).execute()
        # As for an heir: the conversation stays, what its person thought of it does not.
        ConversationTable.update(owner=claire.id).where(
            ConversationTable.id == his.conversation_id
        ).execute()
        UserTable.delete().where(UserTable.id == marc.id).execute()
        return int(RatingTable.select().count())

    assert await store._db.write(gone) == 0
    assert await ratings(store, his.conversation_id) == [None, None]


@pytest.mark.parametrize(("value", "word"), [(0, ""), (2, ""), (1, "x" * 501)])
async def test_the_table_itself_takes_no_other_thumb_and_no_longer_word(
    store: SqliteStore, claire: User, value: int, word: str
) -> None:
    answer = await answered(store, claire)

    def work() -> None:
        RatingTable.insert(
            message=answer.id, user=claire.id, value=value, word=word, model="m", at=LONG_AGO
        ).execute()

    with pytest.raises(IntegrityError):
        await store._db.write(work)
