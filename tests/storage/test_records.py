"""The audit log looked up, samples that are forgotten in time, and what was decided of models."""

from datetime import UTC, datetime, timedelta

import pytest

from couachgptd.core.model_rules import ModelRules, Options, VisibleTo
from couachgptd.core.records import AuditQuery
from couachgptd.core.samples import Row
from couachgptd.storage.store import SqliteStore


@pytest.fixture
async def audited(store: SqliteStore) -> SqliteStore:
    await store.audit("uid:0 pid:1", "user.add", {"user": "claire"})
    await store.audit("ada uid:0 pid:2", "user.rm", {"user": "Éloïse 100%"})
    await store.audit("ada uid:0 pid:2", "db.backup", {"name": "couachgpt.db"})
    return store


@pytest.mark.parametrize(
    ("query", "verbs"),
    [
        (AuditQuery(), ["db.backup", "user.rm", "user.add"]),
        (AuditQuery(actor="ada"), ["db.backup", "user.rm"]),
        (AuditQuery(actor="a%"), []),
        (AuditQuery(verb="user."), ["user.rm", "user.add"]),
        (AuditQuery(verb="user_"), []),
        (AuditQuery(text="CLAIRE"), ["user.add"]),
        (AuditQuery(text="Éloïse"), ["user.rm"]),
        (AuditQuery(text="100%"), ["user.rm"]),
        (AuditQuery(text="%"), ["user.rm"]),
        (AuditQuery(text="backup"), ["db.backup"]),
        (AuditQuery(actor="ada", text="couachgpt"), ["db.backup"]),
        (AuditQuery(before=3), ["user.rm", "user.add"]),
        (AuditQuery(before=0), []),
        (AuditQuery(since=datetime(2100, 1, 1, tzinfo=UTC)), []),
        (AuditQuery(until=datetime(2000, 1, 1, tzinfo=UTC)), []),
        (AuditQuery(text="'; DROP TABLE audit; --"), []),
    ],
)
async def test_entries_are_found_by_what_is_known_of_them(
    audited: SqliteStore, query: AuditQuery, verbs: list[str]
) -> None:
    assert [each.verb for each in await audited.audited(query, 10)] == verbs


async def test_a_page_has_so_many_and_the_next_goes_on_after_it(audited: SqliteStore) -> None:
    first = await audited.audited(AuditQuery(), 2)
    second = await audited.audited(AuditQuery(before=first[-1].id), 2)

    assert [each.verb for each in [*first, *second]] == ["db.backup", "user.rm", "user.add"]
    assert second[0].detail == {"user": "claire"}


async def test_samples_are_kept_by_their_span_and_forgotten_when_they_are_old(
    store: SqliteStore,
) -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    kept = {10: 60.0, 600: 6000.0}
    for n in range(20):
        at = start + timedelta(seconds=10 * n)
        await store.add_samples([Row(10, at, {"cores": float(n), "none": None})], kept)
    await store.add_samples([Row(600, start, {"cores": 1.0})], kept)

    rows = await store.samples(10, start)

    assert [row.figures["cores"] for row in rows] == [float(n) for n in range(13, 20)]
    assert rows[0].figures["none"] is None
    assert len(await store.samples(600, start)) == 1
    assert len(await store.samples(10, start + timedelta(seconds=150))) == 5


async def test_a_clock_that_was_set_back_replaces_a_sample(store: SqliteStore) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    for value in (1.0, 2.0):
        await store.add_samples([Row(10, at, {"cores": value})], {10: 60.0})

    (row,) = await store.samples(10, at)
    assert row.figures == {"cores": 2.0}


async def test_what_was_decided_of_a_model_is_kept_and_the_last_word_counts(
    store: SqliteStore,
) -> None:
    first = ModelRules(VisibleTo.ADMINS, Options(temperature=0.7, context_tokens=2048))
    last = ModelRules(VisibleTo.MEMBERS, Options(top_p=0.9))

    await store.set_model_rules("couac:1b", first)
    await store.set_model_rules("couac:3b", first)
    await store.set_model_rules("couac:1b", last)

    assert await store.model_rules() == {"couac:1b": last, "couac:3b": first}
