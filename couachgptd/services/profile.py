"""What people change of their own accounts: names, password, preferences, sessions."""

from couachgptd.core.errors import BadRequest
from couachgptd.core.ports import Passwords, Store
from couachgptd.core.users import (
    MODEL_MAX_LENGTH,
    Session,
    User,
    check_new_password,
    checked_zone,
    new_login,
)
from couachgptd.services.accounts import AccountService, display_name, session_key


class ProfileService:
    """Each method is one's own doing; the audit names the person as the actor."""

    def __init__(self, store: Store, passwords: Passwords, accounts: AccountService) -> None:
        self._store = store
        self._passwords = passwords
        self._accounts = accounts

    async def rename(self, user: User, *, login: str, name: str) -> User:
        """Give oneself another login or another name; sessions go on.

        Raises LoginInvalid, LoginTaken.
        """
        # Who has one from before a rule keeps it for as long as they do not change it.
        wanted = user.login if login.strip() == user.login else new_login(login)
        changed = await self._store.change_user(
            user.id, login=wanted, name=display_name(name, wanted)
        )
        detail = {"user": changed.login, "name": changed.name}
        await self._store.audit(user.login, "account.rename", detail)
        return changed

    async def set_password(
        self, user: User, *, old: str, new: str, again: str, address: str, session_id: str
    ) -> None:
        """Take another password and end every session but this one.

        Raises what a log-in does for the old one, whose tries are counted with those, or what is
        wrong with the new one.
        """
        check_new_password(new, again, self._accounts.min_length)  # before the slow hashes
        await self._accounts.log_in(user.login, old, address)
        await self._store.set_password_hash(
            user.id,
            await self._passwords.hash(new),
            end_sessions=True,
            but=session_key(session_id),
        )
        await self._store.audit(user.login, "account.password", {})
        self._accounts.changed(user.id)

    async def prefer(self, user: User, *, zone: str | None, model: str | None) -> User:
        """Keep what is not None. Raises BadRequest."""
        if model is not None and len(model) > MODEL_MAX_LENGTH:
            raise BadRequest(reason="model")
        return await self._store.change_user(
            user.id, zone=None if zone is None else checked_zone(zone), model=model
        )

    async def sessions(self, user: User, session_id: str) -> list[tuple[Session, bool]]:
        """Return where somebody is logged in, each with whether it is this session."""
        here = session_key(session_id)
        found = await self._accounts.sessions(user.id)
        return [(each, here.startswith(each.id)) for each in found]

    async def end_session(self, user: User, session: str) -> None:
        """End one of one's own; its pages close at once. Raises NotFound."""
        await self._accounts.kick(session, user.login, user.id)

    async def end_sessions(self, user: User) -> None:
        """Log out everywhere, here too."""
        await self._accounts.kick_all(user.login, user.login)
