"""Titles by the model, kept: whose turn it is, and what a person's title withstands."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from couachgptd.core.conversations import Conversation
from couachgptd.core.titles import RECENT
from couachgptd.core.turns import Turn, TurnSource, TurnState
from couachgptd.core.users import User, UserState
from couachgptd.storage.database import FILE_NAME
from couachgptd.storage.store import SqliteStore, opened_store
from couachgptd.storage.tables import ConversationTable
from tests.storage.conftest import make_old_store

Move = Callable[[SqliteStore, User, Conversation], Awaitable[Any]]


async def asked(store: SqliteStore, user: User, text: str) -> tuple[Conversation, Turn]:
    conversation, _, answer, _ = await store.add_question(
        user_id=user.id, client_id=text, conversation_id=None, text=text, title=text,
        parent_id=None, source=TurnSource.CHAT, model="m", options={},
    )  # fmt: skip
    assert answer.turn is not None
    return conversation, answer.turn


async def answered(
    store: SqliteStore, user: User, text: str, state: TurnState = TurnState.DONE
) -> Conversation:
    conversation, turn = await asked(store, user, text)
    await store.finish_turn(replace(turn, state=state, finished_at=turn.queued_at), "Oui.", "")
    return conversation


async def due(store: SqliteStore) -> list[str]:
    return [each.conversation.title for each in await store.untitled(RECENT)]


async def age(store: SqliteStore, conversation: Conversation) -> None:
    def work() -> None:
        moment = datetime.now(UTC) - RECENT - timedelta(minutes=1)
        mine = ConversationTable.id == conversation.id
        ConversationTable.update(created_at=moment).where(mine).execute()

    await store._db.write(work)


async def test_those_that_are_answered_come_newest_first_with_their_answers_turn(
    store: SqliteStore, claire: User, marc: User
) -> None:
    await answered(store, claire, "first")
    second = await answered(store, marc, "second")
    await answered(store, claire, "stopped", TurnState.STOPPED)
    await asked(store, claire, "waits")

    found = await store.untitled(RECENT)

    assert [each.conversation.title for each in found] == ["second", "first"]
    assert found[0].conversation.id == second.id
    assert (found[0].turn.conversation_id, found[0].turn.model) == (second.id, "m")
    assert found[0].language == "fr"


@pytest.mark.parametrize(
    "move",
    [
        lambda store, user, one: store.change_conversation(user.id, one.id, title="mine"),
        lambda store, user, one: store.bin_conversation(user.id, one.id),
        lambda store, user, _: store.set_user_state(user.id, UserState.SUSPENDED),
        lambda store, _, one: store.title_by_model(one, None),
        lambda store, _, one: age(store, one),
    ],
    ids=["renamed", "binned", "suspended", "tried", "old"],
)
async def test_what_is_not_to_be_named_is_not_found(
    store: SqliteStore, claire: User, move: Move
) -> None:
    one = await answered(store, claire, "one")
    assert await due(store) == ["one"]

    await move(store, claire, one)

    assert await due(store) == []


async def test_a_title_is_kept_and_moves_its_conversation_nowhere(
    store: SqliteStore, claire: User
) -> None:
    await answered(store, claire, "one")
    (one,) = await store.conversations(claire.id, 1)

    named = await store.title_by_model(one, "better")

    assert named == replace(one, title="better")
    assert await store.conversations(claire.id, 1) == [named]
    assert await due(store) == []


@pytest.mark.parametrize(
    ("move", "title"),
    [
        (lambda store, user, one: store.change_conversation(user.id, one.id, title="mine"), "mine"),
        (lambda store, user, one: store.bin_conversation(user.id, one.id), "one"),
        (lambda store, _, one: store.purge_conversation(one.id), None),
    ],
    ids=["renamed", "binned", "purged"],
)
async def test_whoever_was_faster_than_the_model_has_the_last_word(
    store: SqliteStore, claire: User, move: Move, title: str | None
) -> None:
    one = await answered(store, claire, "one")
    await move(store, claire, one)

    assert await store.title_by_model(one, "better") is None

    kept = await store.conversation(claire.id, one.id)
    assert (kept and kept.title) == title


async def test_of_a_rename_and_a_title_at_once_the_rename_stands(
    store: SqliteStore, claire: User
) -> None:
    for number in range(20):
        one = await answered(store, claire, f"one {number}")
        both = [
            store.title_by_model(one, "better"),
            store.change_conversation(claire.id, one.id, title="mine"),
        ]
        await asyncio.gather(*(both if number % 2 else reversed(both)))

        kept = await store.conversation(claire.id, one.id)
        assert kept is not None
        assert (kept.title, kept.is_title_own) == ("mine", True)


async def test_a_store_that_knew_nothing_of_it_has_asked_for_no_title_yet(data: Path) -> None:
    make_old_store(data / FILE_NAME, 13)
    with closing(sqlite3.connect(data / FILE_NAME)) as database, database:
        database.execute(
            "INSERT INTO users (login, name, password_hash, role, state, language, created_at)"
            " VALUES ('claire', 'Claire', 'x', 'member', 'active', 'fr', 0)"
        )
    async with opened_store(data) as store:
        found = await store.user_by_login("claire")
        assert found is not None
        await answered(store, found[0], "one")

        assert await due(store) == ["one"]
