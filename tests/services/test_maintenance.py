"""The night's work and the cleaning, on a real store with a clock of the test's."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from couachgptd.core.errors import StoreFull
from couachgptd.core.ids import ConversationId
from couachgptd.core.incidents import Incident
from couachgptd.core.turns import TurnSource
from couachgptd.core.upkeep import Backup, BackupKind, Kind, Retention
from couachgptd.core.users import User
from couachgptd.services.maintenance import NIGHT, Maintenance
from couachgptd.storage.store import SqliteStore, opened_store
from couachgptd.storage.tables import AuditTable, ConversationTable, MessageTable, TurnTable
from couachgptd.storage.upkeep import SqliteUpkeep
from tests.services.conftest import new_person

START = datetime(2026, 1, 10, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


class Kept(SqliteUpkeep):
    """A real one whose backups carry the time of the test's clock, and that can fail."""

    clock: Clock
    failure: StoreFull | None = None

    async def back_up(self, kind: BackupKind) -> Backup:
        if self.failure is not None:
            raise self.failure
        made = await super().back_up(kind)
        path = await self.path_of(made.name)
        name = f"couachgpt-{self.clock():%Y%m%dT%H%M%SZ}-s{made.schema:04d}-{kind.value}.db"
        path.rename(path.with_name(name))
        return next(each for each in await self.backups() if each.name == name)


class Night:
    """The service with its clock, its retention, and the store below it."""

    def __init__(self, store: SqliteStore, upkeep: Kept, clock: Clock, *, is_nightly: bool) -> None:
        self.store = store
        self.upkeep = upkeep
        self.clock = clock
        self.retention = Retention()
        self.service = Maintenance(
            upkeep,
            store,
            is_nightly=is_nightly,
            hour=3,
            retention=lambda: self.retention,
            zone=UTC,
            now=clock,
        )

    async def until(self, moment: datetime) -> None:
        """Let the time pass, looking every ten minutes as the daemon does every minute."""
        while self.clock.time < moment:
            self.clock.time += timedelta(minutes=10)
            await self.service.look()

    async def kinds(self) -> list[BackupKind]:
        return [each.kind for each in await self.upkeep.backups()]


@pytest.fixture
async def night(tmp_path: Path) -> AsyncIterator[Night]:
    async with opened_store(tmp_path / "data") as store:
        yield made(store, tmp_path)


def made(store: SqliteStore, tmp_path: Path, *, is_nightly: bool = True) -> Night:
    upkeep = Kept(store._db, tmp_path / "models")
    upkeep.clock = Clock()
    return Night(store, upkeep, upkeep.clock, is_nightly=is_nightly)


async def asked(store: SqliteStore, user: User, text: str = "Bonjour") -> ConversationId:
    conversation, _question, answer, _new = await store.add_question(
        user_id=user.id, conversation_id=None, client_id=text, text=text, title=text,
        parent_id=None, source=TurnSource.CHAT, model="couac:1b", options={},
    )  # fmt: skip
    assert answer.turn is not None
    return conversation.id


async def end_turns(store: SqliteStore) -> None:
    await store._db.write(lambda: TurnTable.update(state="done", finished_at=START).execute())


async def age(store: SqliteStore, conversation: ConversationId, moment: datetime) -> None:
    await store._db.write(
        lambda: (
            ConversationTable.update(updated_at=moment, created_at=moment)
            .where(ConversationTable.id == conversation)
            .execute()
        )
    )


async def count(store: SqliteStore, table: Any) -> int:
    return int(await store._db.read(lambda: table.select().count()))


# --- the night -----------------------------------------------------------------------------------


async def test_the_first_night_after_the_first_start_makes_the_first_backup(night: Night) -> None:
    await night.until(START + timedelta(hours=14))
    assert await night.kinds() == []

    await night.until(START + timedelta(hours=16))

    (backup,) = await night.upkeep.backups()
    assert backup.kind is BackupKind.NIGHTLY
    assert backup.made_at == datetime(2026, 1, 11, 3, tzinfo=UTC)


