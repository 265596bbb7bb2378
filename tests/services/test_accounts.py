"""Accounts: who gets in, what is told to whom, and exactly one first administrator."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from couachgptd.core.errors import (
    AccountPending,
    AccountSuspended,
    CouachError,
    LoginInvalid,
    LoginTaken,
    NotFound,
    PasswordsDiffer,
    PasswordTooShort,
    RegistrationClosed,
    SetupDone,
    SetupLinkInvalid,
    TooManyAttempts,
    WrongPassword,
)
from couachgptd.core.users import Role, User, UserState
from couachgptd.services.accounts import AccountService, display_name, session_key
from couachgptd.storage.passwords import Argon2Passwords
from couachgptd.storage.store import SqliteStore, opened_store
from couachgptd.storage.tables import AuditTable

GOOD = "un long mot de passe"
MakeAccounts = Callable[..., AccountService]


class CountedPasswords(Argon2Passwords):
    """The real ones, and how often they were asked."""

    def __init__(self) -> None:
        super().__init__()
        self.verified: list[bool] = []

    async def verify(self, password: str, password_hash: str | None) -> bool:
        self.verified.append(password_hash is not None)
        return await super().verify(password, password_hash)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    async with opened_store(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
async def passwords() -> AsyncIterator[CountedPasswords]:
    opened = CountedPasswords()
    yield opened
    opened.close()


@pytest.fixture
def make_accounts(store: SqliteStore, passwords: CountedPasswords) -> MakeAccounts:
    def make(**changes: Any) -> AccountService:
        values: dict[str, Any] = {
            "registration": "approval",
            "min_length": 10,
            "session_days": 30,
            "attempts": 100,
            "window_seconds": 300.0,
        }
        return AccountService(store, passwords, **{**values, **changes})

    return make


@pytest.fixture
def accounts(make_accounts: MakeAccounts) -> AccountService:
    return make_accounts()


async def register(accounts: AccountService, login: str = "claire", **changes: str) -> User:
    values = {
        "name": "Claire",
        "password": GOOD,
        "again": GOOD,
        "language": "fr",
        "address": "10.0.0.1",
    }
    return await accounts.register(login=login, **{**values, **changes})


async def add(accounts: AccountService, login: str = "claire", role: Role = Role.MEMBER) -> User:
    return await accounts.add(
        login=login, name="", password=GOOD, role=role, language="fr", actor="uid:0"
    )


# --- registration ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("registration", "state"), [("approval", UserState.PENDING), ("open", UserState.ACTIVE)]
)
async def test_who_registers_waits_or_enters_as_the_configuration_says(
    make_accounts: MakeAccounts, registration: str, state: UserState
) -> None:
    user = await register(make_accounts(registration=registration))

    assert (user.state, user.role) == (state, Role.MEMBER)


async def test_nobody_registers_where_it_is_closed(make_accounts: MakeAccounts) -> None:
    with pytest.raises(RegistrationClosed):
        await register(make_accounts(registration="closed"))


@pytest.mark.parametrize("login", ["claire", "CLAIRE", " claire ", "\uff23laire"])
async def test_a_name_is_taken_in_every_spelling(accounts: AccountService, login: str) -> None:
    await register(accounts)

    with pytest.raises(LoginTaken):
        await register(accounts, login)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"login": "a"}, LoginInvalid),
        ({"password": "court", "again": "court"}, PasswordTooShort),
        ({"again": "autre"}, PasswordsDiffer),
    ],
)
async def test_a_form_with_a_mistake_makes_nobody_and_counts_as_no_try(
    make_accounts: MakeAccounts,
    store: SqliteStore,
    changes: dict[str, str],
    error: type[CouachError],
) -> None:
    accounts = make_accounts(attempts=1)
    for _ in range(10):
        with pytest.raises(error):
            await register(accounts, **changes)

    assert await store.users() == []


async def test_an_address_registers_so_many_times_and_no_more(make_accounts: MakeAccounts) -> None:
    accounts = make_accounts(attempts=1)
    for number in range(5):
        await register(accounts, f"person{number}")

    with pytest.raises(TooManyAttempts):
        await register(accounts, "onemore")
    await register(accounts, "elsewhere", address="10.0.0.2")


# --- log-in ------------------------------------------------------------------------------------


async def test_the_right_password_lets_in_by_any_spelling_of_the_login(
    accounts: AccountService,
) -> None:
    user = await add(accounts)

    assert await accounts.log_in(" CLAIRE", GOOD, "10.0.0.1") == user


@pytest.mark.parametrize("password", ["", " ", "\0", GOOD + " ", GOOD.upper(), "x" * 100_000])
async def test_another_password_does_not(accounts: AccountService, password: str) -> None:
    await add(accounts)

    with pytest.raises(WrongPassword):
        await accounts.log_in("claire", password, "10.0.0.1")


async def test_an_unknown_login_takes_the_same_way_as_a_wrong_password(
    accounts: AccountService, passwords: CountedPasswords
) -> None:
    await add(accounts)
    raised = []
    for login in ("claire", "inconnue"):
        with pytest.raises(WrongPassword) as caught:
            await accounts.log_in(login, "faux mot de passe", "10.0.0.1")
        raised.append(caught.value.fields)

    assert passwords.verified == [True, False]  # a hash is computed for both
    assert raised == [{}, {}]


@pytest.mark.parametrize(
    ("state", "error"),
    [(UserState.PENDING, AccountPending), (UserState.SUSPENDED, AccountSuspended)],
)
async def test_a_state_is_told_only_to_who_knows_the_password(
    accounts: AccountService, store: SqliteStore, state: UserState, error: type[CouachError]
) -> None:
    user = await add(accounts)
    await store.set_user_state(user.id, state)

    with pytest.raises(WrongPassword):
        await accounts.log_in("claire", "faux mot de passe", "10.0.0.1")
    with pytest.raises(error):
        await accounts.log_in("claire", GOOD, "10.0.0.1")


async def test_an_account_is_tried_so_many_times_from_wherever_it_comes(
    make_accounts: MakeAccounts,
) -> None:
    accounts = make_accounts(attempts=3)
    await add(accounts)
    for number in range(3):
        with pytest.raises(WrongPassword):
            await accounts.log_in("claire", "faux", f"10.0.0.{number}")

    with pytest.raises(TooManyAttempts) as raised:
        await accounts.log_in("claire", GOOD, "10.0.0.9")
    assert 1 <= raised.value.fields["retry_seconds"] <= 300


async def test_many_tries_at_once_are_not_all_let_through(
    make_accounts: MakeAccounts, passwords: CountedPasswords
) -> None:
    accounts = make_accounts(attempts=3)
    await add(accounts)

    done = await asyncio.gather(
        *(accounts.log_in("claire", f"faux {n}", "10.0.0.1") for n in range(20)),
        return_exceptions=True,
    )

    assert sum(isinstance(each, WrongPassword) for each in done) == 3
    assert len(passwords.verified) == 3


async def test_an_account_of_ones_own_does_not_buy_more_tries_at_the_others(
    make_accounts: MakeAccounts,
) -> None:
    accounts = make_accounts(attempts=2)
    await add(accounts, "eve")
    tried: list[str] = []

    async def spray() -> None:
        for number in range(100):
            await accounts.log_in("eve", GOOD, "10.0.0.1")
            tried.append(f"victim{number}")
            with pytest.raises(WrongPassword):
                await accounts.log_in(tried[-1], "Printemps2026", "10.0.0.1")

    with pytest.raises(TooManyAttempts):
        await spray()

    assert len(tried) <= 10


async def test_logging_in_often_is_no_fault(make_accounts: MakeAccounts) -> None:
    accounts = make_accounts(attempts=2)
    await add(accounts)
    for _ in range(15):
        await accounts.log_in("claire", GOOD, "10.0.0.1")


# --- sessions ----------------------------------------------------------------------------------


async def test_a_session_names_its_person_until_it_is_closed(accounts: AccountService) -> None:
    user = await add(accounts)
    session_id = await accounts.open_session(user.id, {"user": user.id})

    assert await accounts.session(session_id) == (user, {"user": user.id})
    await accounts.close_session(session_id)
    assert await accounts.session(session_id) is None


async def test_what_is_kept_of_a_session_is_no_cookie_that_works(
    accounts: AccountService, store: SqliteStore
) -> None:
    user = await add(accounts)
    session_id = await accounts.open_session(user.id, {})

    assert await store.session(session_id) is None
    assert await accounts.session(session_key(session_id)) is None


@pytest.mark.parametrize("session_id", ["", "x", "\ud800", "é" * 10_000, "\0"])
async def test_a_made_up_session_is_nobodys(accounts: AccountService, session_id: str) -> None:
    assert await accounts.session(session_id) is None
    await accounts.close_session(session_id)


@pytest.mark.parametrize("state", [UserState.PENDING, UserState.SUSPENDED])
async def test_a_session_of_who_is_not_active_is_worth_nothing(
    accounts: AccountService, store: SqliteStore, state: UserState
) -> None:
    user = await add(accounts)
    session_id = await accounts.open_session(user.id, {})

    await store.set_user_state(user.id, state)

    assert await accounts.session(session_id) is None


async def test_a_new_password_ends_every_session_and_says_whose(accounts: AccountService) -> None:
    user = await add(accounts)
    told: list[int] = []
    accounts.changed = told.append
    sessions = [await accounts.open_session(user.id, {}) for _ in range(3)]

    await accounts.set_password("claire", GOOD + " neuf", "uid:0")

    assert [await accounts.session(each) for each in sessions] == [None] * 3
    assert told == [user.id]
    assert await accounts.log_in("claire", GOOD + " neuf", "10.0.0.1") == user
    with pytest.raises(WrongPassword):
        await accounts.log_in("claire", GOOD, "10.0.0.1")


# --- the operator's verbs ----------------------------------------------------------------------


async def test_who_is_approved_may_enter_and_twice_is_once(accounts: AccountService) -> None:
    await register(accounts)

    for _ in range(2):
        assert (await accounts.approve("Claire", "uid:0")).state is UserState.ACTIVE


async def test_approving_is_not_how_a_suspended_person_comes_back(
    accounts: AccountService, store: SqliteStore
) -> None:
    user = await add(accounts)
    await store.set_user_state(user.id, UserState.SUSPENDED)

    with pytest.raises(AccountSuspended):
        await accounts.approve("claire", "uid:0")


async def test_nobody_is_approved_by_a_name_that_nobody_has(accounts: AccountService) -> None:
    with pytest.raises(NotFound):
        await accounts.approve("inconnue", "uid:0")
    with pytest.raises(NotFound):
        await accounts.set_password("inconnue", GOOD, "uid:0")


async def test_what_an_operator_does_is_in_the_audit_without_passwords(
    accounts: AccountService, store: SqliteStore
) -> None:
    await add(accounts, role=Role.ADMIN)
    await accounts.approve("claire", "uid:1")
    await accounts.set_password("claire", GOOD, "uid:2")

    rows = await store._db.read(
        lambda: [(row.actor, row.verb, row.detail) for row in AuditTable.select()]
    )
    assert rows == [
        ("uid:0", "user.add", {"user": "claire", "role": "admin"}),
        ("uid:1", "user.approve", {"user": "claire"}),
        ("uid:2", "user.passwd", {"user": "claire"}),
    ]


# --- the first administrator -------------------------------------------------------------------


async def set_up(accounts: AccountService, token: str, login: str = "ada") -> User:
    return await accounts.make_first_admin(
        token, login=login, name="", password=GOOD, again=GOOD, language="fr"
    )


async def test_fifty_setups_at_once_make_exactly_one_administrator(
    accounts: AccountService, store: SqliteStore
) -> None:
    token = await accounts.setup_link("test")

    done = await asyncio.gather(
        *(set_up(accounts, token, f"admin{number}") for number in range(50)),
        return_exceptions=True,
    )

    assert sum(isinstance(each, User) for each in done) == 1
    assert sum(isinstance(each, SetupLinkInvalid) for each in done) == 49
    assert [user.role for user in await store.users()] == [Role.ADMIN]


async def test_a_new_link_ends_the_older_one(accounts: AccountService) -> None:
    old = await accounts.setup_link("test")
    new = await accounts.setup_link("test")

    with pytest.raises(SetupLinkInvalid):
        await set_up(accounts, old)
    assert (await set_up(accounts, new)).role is Role.ADMIN


async def test_a_link_works_once(accounts: AccountService) -> None:
    token = await accounts.setup_link("test")
    await set_up(accounts, token)

    with pytest.raises(SetupLinkInvalid):
        await set_up(accounts, token, "eve")
    with pytest.raises(SetupDone):
        await accounts.setup_link("test")


@pytest.mark.parametrize("token", ["", "x", "\ud800", "é"])
async def test_a_made_up_link_opens_nothing(accounts: AccountService, token: str) -> None:
    with pytest.raises(SetupLinkInvalid):
        await set_up(accounts, token)
    await accounts.setup_link("test")
    with pytest.raises(SetupLinkInvalid):
        await set_up(accounts, token)


async def test_the_link_in_the_database_is_not_the_link(
    accounts: AccountService, store: SqliteStore
) -> None:
    await accounts.setup_link("test")
    kept = await store.setting("setup_link")

    assert kept is not None
    with pytest.raises(SetupLinkInvalid):
        await set_up(accounts, kept)


async def test_a_mistake_in_the_form_does_not_use_up_the_link(accounts: AccountService) -> None:
    token = await accounts.setup_link("test")
    await register(accounts, "ada")

    with pytest.raises(LoginTaken):
        await set_up(accounts, token)
    with pytest.raises(LoginInvalid):
        await set_up(accounts, token, "a")
    assert (await set_up(accounts, token, "ada2")).role is Role.ADMIN


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("", "login"),
        ("  Claire \n Morvan ", "Claire Morvan"),
        ("\x1b[31mRouge\x07", "[31mRouge"),
        ("\u202e\u2066", "login"),
        ("a" * 200, "a" * 80),
        ("👩\u200d🔬", "👩\u200d🔬"),
    ],
)
def test_a_name_is_one_line_of_what_can_be_seen(name: str, shown: str) -> None:
    assert display_name(name, "login") == shown
