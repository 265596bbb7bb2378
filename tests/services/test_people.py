"""Sessions that end, people who leave, and the last administrator, who stays."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from couachgptd.core.conversations import Conversation
from couachgptd.core.errors import BadRequest, LastAdministrator, NotFound
from couachgptd.core.ids import UserId
from couachgptd.core.turns import TurnSource
from couachgptd.core.users import Belongings, Role, User, UserState
from couachgptd.services.accounts import AccountService
from couachgptd.storage.passwords import Argon2Passwords
from couachgptd.storage.store import SqliteStore, opened_store
from tests.services.conftest import new_person


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with opened_store(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
async def accounts(store: SqliteStore) -> AsyncIterator[AccountService]:
    passwords = Argon2Passwords()
    yield AccountService(
        store,
        passwords,
        registration="approval",
        min_length=10,
        session_days=30,
        attempts=100,
        window_seconds=300.0,
    )
    passwords.close()


async def asked(store: SqliteStore, user: User, text: str = "Bonjour") -> Conversation:
    conversation, *_ = await store.add_question(
        user_id=user.id, conversation_id=None, client_id=text, text=text, title=text,
        parent_id=None, source=TurnSource.CHAT, model="couac:1b", options={},
    )  # fmt: skip
    return conversation


async def admin(store: SqliteStore, login: str) -> User:
    user = await new_person(store, login)
    return await store.set_role(user.id, Role.ADMIN)


# --- sessions ----------------------------------------------------------------------------------


async def test_sessions_tell_whose_they_are_from_where_and_since_when(
    store: SqliteStore, accounts: AccountService
) -> None:
    claire = await new_person(store, "claire")
    await accounts.open_session(claire.id, {}, "192.0.2.7")

    (session,) = await accounts.sessions()

    assert (session.login, session.address) == ("claire", "192.0.2.7")
    assert session.seen_at is not None
    assert session.seen_at >= session.created_at


async def test_a_session_that_is_used_is_seen(store: SqliteStore, accounts: AccountService) -> None:
    claire = await new_person(store, "claire")
    session_id = await accounts.open_session(claire.id, {})
    (before,) = await accounts.sessions()

    await accounts.session(session_id)

    (after,) = await accounts.sessions()
    assert before.seen_at is not None
    assert after.seen_at is not None
    assert after.seen_at > before.seen_at


async def test_one_session_is_ended_and_the_others_stay(
    store: SqliteStore, accounts: AccountService
) -> None:
    changed: list[UserId] = []
    accounts.changed = changed.append
    claire = await new_person(store, "claire")
    ended = await accounts.open_session(claire.id, {}, "a")
    stays = await accounts.open_session(claire.id, {}, "b")
    session = next(each for each in await accounts.sessions() if each.address == "a")

    await accounts.kick(session.id, "uid:0")

    assert await accounts.session(ended) is None
    assert await accounts.session(stays) is not None
    assert changed == [claire.id]
    with pytest.raises(NotFound):
        await accounts.kick(session.id, "uid:0")


async def test_every_session_of_a_person_is_ended(
    store: SqliteStore, accounts: AccountService
) -> None:
    claire, marc = await new_person(store, "claire"), await new_person(store, "marc")
    for user in (claire, claire, marc):
        await accounts.open_session(user.id, {})

    assert await accounts.kick_all("claire", "uid:0") == 2

    assert [each.login for each in await accounts.sessions()] == ["marc"]


@pytest.mark.parametrize("session_id", ["", "%", "_" * 16])
async def test_only_a_whole_id_names_a_session(
    store: SqliteStore, accounts: AccountService, session_id: str
) -> None:
    claire = await new_person(store, "claire")
    await accounts.open_session(claire.id, {})

    with pytest.raises(NotFound):
        await accounts.kick(session_id, "uid:0")


# --- who leaves --------------------------------------------------------------------------------


async def test_who_is_deleted_takes_what_is_theirs_along(
    store: SqliteStore, accounts: AccountService
) -> None:
    claire, marc = await new_person(store, "claire"), await new_person(store, "marc")
    await asked(store, claire)
    kept = await asked(store, marc)
    session = await accounts.open_session(claire.id, {})

    assert await accounts.remove("claire", None, "uid:0") == Belongings(1, 2)

    assert [user.login for user in await accounts.users()] == ["marc"]
    assert await accounts.session(session) is None
    assert [each.id for each in await store.conversations(marc.id, 10)] == [kept.id]
    assert await store.conversations(claire.id, 10) == []


async def test_what_is_handed_over_becomes_the_heirs_and_stays_whole(
    store: SqliteStore, accounts: AccountService
) -> None:
    claire, marc = await new_person(store, "claire"), await new_person(store, "marc")
    handed = await asked(store, claire)

    assert await accounts.remove("claire", "marc", "uid:0") == Belongings(1, 2)

    assert [each.id for each in await store.conversations(marc.id, 10)] == [handed.id]
    question, answer = await store.messages(handed.id)
    assert (question.text, question.author_id) == ("Bonjour", None)
    assert answer.turn is not None
    assert answer.turn.asker_id == marc.id


async def test_nobody_inherits_from_themselves_or_is_nobody(
    store: SqliteStore, accounts: AccountService
) -> None:
    await new_person(store, "claire")

    with pytest.raises(BadRequest):
        await accounts.remove("claire", "Claire", "uid:0")
    with pytest.raises(NotFound):
        await accounts.remove("claire", "nobody", "uid:0")
    with pytest.raises(NotFound):
        await accounts.remove("nobody", None, "uid:0")
    assert len(await accounts.users()) == 1


# --- the last administrator --------------------------------------------------------------------


async def test_the_last_active_administrator_cannot_go_in_any_way(
    store: SqliteStore, accounts: AccountService
) -> None:
    await admin(store, "ada")
    suspended = await admin(store, "eva")
    await store.set_user_state(suspended.id, UserState.SUSPENDED)

    with pytest.raises(LastAdministrator):
        await accounts.remove("ada", None, "uid:0")
    with pytest.raises(LastAdministrator):
        await accounts.set_role("ada", Role.MEMBER, "uid:0")
    with pytest.raises(LastAdministrator):
        await accounts.set_state("ada", UserState.SUSPENDED, "uid:0")

    await accounts.set_state("eva", UserState.ACTIVE, "uid:0")
    await accounts.set_role("ada", Role.MEMBER, "uid:0")
    assert {user.login: user.role for user in await accounts.users()}["ada"] is Role.MEMBER


async def test_who_is_no_administrator_may_always_go(
    store: SqliteStore, accounts: AccountService
) -> None:
    await new_person(store, "claire")

    await accounts.set_state("claire", UserState.SUSPENDED, "uid:0")
    await accounts.remove("claire", None, "uid:0")

    assert await accounts.users() == []
