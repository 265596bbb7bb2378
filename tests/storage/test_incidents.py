"""Incidents: what is kept of them, and that a store of the first version takes them too."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from couachgptd.core.incidents import Incident
from couachgptd.storage import incidents, migrate
from couachgptd.storage.store import SqliteStore, opened_store

NOW = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def incident(number: int) -> Incident:
    return Incident(NOW + timedelta(seconds=number), "busy", "suspect", {"silence": number})


async def test_incidents_come_back_newest_first(store: SqliteStore) -> None:
    await store.add_incidents([incident(1), incident(2)])
    await store.add_incidents([])
    await store.add_incidents([incident(3)])

    assert await store.incidents(10) == [incident(3), incident(2), incident(1)]
    assert await store.incidents(1) == [incident(3)]


async def test_those_that_led_to_one_verdict_are_found_among_others(store: SqliteStore) -> None:
    restarting = [Incident(NOW, "dead", "restarting", {"cause": "dead"})] * 2
    await store.add_incidents([*restarting, incident(1)])

    assert await store.incidents(10, "restarting") == restarting
    assert await store.incidents(1, "restarting") == restarting[:1]


async def test_of_very_many_the_newest_are_kept(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incidents, "KEPT", 5)
    for number in range(12):
        await store.add_incidents([incident(number)])

    assert await store.incidents(100) == [incident(number) for number in range(11, 6, -1)]


async def test_a_store_of_the_first_version_is_brought_up_with_what_it_holds(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(migrate.MIGRATIONS / "0001_first.py", first)
    with monkeypatch.context() as patch:
        patch.setattr(migrate.up, "__defaults__", (first,))
        async with opened_store(data) as store:
            await store.set_setting("kept", "1")

    async with opened_store(data) as store:
        await store.add_incidents([incident(1)])
        assert await store.setting("kept") == "1"
        assert await store.incidents(10) == [incident(1)]

    assert [each.name for each in data.glob("*.before-*")] == ["couachgpt.before-0002_incidents.db"]
