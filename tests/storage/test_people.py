"""People, their sessions and the settings, kept."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from couachgptd.core.errors import LoginTaken, NotFound, SetupLinkInvalid
from couachgptd.core.ids import UserId
from couachgptd.core.users import Role, User, UserState
from couachgptd.storage.store import SqliteStore
from couachgptd.storage.tables import AuditTable, UserTable

LATER = timedelta(days=1)


async def first_admin(store: SqliteStore, login: str = "ada", key: str = "key") -> User:
    return await store.add_first_admin(
        setup_key=key, login=login, name="Ada", password_hash="h", language="en"
    )


async def test_a_new_person_is_found_by_id_and_by_login(store: SqliteStore, claire: User) -> None:
    assert await store.user(claire.id) == claire
    assert await store.user_by_login("claire") == (claire, "hash of claire")


async def test_who_is_not_there_is_none(store: SqliteStore) -> None:
    assert await store.user(UserId(99)) is None
    assert await store.user_by_login("nobody") is None


async def test_people_are_listed_by_login(store: SqliteStore, marc: User, claire: User) -> None:
    assert await store.users() == [claire, marc]


async def test_a_login_is_taken_once_also_when_two_come_at_once(store: SqliteStore) -> None:
    async def add() -> User:
        return await store.add_user(
            login="ada",
            name="A",
            password_hash="h",
            role=Role.MEMBER,
            state=UserState.PENDING,
            language="fr",
        )

    done = await asyncio.gather(*(add() for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(each, User) for each in done) == 1
    assert sum(isinstance(each, LoginTaken) for each in done) == 7


async def test_a_persons_state_can_change(store: SqliteStore, claire: User) -> None:
    changed = await store.set_user_state(claire.id, UserState.SUSPENDED)

    assert changed.state is UserState.SUSPENDED
    assert await store.user(claire.id) == changed


async def test_the_state_of_nobody_cannot_change(store: SqliteStore) -> None:
    with pytest.raises(NotFound):
        await store.set_user_state(UserId(99), UserState.ACTIVE)


async def test_a_persons_language_can_change(store: SqliteStore, claire: User) -> None:
    await store.set_language(claire.id, "en")

    found = await store.user(claire.id)
    assert found is not None
    assert found.language == "en"


# --- the first administrator -------------------------------------------------------------------


async def test_the_setup_link_makes_one_administrator_and_is_used_up(store: SqliteStore) -> None:
    await store.set_setting("setup_link", "key")

    admin = await first_admin(store)

    assert (admin.role, admin.state) == (Role.ADMIN, UserState.ACTIVE)
    assert await store.has_admin()
    assert await store.setting("setup_link") is None


@pytest.mark.parametrize("kept", [None, "another"])
async def test_a_wrong_setup_key_makes_nobody(store: SqliteStore, kept: str | None) -> None:
    await store.set_setting("setup_link", kept)

    with pytest.raises(SetupLinkInvalid):
        await first_admin(store)

    assert await store.users() == []


async def test_a_link_is_worth_nothing_once_there_is_an_administrator(store: SqliteStore) -> None:
    await store.set_setting("setup_link", "key")
    await first_admin(store)
    await store.set_setting("setup_link", "key")

    with pytest.raises(SetupLinkInvalid):
        await first_admin(store, "eve")


async def test_a_taken_login_does_not_use_up_the_setup_link(
    store: SqliteStore, claire: User
) -> None:
    await store.set_setting("setup_link", "key")

    with pytest.raises(LoginTaken):
        await first_admin(store, claire.login)

    assert await store.setting("setup_link") == "key"
    assert not await store.has_admin()


# --- sessions ----------------------------------------------------------------------------------


async def test_a_session_is_found_by_its_key_with_its_data(
    store: SqliteStore, claire: User
) -> None:
    data = {"user": claire.id, "é": [1]}
    await store.add_session("key", claire.id, data, datetime.now(UTC) + LATER)

    assert await store.session("key") == (claire.id, data)
    assert await store.session("another") is None


async def test_a_session_that_has_run_out_is_not_found(store: SqliteStore, claire: User) -> None:
    await store.add_session("old", claire.id, {}, datetime.now(UTC) - LATER)

    assert await store.session("old") is None


async def test_a_session_that_is_deleted_is_gone_and_again_is_nothing(
    store: SqliteStore, claire: User
) -> None:
    await store.add_session("key", claire.id, {}, datetime.now(UTC) + LATER)

    await store.delete_session("key")
    await store.delete_session("key")

    assert await store.session("key") is None


@pytest.mark.parametrize("end_sessions", [True, False])
async def test_a_new_password_ends_the_sessions_of_that_person_where_it_is_told_to(
    store: SqliteStore, claire: User, marc: User, *, end_sessions: bool
) -> None:
    await store.add_session("hers", claire.id, {}, datetime.now(UTC) + LATER)
    await store.add_session("his", marc.id, {}, datetime.now(UTC) + LATER)

    await store.set_password_hash(claire.id, "new", end_sessions=end_sessions)

    found = await store.user_by_login("claire")
    assert found is not None
    assert found[1] == "new"
    assert (await store.session("hers") is None) is end_sessions
    assert await store.session("his") is not None


@pytest.mark.parametrize("change", ["state", "role", "language", "log-out", "password"])
async def test_a_session_asked_for_before_shows_each_change_at_once(
    store: SqliteStore, claire: User, change: str
) -> None:
    await store.add_session("key", claire.id, {}, datetime.now(UTC) + LATER)
    assert await store.person_of_session("key") == (claire, {})

    changes: dict[str, Callable[[], Awaitable[object]]] = {
        "state": lambda: store.set_user_state(claire.id, UserState.SUSPENDED),
        "role": lambda: store.set_role(claire.id, Role.READER),
        "language": lambda: store.set_language(claire.id, "en"),
        "log-out": lambda: store.delete_session("key"),
        "password": lambda: store.set_password_hash(claire.id, "new", end_sessions=True),
    }
    await changes[change]()

    found = await store.person_of_session("key")
    if change in {"log-out", "password", "state"}:
        assert found is None
    else:
        assert found == (await store.user(claire.id), {})
        assert found[0] != claire


async def test_a_session_looked_up_while_it_ends_is_not_known_afterwards(
    store: SqliteStore, claire: User
) -> None:
    for number in range(50):
        key = f"key{number}"
        await store.add_session(key, claire.id, {}, datetime.now(UTC) + LATER)
        lookups = [asyncio.create_task(store.person_of_session(key)) for _ in range(3)]
        await store.delete_session(key)
        await asyncio.gather(*lookups)

        assert await store.person_of_session(key) is None


async def test_a_change_whose_caller_leaves_is_not_overlooked(
    store: SqliteStore, claire: User
) -> None:
    await store.add_session("key", claire.id, {}, datetime.now(UTC) + LATER)
    assert await store.person_of_session("key") is not None

    task = asyncio.create_task(store.delete_session("key"))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    await store.ping()  # behind it, on the same thread
    await asyncio.sleep(0)

    assert await store.person_of_session("key") is None


async def test_a_session_that_is_known_still_runs_out(store: SqliteStore, claire: User) -> None:
    soon = timedelta(seconds=0.3)
    await store.add_session("key", claire.id, {}, datetime.now(UTC) + soon)
    assert await store.person_of_session("key") is not None

    await asyncio.sleep(soon.total_seconds())

    assert await store.person_of_session("key") is None


async def test_who_is_deleted_has_no_session_left(store: SqliteStore, claire: User) -> None:
    await store.add_session("key", claire.id, {}, datetime.now(UTC) + LATER)

    await store._db.write(lambda: UserTable.delete().where(UserTable.id == claire.id).execute())

    assert await store.session("key") is None


# --- the rest ----------------------------------------------------------------------------------


async def test_a_setting_is_kept_changed_and_forgotten(store: SqliteStore) -> None:
    assert await store.setting("name") is None
    await store.set_setting("name", "a")
    await store.set_setting("name", "b")
    assert await store.setting("name") == "b"
    await store.set_setting("name", None)
    assert await store.setting("name") is None


async def test_the_audit_keeps_who_did_what_and_when(store: SqliteStore) -> None:
    before = datetime.now(UTC)
    await store.audit("uid:0", "user.add", {"user": "é"})

    (row,) = await store._db.read(lambda: list(AuditTable.select()))
    assert (row.actor, row.verb, row.detail) == ("uid:0", "user.add", {"user": "é"})
    assert abs(row.at - before) < timedelta(seconds=5)


async def test_a_ping_proves_that_the_writer_answers(store: SqliteStore) -> None:
    await store.ping()
