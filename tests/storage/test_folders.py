"""Folders, kept: each person has their own, and what is in them stays whatever becomes of them."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from couachgptd.core.conversations import Place, Shelf
from couachgptd.core.errors import NotFound
from couachgptd.core.folders import FOLDERS_MAX, FoldersFull, FolderTaken
from couachgptd.core.ids import ConversationId, FolderId
from couachgptd.core.users import User
from couachgptd.storage.database import FILE_NAME
from couachgptd.storage.store import SqliteStore, opened_store
from tests.storage.conftest import make_old_store
from tests.storage.test_conversations import begun, found


async def names(store: SqliteStore, user: User) -> set[str]:
    return {folder.name for folder in await store.folders(user.id)}


async def test_a_conversation_is_in_one_folder_on_every_shelf(
    store: SqliteStore, claire: User
) -> None:
    name = await begun(store, claire, "x")
    first = await store.add_folder(claire.id, "first")
    second = await store.add_folder(claire.id, "second")

    await store.move_conversation(claire.id, name, first)
    moved = await store.move_conversation(claire.id, name, second)

    assert moved.folder_id == second
    await store.change_conversation(claire.id, name, is_archived=True, is_pinned=True)
    await store.bin_conversation(claire.id, name)
    assert (await store.restore_conversation(claire.id, name)).folder_id == second
    assert (await store.move_conversation(claire.id, name, None)).folder_id is None


async def test_a_removed_folder_leaves_what_was_in_it_and_comes_back_with_it(
    store: SqliteStore, claire: User
) -> None:
    name = await begun(store, claire, "x")
    folder = await store.add_folder(claire.id, "recipes")
    await store.move_conversation(claire.id, name, folder)

    await store.remove_folder(claire.id, folder)

    assert await names(store, claire) == set()
    assert [each.id for each in await store.conversations(claire.id, 9)] == [name]
    with pytest.raises(NotFound):
        await store.move_conversation(claire.id, name, folder)
    await store.restore_folder(claire.id, folder)
    await store.restore_folder(claire.id, folder)
    assert await names(store, claire) == {"recipes"}
    assert (await found(store, claire, name)).folder_id == folder


async def test_only_the_last_removed_folder_comes_back(store: SqliteStore, claire: User) -> None:
    name = await begun(store, claire, "x")
    first = await store.add_folder(claire.id, "first")
    second = await store.add_folder(claire.id, "second")
    await store.move_conversation(claire.id, name, first)

    await store.remove_folder(claire.id, first)
    await store.remove_folder(claire.id, second)

    with pytest.raises(NotFound):
        await store.restore_folder(claire.id, first)
    assert (await found(store, claire, name)).folder_id is None


async def test_two_folders_of_a_person_have_different_names(
    store: SqliteStore, claire: User, marc: User
) -> None:
    folder = await store.add_folder(claire.id, "Été")
    other = await store.add_folder(claire.id, "Hiver")

    for name in ("Été", "ÉTÉ"):
        with pytest.raises(FolderTaken):
            await store.add_folder(claire.id, name)
        with pytest.raises(FolderTaken):
            await store.rename_folder(claire.id, other, name)
    await store.rename_folder(claire.id, folder, "été")
    await store.add_folder(marc.id, "Été")
    await store.remove_folder(claire.id, folder)
    await store.add_folder(claire.id, "Été")
    with pytest.raises(FolderTaken):
        await store.restore_folder(claire.id, folder)


async def test_nobody_has_more_folders_than_that(store: SqliteStore, claire: User) -> None:
    folder = await store.add_folder(claire.id, "first")
    for number in range(1, FOLDERS_MAX):
        await store.add_folder(claire.id, str(number))
    with pytest.raises(FoldersFull):
        await store.add_folder(claire.id, "one more")

    await store.remove_folder(claire.id, folder)
    await store.add_folder(claire.id, "one more")

    with pytest.raises(FoldersFull):
        await store.restore_folder(claire.id, folder)


async def test_anothers_folder_and_conversation_are_not_found(
    store: SqliteStore, claire: User, marc: User
) -> None:
    name = await begun(store, claire, "x")
    hers, his = [await store.add_folder(each.id, "x") for each in (claire, marc)]

    for act in (
        lambda: store.move_conversation(marc.id, name, None),
        lambda: store.move_conversation(claire.id, name, his),
        lambda: store.move_conversation(claire.id, name, FolderId(999)),
        lambda: store.rename_folder(marc.id, hers, "y"),
        lambda: store.remove_folder(marc.id, hers),
        lambda: store.restore_folder(marc.id, hers),
    ):
        with pytest.raises(NotFound):
            await act()


async def test_an_heirs_conversations_are_in_no_folder_of_who_left(
    store: SqliteStore, claire: User, marc: User
) -> None:
    name = await begun(store, claire, "x")
    await store.move_conversation(claire.id, name, await store.add_folder(claire.id, "x"))

    await store.remove_user(claire.id, marc.id)

    assert (await found(store, marc, name)).folder_id is None
    assert await names(store, marc) == set()


@pytest.mark.parametrize("shelf", list(Shelf))
async def test_a_shelf_is_read_page_by_page_without_gap_or_repeat(
    store: SqliteStore, claire: User, shelf: Shelf
) -> None:
    folder = await store.add_folder(claire.id, "x")
    for number in range(7):  # two a day: those of one moment have an order, too
        name = await begun(store, claire, str(number), day=number // 2)
        await store.move_conversation(claire.id, name, folder if number % 3 else None)
        await store.change_conversation(
            claire.id, name, is_pinned=number in (0, 3), is_archived=shelf is Shelf.ARCHIVE
        )
        if shelf is Shelf.BIN:
            await store.bin_conversation(claire.id, name)

    for within in (None, folder):
        whole = await store.conversations(claire.id, 9, shelf, folder_id=within)
        assert len(whole) == (7 if within is None else 4)
        pages, before = [], None
        while page := await store.conversations(
            claire.id, 2, shelf, before=before, folder_id=within
        ):
            pages += page
            last = page[-1]
            before = Place(last.deleted_at or last.updated_at, last.id, last.is_pinned)
        assert pages == whole


async def test_an_emptied_bin_keeps_what_came_later_and_what_is_anothers(
    store: SqliteStore, claire: User, marc: User
) -> None:
    kept = await begun(store, claire, "kept")
    his = await begun(store, marc, "his")
    await store.bin_conversation(marc.id, his)
    gone = await begun(store, claire, "gone")
    until = (await store.bin_conversation(claire.id, gone)).deleted_at
    assert until is not None
    assert await store.count_binned(claire.id) == 1

    assert await store.empty_bin(claire.id, until - timedelta(milliseconds=1)) == 0
    assert await store.empty_bin(claire.id, until) == 1

    assert await store.count_binned(claire.id) == 0
    assert await store.count_binned(marc.id) == 1
    assert (await found(store, claire, kept)).deleted_at is None


async def test_a_store_of_before_has_no_folders_and_its_conversations_are_in_none(
    data: Path,
) -> None:
    make_old_store(data / FILE_NAME, schema=10)
    with closing(sqlite3.connect(data / FILE_NAME)) as connection:
        connection.executescript("""
            INSERT INTO users VALUES (1, 'claire', 'Claire', 'x', 'member', 'active', 'fr', 0);
            INSERT INTO conversations (id, kind, owner_id, title, created_at, updated_at)
                VALUES ('c', 'chat', 1, 'Noël', 0, 0);
        """)

    async with opened_store(data) as store:
        known = await store.user_by_login("claire")
        assert known is not None
        claire = known[0]
        assert (await found(store, claire, ConversationId("c"))).folder_id is None
        folder = await store.add_folder(claire.id, "x")
        moved = await store.move_conversation(claire.id, ConversationId("c"), folder)
        assert moved.folder_id == folder
