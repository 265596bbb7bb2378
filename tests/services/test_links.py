"""One-time links: they work once or as often as said, until they are too old, and never after."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from couachgptd.core.errors import (
    BadRequest,
    LinkInvalid,
    LoginTaken,
    NotFound,
    PasswordTooShort,
    RegistrationClosed,
)
from couachgptd.core.ids import UserId
from couachgptd.core.links import LinkKind
from couachgptd.core.users import Role, UserState
from couachgptd.services.accounts import AccountService, session_key
from couachgptd.services.links import LinkService
from couachgptd.storage.passwords import Argon2Passwords
from couachgptd.storage.store import SqliteStore, opened_store
from couachgptd.storage.tables import LinkTable
from tests.services.conftest import new_person

GOOD = "un long mot de passe"


class House:
    def __init__(self, store: SqliteStore, passwords: Argon2Passwords) -> None:
        self.store = store
        self.accounts = AccountService(
            store,
            passwords,
            registration="approval",
            min_length=10,
            session_days=30,
            attempts=100,
            window_seconds=300.0,
        )
        self.links = LinkService(store, passwords, self.accounts)
        self.changed: list[UserId] = []
        self.accounts.changed = self.changed.append


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    passwords = Argon2Passwords()
    async with opened_store(tmp_path / "data") as store:
        yield House(store, passwords)
    passwords.close()


async def register(house: House, token: str, login: str) -> None:
    await house.links.register(
        token, login=login, name=login, password=GOOD, again=GOOD, language="fr"
    )


async def outdate(house: House) -> None:
    moment = datetime.now(UTC) - timedelta(seconds=1)
    await house.store._db.write(lambda: LinkTable.update(expires_at=moment).execute())


# --- a new password ----------------------------------------------------------------------------


async def test_a_link_sets_a_password_once_and_ends_the_sessions(house: House) -> None:
    claire = await new_person(house.store, "claire")
    session = await house.accounts.open_session(claire.id, {})
    token, link = await house.links.password_link("claire", "uid:0")
    assert link.expires_at <= datetime.now(UTC) + timedelta(hours=24)

    await house.links.set_password(token, GOOD, GOOD)

    assert (await house.accounts.log_in("claire", GOOD, "")).id == claire.id
    assert await house.accounts.session(session) is None
    assert house.changed == [claire.id]
    with pytest.raises(LinkInvalid):
        await house.links.set_password(token, "un autre mot de passe", "un autre mot de passe")


async def test_its_secret_is_kept_nowhere(house: House) -> None:
    await new_person(house.store, "claire")
    token, link = await house.links.password_link("claire", "uid:0")

    def everything() -> str:
        rows = LinkTable.select().dicts()
        return repr(list(rows))

    assert token not in await house.store._db.read(everything)
    assert not session_key(token).startswith(token[:4])
    assert session_key(token).startswith(link.id)


async def test_a_newer_link_ends_the_older_one(house: House) -> None:
    await new_person(house.store, "claire")
    older, _ = await house.links.password_link("claire", "uid:0")
    newer, _ = await house.links.password_link("claire", "uid:0")

    with pytest.raises(LinkInvalid):
        await house.links.require(older, LinkKind.PASSWORD)
    await house.links.require(newer, LinkKind.PASSWORD)


async def test_a_bad_password_does_not_use_it_up(house: House) -> None:
    await new_person(house.store, "claire")
    token, _ = await house.links.password_link("claire", "uid:0")

    with pytest.raises(PasswordTooShort):
        await house.links.set_password(token, "court", "court")

    await house.links.set_password(token, GOOD, GOOD)


async def test_one_that_is_too_old_works_no_more(house: House) -> None:
    await new_person(house.store, "claire")
    token, _ = await house.links.password_link("claire", "uid:0")
    await outdate(house)

    with pytest.raises(LinkInvalid):
        await house.links.set_password(token, GOOD, GOOD)


async def test_two_who_use_it_at_once_set_one_password(house: House) -> None:
    await new_person(house.store, "claire")
    token, _ = await house.links.password_link("claire", "uid:0")

    outcomes = await asyncio.gather(
        *(house.links.set_password(token, f"{GOOD} {n}", f"{GOOD} {n}") for n in range(4)),
        return_exceptions=True,
    )

    assert sum(each is None for each in outcomes) == 1
    assert sum(isinstance(each, LinkInvalid) for each in outcomes) == 3


async def test_there_is_none_for_nobody(house: House) -> None:
    with pytest.raises(NotFound):
        await house.links.password_link("nobody", "uid:0")


async def test_an_invitation_sets_no_password(house: House) -> None:
    token, _ = await house.links.invite(1, 1, "uid:0")

    with pytest.raises(LinkInvalid):
        await house.links.set_password(token, GOOD, GOOD)


# --- invitations -------------------------------------------------------------------------------


async def test_an_invitation_makes_an_active_member_as_often_as_it_says(house: House) -> None:
    token, _ = await house.links.invite(2, 7, "uid:0")

    await register(house, token, "claire")
    assert [each.uses_left for each in await house.links.invitations()] == [1]
    await register(house, token, "marc")

    with pytest.raises(LinkInvalid):
        await register(house, token, "paul")
    assert {(user.login, user.state, user.role) for user in await house.accounts.users()} == {
        ("claire", UserState.ACTIVE, Role.MEMBER),
        ("marc", UserState.ACTIVE, Role.MEMBER),
    }
    assert await house.links.invitations() == []


async def test_a_crowd_makes_no_more_accounts_than_it_says(house: House) -> None:
    token, _ = await house.links.invite(3, 7, "uid:0")

    await asyncio.gather(
        *(register(house, token, f"person{n}") for n in range(8)), return_exceptions=True
    )

    assert len(await house.accounts.users()) == 3


async def test_a_login_that_is_taken_does_not_use_it_up(house: House) -> None:
    await new_person(house.store, "claire")
    token, _ = await house.links.invite(1, 7, "uid:0")

    with pytest.raises(LoginTaken):
        await register(house, token, "claire")

    await register(house, token, "marc")


async def test_it_can_be_revoked(house: House) -> None:
    token, link = await house.links.invite(5, 7, "uid:0")

    await house.links.revoke(link.id, "uid:0")

    with pytest.raises(LinkInvalid):
        await register(house, token, "claire")
    with pytest.raises(NotFound):
        await house.links.revoke(link.id, "uid:0")


@pytest.mark.parametrize("link_id", ["", "%", "_" * 16, "0" * 64])
async def test_only_a_whole_id_names_one(house: House, link_id: str) -> None:
    await house.links.invite(1, 1, "uid:0")

    with pytest.raises(NotFound):
        await house.links.revoke(link_id, "uid:0")


async def test_where_registration_is_closed_none_works(house: House) -> None:
    token, _ = await house.links.invite(1, 7, "uid:0")
    house.accounts.registration = "closed"

    with pytest.raises(RegistrationClosed):
        await register(house, token, "claire")


async def test_where_it_is_by_invitation_nobody_registers_without_one(house: House) -> None:
    house.accounts.registration = "invitation"

    with pytest.raises(RegistrationClosed):
        await house.accounts.register(
            login="claire", name="", password=GOOD, again=GOOD, language="fr", address="::1"
        )


@pytest.mark.parametrize(("uses", "days"), [(0, 1), (1, 0), (1001, 1), (1, 366), (-1, 1)])
async def test_bounds_of_an_invitation(house: House, uses: int, days: int) -> None:
    with pytest.raises(BadRequest):
        await house.links.invite(uses, days, "uid:0")
