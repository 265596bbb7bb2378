"""What the domain asks of whoever keeps people, their sessions and their links."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from couachgptd.core.ids import UserId
from couachgptd.core.links import Link, LinkKind
from couachgptd.core.users import Belongings, Role, Session, User, UserState


class PeopleStore(Protocol):
    """A part of `core.ports.Store`. Each method is one transaction, and durable once it returns."""

    # people

    async def add_user(
        self,
        *,
        login: str,
        name: str,
        password_hash: str,
        role: Role,
        state: UserState,
        language: str,
    ) -> User:
        """Raises LoginTaken."""
        ...

    async def user(self, user_id: UserId) -> User | None: ...

    async def user_by_login(self, login: str) -> tuple[User, str] | None:
        """Return the user and the hash of the password."""
        ...

    async def users(self) -> list[User]: ...

    async def add_first_admin(
        self, *, setup_key: str, login: str, name: str, password_hash: str, language: str
    ) -> User:
        """Make the first administrator and use up the setup link, in one transaction.

        Raises SetupLinkInvalid unless `setup_key` is the setting `setup_link` and there is no
        administrator; LoginTaken.
        """
        ...

    async def set_user_state(self, user_id: UserId, state: UserState) -> User:
        """Keep it; who is suspended has no session any more. Raises NotFound, LastAdministrator."""
        ...

    async def set_role(self, user_id: UserId, role: Role) -> User:
        """Raises NotFound, LastAdministrator."""
        ...

    async def belongings(self, user_id: UserId) -> Belongings: ...

    async def remove_some(self, user_id: UserId) -> bool:
        """Delete a bounded part of what a person wrote; False once nothing of it is left."""
        ...

    async def remove_user(self, user_id: UserId, heir: UserId | None) -> Belongings:
        """Delete a person, and what is theirs unless it becomes the heir's.

        Raises LastAdministrator; NotFound where there is no such heir.
        """
        ...

    async def set_language(self, user_id: UserId, language: str) -> None: ...

    async def change_user(
        self,
        user_id: UserId,
        *,
        login: str | None = None,
        name: str | None = None,
        zone: str | None = None,
        model: str | None = None,
    ) -> User:
        """Change what is not None; sessions go on. Raises LoginTaken, NotFound."""
        ...

    async def set_password_hash(
        self, user_id: UserId, password_hash: str, *, end_sessions: bool, but: str = ""
    ) -> None:
        """Keep it; the session of the key `but` goes on also where the others end."""
        ...

    async def has_admin(self) -> bool: ...

    # sessions: rows named by a hash of the cookie's random id

    async def add_session(
        self,
        key: str,
        user_id: UserId,
        data: dict[str, Any],
        expires_at: datetime,
        address: str = "",
        agent: str = "",
    ) -> None: ...

    async def sessions(self, user_id: UserId | None = None) -> list[Session]:
        """Return everybody's or a person's that have not expired, the one seen last first."""
        ...

    async def note_seen(self, seen: Mapping[str, datetime]) -> None:
        """Keep when each session, by its key, last asked for anything."""
        ...

    async def end_session(self, session_id: str, user_id: UserId | None = None) -> UserId:
        """End the session of this id and return whose it was.

        Raises NotFound, also where a user is given and it is another's.
        """
        ...

    async def end_sessions(self, user_id: UserId) -> int:
        """End every session of a person and return how many there were."""
        ...

    async def session(self, key: str) -> tuple[UserId, dict[str, Any]] | None:
        """Return a session that has not expired."""
        ...

    async def person_of_session(self, key: str) -> tuple[User, dict[str, Any]] | None:
        """Return whose it is and what it holds, in one go: asked before each question."""
        ...

    async def delete_session(self, key: str) -> None: ...

    # one-time links: rows named by a hash of their secret

    async def add_link(
        self,
        key: str,
        kind: LinkKind,
        *,
        user_id: UserId | None,
        uses: int,
        created_by: str,
        expires_at: datetime,
    ) -> Link:
        """Keep a link; an earlier one of the same person ends."""
        ...

    async def links(self, kind: LinkKind) -> list[Link]:
        """Return those that still work, newest first."""
        ...

    async def link(self, key: str, kind: LinkKind) -> Link | None:
        """Return a link that still works."""
        ...

    async def delete_link(self, link_id: str) -> Link:
        """Raises NotFound."""
        ...

    async def use_password_link(self, key: str, password_hash: str) -> UserId:
        """Give its person this password, end their sessions and the link. Raises LinkInvalid."""
        ...

    async def use_invitation(
        self, key: str, *, login: str, name: str, password_hash: str, language: str
    ) -> User:
        """Make an active member and use the link once. Raises LinkInvalid, LoginTaken."""
        ...
