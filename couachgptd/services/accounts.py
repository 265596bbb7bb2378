"""Who people are: registration, log-in, sessions, and the one link that makes the first admin."""

import asyncio
import hashlib
import logging
import secrets
import time
import unicodedata
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from couachgptd.core.errors import (
    AccountPending,
    AccountSuspended,
    BadRequest,
    LoginInvalid,
    NotFound,
    RegistrationClosed,
    SetupDone,
    SetupLinkInvalid,
    StoreError,
    WrongPassword,
)
from couachgptd.core.ids import UserId
from couachgptd.core.ports import Passwords, Store
from couachgptd.core.throttle import Throttle
from couachgptd.core.users import (
    Belongings,
    Role,
    Session,
    User,
    UserState,
    check_new_password,
    new_login,
    normal_login,
)

log = logging.getLogger(__name__)

KEEP_SEEN_SECONDS = 60.0
SESSION_ID_BYTES = 32
SETUP_TOKEN_BYTES = 24
SETUP_LINK = "setup_link"
NAME_MAX_LENGTH = 80
LINE_MAX_LENGTH = 300
JOINERS = "\u200c\u200d"
# One address may stand for a whole office behind a router.
ATTEMPTS_PER_ADDRESS = 5


def session_key(session_id: str) -> str:
    """Name a session's row: a stolen database holds no cookie that works."""
    # A header's stray bytes come as halves of pairs, which are no UTF-8.
    return hashlib.sha256(session_id.encode(errors="surrogatepass")).hexdigest()