async def test_each_night_makes_one_and_the_old_ones_go(night: Night) -> None:
    await night.until(START + timedelta(days=40))

    backups = await night.upkeep.backups()
    assert len({each.made_at.date() for each in backups}) == len(backups)
    assert 9 <= len(backups) <= 11
    assert backups[0].made_at.date() == (START + timedelta(days=40)).date()


async def test_what_a_person_made_is_never_deleted_by_itself(night: Night) -> None:
    await night.service.back_up("uid:0")

    await night.until(START + timedelta(days=40))

    assert BackupKind.MANUAL in await night.kinds()


async def test_a_night_while_the_daemon_was_off_is_made_good(night: Night) -> None:
    await night.until(START + timedelta(minutes=10))
    night.clock.time = START + timedelta(days=5)

    await night.service.look()

    assert await night.kinds() == [BackupKind.NIGHTLY]


async def test_a_night_that_failed_is_told_and_tried_again_an_hour_later(night: Night) -> None:
    await night.until(START + timedelta(hours=14))
    night.upkeep.failure = StoreFull(path="/x", reason="full")

    await night.until(START + timedelta(hours=15, minutes=30))
    assert night.service.failure is night.upkeep.failure
    night.upkeep.failure = None
    await night.until(START + timedelta(hours=15, minutes=50))
    assert await night.kinds() == [], "not before an hour has passed"
    await night.until(START + timedelta(hours=16, minutes=30))

    assert await night.kinds() == [BackupKind.NIGHTLY]
    assert night.service.failure is None


async def test_a_clock_that_was_years_ahead_ends_no_nights_work(night: Night) -> None:
    await night.until(START + timedelta(days=2))
    right = night.clock.time
    night.clock.time = right + timedelta(days=2000)
    await night.service.look()
    night.clock.time = right

    await night.until(right + timedelta(days=9))

    made = [each.made_at for each in await night.upkeep.backups()]
    assert len([each for each in made if each <= night.clock.time]) >= 7
    assert not night.service.is_overdue


async def test_two_days_without_a_nightly_backup_are_told(night: Night) -> None:
    await night.until(START + timedelta(days=2))
    told = [night.service.is_overdue]
    night.upkeep.failure = StoreFull(path="/x", reason="full")
    await night.until(START + timedelta(days=5))
    told.append(night.service.is_overdue)
    night.service.is_nightly = False  # nobody wants one
    await night.service.look()
    told.append(night.service.is_overdue)

    assert told == [False, True, False]


async def test_without_nightly_backups_the_cleaning_goes_on(tmp_path: Path) -> None:
    async with opened_store(tmp_path / "data") as store:
        night = made(store, tmp_path, is_nightly=False)
        await store.add_incidents([Incident(START - timedelta(days=50), "ready", "dead", {})])
        night.retention = Retention(incident_days=30)

        await night.until(START + timedelta(days=1))

        assert await night.kinds() == []
        assert await store.incidents(10) == []


async def test_the_backup_of_the_night_still_has_what_the_night_deletes(night: Night) -> None:
    user = await new_person(night.store, "claire")
    old = await asked(night.store, user)
    await end_turns(night.store)
    await age(night.store, old, START - timedelta(days=100))
    night.retention = Retention(conversation_days=30)

    await night.until(START + timedelta(days=1))
    assert await count(night.store, ConversationTable) == 0
    (backup,) = await night.upkeep.backups()

    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(await night.upkeep.path_of(backup.name))) as copy:
        assert copy.execute("SELECT id FROM conversations").fetchall() == [(old,)]


async def test_the_last_night_is_kept_over_a_restart(night: Night) -> None:
    await night.until(START + timedelta(days=1))
    again = Night(night.store, night.upkeep, night.clock, is_nightly=True)

    await again.until(night.clock.time + timedelta(hours=3))

    assert await night.kinds() == [BackupKind.NIGHTLY]
    assert await night.store.setting(NIGHT) is not None


# --- cleaning ------------------------------------------------------------------------------------


