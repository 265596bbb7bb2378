"""One-time links that an administrator hands out: to set a new password, to register."""

import secrets
from datetime import UTC, datetime, timedelta

from couachgptd.core.errors import BadRequest, LinkInvalid, RegistrationClosed
from couachgptd.core.links import DAYS_MOST, PASSWORD_LIFE, USES_MOST, Link, LinkKind
from couachgptd.core.ports import Passwords, Store
from couachgptd.core.users import User, check_new_password, new_login
from couachgptd.services.accounts import AccountService, display_name, session_key

TOKEN_BYTES = 24


class LinkService:
    def __init__(self, store: Store, passwords: Passwords, accounts: AccountService) -> None:
        self._store = store
        self._passwords = passwords
        self._accounts = accounts

    async def require(self, token: str, kind: LinkKind) -> Link:
        """Return the link of this token. Raises LinkInvalid."""
        link = await self._store.link(session_key(token), kind)
        if link is None:
            raise LinkInvalid
        return link

    # a new password

    async def password_link(self, login: str, actor: str) -> tuple[str, Link]:
        """Return a new token with its link; an older one of this person ends. Raises NotFound."""
        user = await self._accounts.named(login)
        made = await self._add(LinkKind.PASSWORD, user, 1, PASSWORD_LIFE, actor)
        await self._store.audit(actor, "user.reset-link", {"user": user.login})
        return made

    async def set_password(self, token: str, password: str, again: str) -> None:
        """Set the password of the link's person and end their sessions.

        Raises LinkInvalid, or what is wrong with the password.
        """
        await self.require(token, LinkKind.PASSWORD)  # before the slow hash
        check_new_password(password, again, self._accounts.min_length)
        password_hash = await self._passwords.hash(password)
        user_id = await self._store.use_password_link(session_key(token), password_hash)
        user = await self._store.user(user_id)
        await self._store.audit(user.login if user else "", "account.password", {})
        self._accounts.changed(user_id)

    # invitations

    async def invite(self, uses: int, days: int, actor: str) -> tuple[str, Link]:
        """Return a new token with its link. Raises BadRequest."""
        if not 0 < uses <= USES_MOST:
            raise BadRequest(reason="uses")
        if not 0 < days <= DAYS_MOST:
            raise BadRequest(reason="days")
        made = await self._add(LinkKind.INVITATION, None, uses, timedelta(days=days), actor)
        await self._store.audit(actor, "invitation.add", {"uses": uses, "days": days})
        return made

    async def invitations(self) -> list[Link]:
        return await self._store.links(LinkKind.INVITATION)

    async def revoke(self, link_id: str, actor: str) -> None:
        """Raises NotFound."""
        link = await self._store.delete_link(link_id)
        await self._store.audit(actor, "invitation.rm", {"uses_left": link.uses_left})

    async def require_invitation(self, token: str) -> None:
        """Raise RegistrationClosed, LinkInvalid."""
        if self._accounts.registration == "closed":
            raise RegistrationClosed
        await self.require(token, LinkKind.INVITATION)

    async def register(
        self, token: str, *, login: str, name: str, password: str, again: str, language: str
    ) -> User:
        """Make an account that may be used at once.

        Raises RegistrationClosed, LinkInvalid, LoginInvalid, LoginTaken, or what is wrong with
        the password.
        """
        await self.require_invitation(token)
        login = new_login(login)
        check_new_password(password, again, self._accounts.min_length)
        user = await self._store.use_invitation(
            session_key(token),
            login=login,
            name=display_name(name, login),
            password_hash=await self._passwords.hash(password),
            language=language,
        )
        await self._store.audit(user.login, "account.invited", {})
        return user

    async def _add(
        self, kind: LinkKind, user: User | None, uses: int, life: timedelta, actor: str
    ) -> tuple[str, Link]:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        link = await self._store.add_link(
            session_key(token),
            kind,
            user_id=user.id if user else None,
            uses=uses,
            created_by=actor,
            expires_at=datetime.now(UTC) + life,
        )
        return token, link