class AccountService:
    """`changed` is called with a user whose rights or sessions changed: their sockets close."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        *,
        registration: str,
        min_length: int,
        session_days: int,
        attempts: int,
        window_seconds: float,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self.registration = registration
        self.min_length = min_length
        self.session_days = session_days
        self._by_login = Throttle(attempts, window_seconds)
        self._by_address = Throttle(attempts * ATTEMPTS_PER_ADDRESS, window_seconds)
        self._seen: dict[str, datetime] = {}
        self.changed: Callable[[UserId], None] = lambda _: None

    # registration

    async def register(
        self, *, login: str, name: str, password: str, again: str, language: str, address: str
    ) -> User:
        """Make an account that waits for approval, or that may be used at once.

        Raises RegistrationClosed, TooManyAttempts, LoginInvalid, LoginTaken, or what is wrong
        with the password.
        """
        if self.registration in ("closed", "invitation"):
            raise RegistrationClosed
        # Each registration costs a slow hash and may tell whether a name is taken.
        now = time.monotonic()
        self._by_address.check(f"register {address}", now)
        state = UserState.ACTIVE if self.registration == "open" else UserState.PENDING
        login = new_login(login)
        check_new_password(password, again, self.min_length)
        self._by_address.failed(f"register {address}", now)
        return await self._add(login, name, password, Role.MEMBER, state, language)

    async def add(
        self, *, login: str, name: str, password: str, role: Role, language: str, actor: str
    ) -> User:
        """Make an active account, on an operator's word."""
        login = new_login(login)
        check_new_password(password, password, self.min_length)
        user = await self._add(login, name, password, role, UserState.ACTIVE, language)
        await self._store.audit(actor, "user.add", {"user": user.login, "role": role.value})
        return user

    async def _add(
        self, login: str, name: str, password: str, role: Role, state: UserState, language: str
    ) -> User:
        return await self._store.add_user(
            login=login,
            name=display_name(name, login),
            password_hash=await self._passwords.hash(password),
            role=role,
            state=state,
            language=language,
        )

    async def approve(self, login: str, actor: str) -> User:
        """Let a waiting person in; one who is in stays in. Raises NotFound, AccountSuspended."""
        user = await self.named(login)
        if user.state is UserState.SUSPENDED:
            raise AccountSuspended
        user = await self._store.set_user_state(user.id, UserState.ACTIVE)
        await self._store.audit(actor, "user.approve", {"user": user.login})
        return user

    async def set_state(self, login: str, state: UserState, actor: str) -> User:
        """Suspend a person, which ends what they have open, or let them in again."""
        user = await self.named(login)
        user = await self._store.set_user_state(user.id, state)
        await self._store.audit(actor, "user.state", {"user": user.login, "state": state.value})
        self.changed(user.id)
        return user

    async def set_role(self, login: str, role: Role, actor: str) -> User:
        user = await self.named(login)
        user = await self._store.set_role(user.id, role)
        await self._store.audit(actor, "user.role", {"user": user.login, "role": role.value})
        self.changed(user.id)
        return user

    async def set_password(self, login: str, password: str, actor: str) -> User:
        """Give a person another password, and end their sessions."""
        user = await self.named(login)
        check_new_password(password, password, self.min_length)
        password_hash = await self._passwords.hash(password)
        await self._store.set_password_hash(user.id, password_hash, end_sessions=True)
        await self._store.audit(actor, "user.passwd", {"user": user.login})
        self.changed(user.id)
        return user

    async def remove(self, login: str, heir: str | None, actor: str) -> Belongings:
        """Delete a person; what is theirs is deleted, too, or becomes the heir's.

        Raises NotFound, BadRequest where the heir is the same person, LastAdministrator.
        """
        user = await self.named(login)
        to = None if heir is None else await self.named(heir)
        if to is not None and to.id == user.id:
            raise BadRequest(reason="heir")
        removed = await self._store.belongings(user.id)
        if to is None:
            # Nothing new comes from who is shut out; then in parts, so that others need not wait.
            await self._store.set_user_state(user.id, UserState.SUSPENDED)
            self.changed(user.id)
            while await self._store.remove_some(user.id):
                pass
        await self._store.remove_user(user.id, to.id if to else None)
        detail = {"user": user.login, "heir": to.login if to else None}
        await self._store.audit(actor, "user.rm", {**detail, **asdict(removed)})
        self.changed(user.id)
        return removed

    async def set_language(self, user: User, language: str) -> None:
        await self._store.set_language(user.id, language)

    async def users(self) -> list[User]:
        return await self._store.users()

    async def named(self, login: str) -> User:
        """Raises NotFound, LoginInvalid."""
        found = await self._store.user_by_login(normal_login(login))
        if found is None:
            raise NotFound
        return found[0]

    # log-in

    async def log_in(self, login: str, password: str, address: str) -> User:
        """Return the active person with this name and password.

        Raises TooManyAttempts, WrongPassword, and only to who knows the password
        AccountPending or AccountSuspended.
        """
        try:
            login = normal_login(login)
        except LoginInvalid:
            raise WrongPassword from None
        now = time.monotonic()
        self._by_login.check(login, now)
        self._by_address.check(address, now)
        # Counted before the slow hash, so that many tries at once are not all let through.
        self._by_login.failed(login, now)
        self._by_address.failed(address, now)
        found = await self._store.user_by_login(login)
        if not await self._passwords.verify(password, found[1] if found else None) or not found:
            raise WrongPassword
        self._by_login.succeeded(login)
        # Not forgotten: with one account of their own, somebody could try all others for ever.
        self._by_address.take_back(address)
        user = found[0]
        if user.state is UserState.PENDING:
            raise AccountPending
        if user.state is UserState.SUSPENDED:
            raise AccountSuspended
        return user

    # sessions

    async def open_session(
        self, user_id: UserId, data: dict[str, Any], address: str = "", agent: str = ""
    ) -> str:
        """Make a session and return the id that its cookie carries.

        `agent` is what the browser calls itself.
        """
        session_id = secrets.token_urlsafe(SESSION_ID_BYTES)
        expires_at = datetime.now(UTC) + timedelta(days=self.session_days)
        await self._store.add_session(
            session_key(session_id), user_id, data, expires_at, address, one_line(agent)
        )
        return session_id

    async def session(self, session_id: str) -> tuple[User, dict[str, Any]] | None:
        """Return whose session this is, if it stands and the person is active."""
        key = session_key(session_id)
        found = await self._store.person_of_session(key)
        if found is None or not found[0].is_active:
            return None
        self._seen[key] = datetime.now(UTC)
        return found

    async def close_session(self, session_id: str) -> None:
        found = await self._store.session(session_key(session_id))
        await self._store.delete_session(session_key(session_id))
        if found is not None:
            self.changed(found[0])

    async def keep_seen(self) -> None:
        """Keep, once a minute, when each session last asked for anything."""
        while True:
            await asyncio.sleep(KEEP_SEEN_SECONDS)
            try:
                await self.keep_seen_now()
            except StoreError:
                log.exception("when people were last here could not be kept")

    async def keep_seen_now(self) -> None:
        seen, self._seen = self._seen, {}
        if seen:
            await self._store.note_seen(seen)

    async def sessions(self, user_id: UserId | None = None) -> list[Session]:
        """Return who is logged in, or where a person is; the one seen last first."""
        await self.keep_seen_now()
        return await self._store.sessions(user_id)

    async def kick(self, session_id: str, actor: str, owner: UserId | None = None) -> None:
        """End one session; its pages close at once. Raises NotFound, also for one of others."""
        user_id = await self._store.end_session(session_id, owner)
        user = await self._store.user(user_id)
        await self._store.audit(actor, "session.kick", {"user": user.login if user else None})
        self.changed(user_id)

    async def kick_all(self, login: str, actor: str) -> int:
        """End every session of a person and return how many there were. Raises NotFound."""
        user = await self.named(login)
        ended = await self._store.end_sessions(user.id)
        await self._store.audit(actor, "session.kick", {"user": user.login, "sessions": ended})
        self.changed(user.id)
        return ended

    @property
    def session_seconds(self) -> int:
        return self.session_days * 86_400

    # the first administrator

    async def setup_link(self, actor: str) -> str:
        """Return a new one-time token that makes the first administrator; older ones end.

        Raises SetupDone once there is an administrator.
        """
        if await self._store.has_admin():
            raise SetupDone
        token = secrets.token_urlsafe(SETUP_TOKEN_BYTES)
        await self._store.set_setting(SETUP_LINK, session_key(token))
        await self._store.audit(actor, "setup-link", {})
        return token

    async def require_setup_link(self, token: str) -> None:
        """Raise SetupLinkInvalid unless this is the link that counts now."""
        kept = await self._store.setting(SETUP_LINK)
        if kept is None or not secrets.compare_digest(kept, session_key(token)):
            raise SetupLinkInvalid

    async def make_first_admin(
        self, token: str, *, login: str, name: str, password: str, again: str, language: str
    ) -> User:
        """Make the first administrator. Raises SetupLinkInvalid, or what is wrong with the form."""
        await self.require_setup_link(token)
        login = new_login(login)
        check_new_password(password, again, self.min_length)
        user = await self._store.add_first_admin(
            setup_key=session_key(token),
            login=login,
            name=display_name(name, login),
            password_hash=await self._passwords.hash(password),
            language=language,
        )
        await self._store.audit(user.login, "account.setup", {})
        return user


def display_name(name: str, login: str) -> str:
    """Return the name people see, on one line; the login where none is given.

    What is not written but done (escape sequences, directions) is left out: the operator reads
    names in a terminal. Joiners stay, emoji and several scripts are made with them.
    """
    return one_line(name)[:NAME_MAX_LENGTH].strip() or login


def one_line(text: str) -> str:
    """Return a stranger's text without what is not written but done, cut where it gets long."""
    shown = "".join(
        char
        for char in " ".join(text.split())
        if unicodedata.category(char)[0] != "C" or char in JOINERS
    )
    return shown[:LINE_MAX_LENGTH]