async def test_a_preview_says_how_many_and_deletes_nothing(night: Night) -> None:
    user = await new_person(night.store, "claire")
    for n in range(3):
        await age(night.store, await asked(night.store, user, f"q{n}"), START - timedelta(days=90))
    await end_turns(night.store)
    await night.store.add_session("old", user.id, {}, START - timedelta(days=1))
    night.retention = Retention(conversation_days=30)

    first = await night.service.preview()
    second = await night.service.preview()
    deleted = await night.service.clean(None, "uid:0")

    assert first == second == deleted
    assert first[Kind.OLD_CONVERSATIONS] == 3
    assert first[Kind.EXPIRED_SESSIONS] == 1
    assert await count(night.store, ConversationTable) == 0
    assert await count(night.store, MessageTable) == 0
    assert await count(night.store, TurnTable) == 0


async def test_a_preview_answers_for_days_that_are_only_thought_of(night: Night) -> None:
    user = await new_person(night.store, "claire")
    await age(night.store, await asked(night.store, user), START - timedelta(days=90))
    await end_turns(night.store)

    asked_for = Retention(conversation_days=60)

    assert (await night.service.preview(asked_for))[Kind.OLD_CONVERSATIONS] == 1
    assert Kind.OLD_CONVERSATIONS not in await night.service.preview()


async def test_only_what_is_chosen_is_deleted(night: Night) -> None:
    user = await new_person(night.store, "claire")
    await night.store.add_session("old", user.id, {}, START - timedelta(days=1))
    await night.store.add_incidents([Incident(START - timedelta(days=50), "ready", "dead", {})])
    night.retention = Retention(incident_days=30)

    assert await night.service.clean({Kind.OLD_INCIDENTS}, "uid:0") == {Kind.OLD_INCIDENTS: 1}
    assert (await night.service.preview())[Kind.EXPIRED_SESSIONS] == 1


async def test_zero_days_keep_for_ever(night: Night) -> None:
    user = await new_person(night.store, "claire")
    await age(night.store, await asked(night.store, user), START - timedelta(days=9000))
    await end_turns(night.store)

    await night.service.clean(None, "uid:0")

    assert await count(night.store, ConversationTable) == 1


async def test_a_conversation_whose_answer_is_being_made_stays(night: Night) -> None:
    user = await new_person(night.store, "claire")
    await age(night.store, await asked(night.store, user), START - timedelta(days=90))
    night.retention = Retention(conversation_days=30)

    assert (await night.service.clean(None, "uid:0"))[Kind.OLD_CONVERSATIONS] == 0
    assert await count(night.store, ConversationTable) == 1


async def test_an_empty_conversation_goes_once_it_is_a_day_old(night: Night) -> None:
    user = await new_person(night.store, "claire")

    def empty(name: str, moment: datetime) -> None:
        ConversationTable.insert(
            id=name, kind="chat", owner=user.id, title="", created_at=moment, updated_at=moment
        ).execute()

    await night.store._db.write(lambda: empty("old", START - timedelta(days=2)))
    await night.store._db.write(lambda: empty("new", START - timedelta(hours=2)))

    assert (await night.service.clean(None, "uid:0"))[Kind.EMPTY_CONVERSATIONS] == 1
    assert await count(night.store, ConversationTable) == 1


async def test_more_than_fits_one_transaction_is_deleted_too(night: Night) -> None:
    user = await new_person(night.store, "claire")
    for n in range(120):
        await night.store.add_session(f"s{n}", user.id, {}, START - timedelta(days=1))

    assert (await night.service.clean(None, "uid:0"))[Kind.EXPIRED_SESSIONS] == 120


async def test_old_entries_of_the_audit_go_and_what_was_cleaned_is_audited(night: Night) -> None:
    await night.store.audit("uid:0", "user.add", {})
    await night.store._db.write(lambda: AuditTable.update(at=START - timedelta(days=400)).execute())
    night.retention = Retention(audit_days=365)

    await night.service.clean(None, "uid:0")

    rows = await night.store._db.read(lambda: [row.verb for row in AuditTable.select()])
    assert rows == ["db.clean"]
