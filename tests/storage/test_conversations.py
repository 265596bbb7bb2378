"""The list, the archive and the bin, kept: each person moves only what is their own."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from couachgptd.core.conversations import Conversation, Shelf
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import ConversationId
from couachgptd.core.turns import TurnSource, TurnState
from couachgptd.core.upkeep import Kind, Retention, cutoffs
from couachgptd.core.users import User
from couachgptd.storage.store import SqliteStore
from couachgptd.storage.tables import ConversationTable

ORIGIN = datetime(2026, 1, 1, tzinfo=UTC)
Move = Callable[[SqliteStore, User, ConversationId], Awaitable[Any]]


async def begun(store: SqliteStore, user: User, title: str, day: int = 0) -> ConversationId:
    """Begin a conversation that was written in last on a day."""
    conversation, *_ = await store.add_question(
        user_id=user.id, client_id=f"{title} {day}", conversation_id=None, text=title, title=title,
        parent_id=None, source=TurnSource.CHAT, model="m", options={},
    )  # fmt: skip

    def age() -> None:
        moment = ORIGIN + timedelta(days=day)
        mine = ConversationTable.id == conversation.id
        ConversationTable.update(updated_at=moment).where(mine).execute()

    await store._db.write(age)
    return conversation.id


async def titles(store: SqliteStore, user: User, shelf: Shelf = Shelf.LIST) -> list[str]:
    return [each.title for each in await store.conversations(user.id, 10, shelf)]


async def found(store: SqliteStore, user: User, name: ConversationId) -> Conversation:
    conversation = await store.conversation(user.id, name)
    assert conversation is not None
    return conversation


async def test_a_title_by_rule_is_not_its_owners_and_a_new_one_is(
    store: SqliteStore, claire: User
) -> None:
    name = await begun(store, claire, "by rule")
    assert not (await found(store, claire, name)).is_title_own

    changed = await store.change_conversation(claire.id, name, title="mine")

    assert (changed.title, changed.is_title_own) == ("mine", True)
    assert await found(store, claire, name) == changed
    await store.change_conversation(claire.id, name, is_pinned=True)
    assert (await found(store, claire, name)).is_title_own


async def test_what_is_pinned_comes_first_also_before_the_limit(
    store: SqliteStore, claire: User
) -> None:
    old = await begun(store, claire, "old", day=0)
    for day in (1, 2, 3):
        await begun(store, claire, str(day), day)

    await store.change_conversation(claire.id, old, is_pinned=True)

    assert [each.title for each in await store.conversations(claire.id, 2)] == ["old", "3"]


async def test_each_conversation_is_on_one_shelf(store: SqliteStore, claire: User) -> None:
    for day, title in enumerate(("listed", "archived", "binned", "both")):
        name = await begun(store, claire, title, day)
        if title in ("archived", "both"):
            await store.change_conversation(claire.id, name, is_archived=True)
        if title in ("binned", "both"):
            await store.bin_conversation(claire.id, name)

    assert await titles(store, claire) == ["listed"]
    assert await titles(store, claire, Shelf.ARCHIVE) == ["archived"]
    assert sorted(await titles(store, claire, Shelf.BIN)) == ["binned", "both"]


async def test_what_comes_back_from_the_bin_is_where_and_as_it_was(
    store: SqliteStore, claire: User
) -> None:
    name = await begun(store, claire, "x")
    before = await store.change_conversation(claire.id, name, is_archived=True, is_pinned=True)

    binned = await store.bin_conversation(claire.id, name)
    again = await store.bin_conversation(claire.id, name)

    assert binned.deleted_at is not None
    assert again == binned
    assert await store.restore_conversation(claire.id, name) == before
    assert await store.restore_conversation(claire.id, name) == before


async def test_what_is_in_the_bin_cannot_be_changed_or_asked_in(
    store: SqliteStore, claire: User
) -> None:
    name = await begun(store, claire, "x")
    await store.bin_conversation(claire.id, name)

    with pytest.raises(NotFound):
        await store.change_conversation(claire.id, name, title="y")
    with pytest.raises(NotFound):
        await store.add_question(
            user_id=claire.id, client_id="c2", conversation_id=name, text="?", title="",
            parent_id=None, source=TurnSource.CHAT, model="m", options={},
        )  # fmt: skip


async def test_only_what_is_in_the_bin_can_be_purged_from_it(
    store: SqliteStore, claire: User
) -> None:
    name = await begun(store, claire, "x")
    with pytest.raises(NotFound):
        await store.purge_binned(claire.id, name)

    await store.bin_conversation(claire.id, name)
    await store.purge_binned(claire.id, name)

    assert await store.conversation(claire.id, name) is None
    assert await store.messages(name) == []


@pytest.mark.parametrize(
    "move",
    [
        lambda store, user, name: store.change_conversation(user.id, name, title="his"),
        lambda store, user, name: store.change_conversation(user.id, name, is_pinned=True),
        lambda store, user, name: store.bin_conversation(user.id, name),
        lambda store, user, name: store.restore_conversation(user.id, name),
        lambda store, user, name: store.purge_binned(user.id, name),
    ],
)
@pytest.mark.parametrize("is_binned", [False, True])
async def test_what_is_somebody_elses_cannot_be_moved(
    store: SqliteStore, claire: User, marc: User, move: Move, *, is_binned: bool
) -> None:
    name = await begun(store, claire, "hers")
    if is_binned:
        await store.bin_conversation(claire.id, name)
    before = await found(store, claire, name)

    with pytest.raises(NotFound):
        await move(store, marc, name)
    with pytest.raises(NotFound):
        await move(store, marc, ConversationId("nowhere"))

    assert await found(store, claire, name) == before


async def test_a_turn_that_still_waits_in_the_bin_is_stopped_at_the_next_start(
    store: SqliteStore, claire: User
) -> None:
    name = await begun(store, claire, "x")
    await store.bin_conversation(claire.id, name)

    assert await store.recover_turns() == []

    turn = (await store.messages(name))[1].turn
    assert turn is not None
    assert turn.state is TurnState.STOPPED


async def test_what_is_past_its_days_in_the_bin_is_counted_then_deleted(
    store: SqliteStore, claire: User, data: Any
) -> None:
    names = {title: await begun(store, claire, title) for title in ("kept", "new", "old")}
    now = datetime.now(UTC)
    for title, days in (("new", 29), ("old", 31)):
        binned = ConversationTable.update(deleted_at=now - timedelta(days=days)).where(
            ConversationTable.id == names[title]
        )
        await store._db.write(binned.execute)
    upkeep = store.upkeep(data)
    old = cutoffs(Retention(bin_days=30), now)

    assert (await upkeep.count_old(old))[Kind.EXPIRED_BIN] == 1
    assert (await upkeep.clean(old))[Kind.EXPIRED_BIN] == 1
    assert await titles(store, claire) == ["kept"]
    assert await titles(store, claire, Shelf.BIN) == ["new"]
    assert Kind.EXPIRED_BIN not in cutoffs(Retention(bin_days=0), now)
