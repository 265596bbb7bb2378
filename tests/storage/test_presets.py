"""Presets, kept: each owner has their own names, and what is everybody's has no owner."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from couachgptd.core.choices import Choices
from couachgptd.core.errors import NotFound
from couachgptd.core.presets import PresetTaken
from couachgptd.core.users import User
from couachgptd.storage.database import FILE_NAME
from couachgptd.storage.store import SqliteStore, opened_store
from tests.storage.conftest import make_old_store

CHOSEN = Choices("couac:3b", "En vers.", 0.0, 9, 0, think=False)
OTHERS = Choices(temperature=1.0)


async def test_what_was_chosen_comes_back_as_it_was_kept(
    data: Path, store: SqliteStore, claire: User
) -> None:
    made = await store.add_preset(claire.id, "Vers", CHOSEN)

    assert made.choices == CHOSEN
    assert await store.presets(claire.id) == [made]
    with closing(sqlite3.connect(data / FILE_NAME)) as opened:
        assert opened.execute("SELECT owner_id, name FROM presets").fetchall() == [
            (claire.id, "Vers")
        ]


async def test_ones_own_come_first_then_everybodys_each_by_name(
    store: SqliteStore, claire: User, marc: User
) -> None:
    for owner, name in ((None, "alpha"), (claire.id, "beta"), (claire.id, "Alpha"), (marc.id, "x")):
        await store.add_preset(owner, name, OTHERS)

    found = [(each.owner_id, each.name) for each in await store.presets(claire.id)]
    assert found == [(claire.id, "Alpha"), (claire.id, "beta"), (None, "alpha")]


async def test_two_presets_of_one_owner_have_different_names(
    store: SqliteStore, claire: User, marc: User
) -> None:
    first = await store.add_preset(claire.id, "Vers", OTHERS)
    other = await store.add_preset(claire.id, "Prose", OTHERS)
    await store.add_preset(marc.id, "Vers", OTHERS)
    await store.add_preset(None, "Vers", OTHERS)

    for owner in (claire.id, None):
        with pytest.raises(PresetTaken) as refused:
            await store.add_preset(owner, "VERS", OTHERS)
        assert refused.value.fields == {"name": "Vers"}
    with pytest.raises(PresetTaken):
        await store.change_preset(claire.id, other.id, "vers", None)
    assert (await store.change_preset(claire.id, first.id, "VERS", None)).name == "VERS"


async def test_renaming_leaves_the_choices_and_replacing_them_the_name(
    store: SqliteStore, claire: User
) -> None:
    made = await store.add_preset(claire.id, "Vers", CHOSEN)

    assert (await store.change_preset(claire.id, made.id, "Rimes", None)).choices == CHOSEN
    changed = await store.change_preset(claire.id, made.id, "Rimes", OTHERS)
    assert await store.presets(claire.id) == [changed]
    assert (changed.name, changed.choices) == ("Rimes", OTHERS)


async def test_anothers_and_everybodys_are_not_found_by_a_person(
    store: SqliteStore, claire: User, marc: User
) -> None:
    own = await store.add_preset(marc.id, "Vers", OTHERS)
    shared = await store.add_preset(None, "Vers", OTHERS)

    for key, owner in ((own.id, claire.id), (shared.id, claire.id), (own.id, None)):
        with pytest.raises(NotFound):
            await store.change_preset(owner, key, "x", None)
        with pytest.raises(NotFound):
            await store.delete_preset(owner, key)
    await store.delete_preset(marc.id, own.id)
    await store.delete_preset(None, shared.id)
    assert await store.presets(marc.id) == []


async def test_a_store_of_before_has_none_and_takes_some(data: Path) -> None:
    make_old_store(data / FILE_NAME, 15)

    async with opened_store(data) as store:
        made = await store.add_preset(None, "Vers", OTHERS)
        assert made.name == "Vers"
