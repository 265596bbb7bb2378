"""People and their sessions, kept."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from peewee import IntegrityError

from couachgptd.core.errors import LastAdministrator, LoginTaken, NotFound, SetupLinkInvalid
from couachgptd.core.ids import UserId
from couachgptd.core.users import SESSION_ID_LENGTH, Belongings, Role, Session, User, UserState
from couachgptd.storage import statements
from couachgptd.storage.database import Database
from couachgptd.storage.rows import now, to_user
from couachgptd.storage.tables import (
    AttachmentTable,
    ConversationTable,
    LinkTable,
    MessageTable,
    SessionTable,
    SettingTable,
    TurnTable,
    UserTable,
)

SETUP_LINK = "setup_link"  # the setting that holds the hash of the one-time link
KNOWN_SESSIONS = 1000
REMOVED_AT_ONCE = 100  # messages a transaction: people who write wait behind it

Result = TypeVar("Result")


class PeopleStore:
    def __init__(self, database: Database) -> None:
        self._db = database
        # Asked before every request of a socket: whose sessions these are, until any changes.
        self._known: OrderedDict[str, tuple[User, dict[str, Any], datetime]] = OrderedDict()
        self._changes = 0

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
        def work() -> User:
            return add_user_row(
                login=login,
                name=name,
                password_hash=password_hash,
                role=role,
                state=state,
                language=language,
            )

        return await self._db.write(work)

    async def user(self, user_id: UserId) -> User | None:
        def work() -> User | None:
            row = statements.find(UserTable, id=user_id)
            return to_user(row) if row else None

        return await self._db.read(work)

    async def user_by_login(self, login: str) -> tuple[User, str] | None:
        def work() -> tuple[User, str] | None:
            row = UserTable.get_or_none(UserTable.login == login)
            return (to_user(row), row.password_hash) if row else None

        return await self._db.read(work)

    async def users(self) -> list[User]:
        return await self._db.read(
            lambda: [to_user(row) for row in UserTable.select().order_by(UserTable.login)],
        )

    async def add_first_admin(
        self, *, setup_key: str, login: str, name: str, password_hash: str, language: str
    ) -> User:
        def work() -> User:
            link = SettingTable.get_or_none(SettingTable.name == SETUP_LINK)
            if link is None or link.value != setup_key or _admins().exists():
                raise SetupLinkInvalid
            link.delete_instance()
            return add_user_row(
                login=login,
                name=name,
                password_hash=password_hash,
                role=Role.ADMIN,
                state=UserState.ACTIVE,
                language=language,
            )

        return await self._db.write(work)

    async def set_user_state(self, user_id: UserId, state: UserState) -> User:
        def work() -> User:
            if state is not UserState.ACTIVE:
                _require_other_admin(user_id)
                _shut_out(user_id)
            return _changed_user(user_id, state=state.value)

        return await self._change(work)

    async def set_role(self, user_id: UserId, role: Role) -> User:
        def work() -> User:
            if role is not Role.ADMIN:
                _require_other_admin(user_id)
            return _changed_user(user_id, role=role.value)

        return await self._change(work)

    async def belongings(self, user_id: UserId) -> Belongings:
        return await self._db.read(lambda: belongings_of(user_id))

    async def remove_some(self, user_id: UserId) -> bool:
        return await self._db.write(lambda: _remove_some(user_id))

    async def remove_user(self, user_id: UserId, heir: UserId | None) -> Belongings:
        def work() -> Belongings:
            _require_other_admin(user_id)
            found = belongings_of(user_id)
            if heir is not None:
                if not UserTable.select().where(UserTable.id == heir).exists():
                    raise NotFound
                own = ConversationTable.select(ConversationTable.id).where(
                    ConversationTable.owner == user_id
                )
                # Turns go with their asker, and these belong to what is handed over.
                TurnTable.update(asker=heir).where(TurnTable.conversation.in_(own)).execute()
                AttachmentTable.update(owner=heir).where(AttachmentTable.owner == user_id).execute()
                ConversationTable.update(owner=heir).where(
                    ConversationTable.owner == user_id
                ).execute()
            UserTable.delete().where(UserTable.id == user_id).execute()
            return found

        return await self._change(work)

    async def set_language(self, user_id: UserId, language: str) -> None:
        await self._change(
            lambda: UserTable.update(language=language).where(UserTable.id == user_id).execute(),
        )

    async def change_user(
        self,
        user_id: UserId,
        *,
        login: str | None = None,
        name: str | None = None,
        zone: str | None = None,
        model: str | None = None,
    ) -> User:
        given = {"login": login, "name": name, "zone": zone, "model": model}
        changes = {name: value for name, value in given.items() if value is not None}

        def work() -> User:
            try:
                return _changed_user(user_id, **changes)
            except IntegrityError:
                raise LoginTaken from None

        return await self._change(work)

    async def set_password_hash(
        self, user_id: UserId, password_hash: str, *, end_sessions: bool, but: str = ""
    ) -> None:
        def work() -> None:
            UserTable.update(password_hash=password_hash).where(UserTable.id == user_id).execute()
            if end_sessions:
                _shut_out(user_id, but)

        await self._change(work)

    async def has_admin(self) -> bool:
        return await self._db.read(lambda: _admins().exists())

    async def add_session(
        self,
        key: str,
        user_id: UserId,
        data: dict[str, Any],
        expires_at: datetime,
        address: str = "",
        agent: str = "",
    ) -> None:
        def work() -> None:
            SessionTable.insert(
                key=key, user=user_id, data=data, created_at=now(), expires_at=expires_at,
                address=address, agent=agent, seen_at=now(),
            ).execute()  # fmt: skip

        await self._db.write(work)

    async def sessions(self, user_id: UserId | None = None) -> list[Session]:
        def work() -> list[Session]:
            rows = (
                SessionTable.select(SessionTable, UserTable.id, UserTable.login)
                .join(UserTable)
                .where(SessionTable.expires_at > now())
                .order_by(SessionTable.seen_at.desc())
            )
            if user_id is not None:
                rows = rows.where(SessionTable.user == user_id)
            return [
                Session(
                    id=row.key[:SESSION_ID_LENGTH],
                    user_id=UserId(row.user_id),
                    login=row.user.login,
                    address=row.address,
                    created_at=row.created_at,
                    seen_at=row.seen_at,
                    expires_at=row.expires_at,
                    agent=row.agent,
                )
                for row in rows
            ]

        return await self._db.read(work)

    async def note_seen(self, seen: Mapping[str, datetime]) -> None:
        changes = [(key, {"seen_at": moment}) for key, moment in seen.items()]
        await self._db.write(lambda: statements.update(SessionTable, changes))

    async def end_session(self, session_id: str, user_id: UserId | None = None) -> UserId:
        def work() -> UserId:
            row = SessionTable.get_or_none(SessionTable.key.startswith(session_id))
            if row is None or len(session_id) != SESSION_ID_LENGTH:
                raise NotFound
            if user_id is not None and row.user_id != user_id:
                raise NotFound
            row.delete_instance()
            return UserId(row.user_id)

        return await self._change(work)

    async def end_sessions(self, user_id: UserId) -> int:
        return await self._change(
            lambda: SessionTable.delete().where(SessionTable.user == user_id).execute(),
        )

    async def session(self, key: str) -> tuple[UserId, dict[str, Any]] | None:
        def work() -> tuple[UserId, dict[str, Any]] | None:
            row = _standing_session(key)
            return (UserId(row.user_id), row.data) if row else None

        return await self._db.read(work)

    async def person_of_session(self, key: str) -> tuple[User, dict[str, Any]] | None:
        def work() -> tuple[User, dict[str, Any], datetime] | None:
            row = _standing_session(key)
            person = statements.find(UserTable, id=row.user_id) if row else None
            return (to_user(person), row.data, row.expires_at) if row and person else None

        found = self._known.get(key)
        if found is None:
            changes = self._changes
            found = await self._db.read(work)
            if found is None:
                return None
            if changes == self._changes:  # else it may be what was read before a change
                self._known[key] = found
                if len(self._known) > KNOWN_SESSIONS:
                    self._known.popitem(last=False)
        user, data, expires_at = found
        return (user, data) if expires_at > now() else None

    async def delete_session(self, key: str) -> None:
        await self._change(
            lambda: SessionTable.delete().where(SessionTable.key == key).execute(),
        )

    async def _change(self, work: Callable[[], Result]) -> Result:
        """Write what may end a session or change its person; nothing known before stays known."""

        async def whole() -> Result:
            try:
                return await self._db.write(work)
            finally:
                self._changes += 1
                self._known.clear()

        # A caller who is cancelled does not undo the write, so neither the forgetting.
        return await asyncio.shield(asyncio.ensure_future(whole()))


def _standing_session(key: str) -> SessionTable | None:
    row = statements.find(SessionTable, key=key)
    return row if row is not None and row.expires_at > now() else None


def _shut_out(user_id: UserId, but: str = "") -> None:
    """End a person's sessions but one, and the links that would open their account again."""
    SessionTable.delete().where(
        (SessionTable.user == user_id) & (SessionTable.key != but)
    ).execute()
    LinkTable.delete().where(LinkTable.user == user_id).execute()


def _changed_user(user_id: UserId, **changes: str) -> User:
    if changes:
        UserTable.update(**changes).where(UserTable.id == user_id).execute()
    row = UserTable.get_or_none(UserTable.id == user_id)
    if row is None:
        raise NotFound
    return to_user(row)


def _require_other_admin(user_id: UserId) -> None:
    """Raise LastAdministrator where, without this person, nobody could administer."""
    active = _admins().where(UserTable.state == UserState.ACTIVE.value)
    own = UserTable.id == user_id
    if active.where(own).exists() and not active.where(~own).exists():
        raise LastAdministrator


def _remove_some(user_id: UserId) -> bool:
    """Delete the newest messages first: a reply goes with what it replies to, however long."""
    left = REMOVED_AT_ONCE
    own = ConversationTable.select(ConversationTable.id).where(ConversationTable.owner == user_id)
    rows = list(own.limit(REMOVED_AT_ONCE))
    for row in rows:
        messages = MessageTable.select(MessageTable.id).where(MessageTable.conversation == row.id)
        ids = [each.id for each in messages.order_by(MessageTable.id.desc()).limit(left)]
        MessageTable.delete().where(MessageTable.id.in_(ids)).execute()
        left -= len(ids)
        if left == 0:
            break
        row.delete_instance()
    return bool(rows)


def belongings_of(user_id: UserId) -> Belongings:
    """Count what a person owns, in the transaction of the caller."""
    own = ConversationTable.select().where(ConversationTable.owner == user_id)
    messages = (
        MessageTable.select().join(ConversationTable).where(ConversationTable.owner == user_id)
    )
    return Belongings(own.count(), messages.count())


def _admins() -> Any:
    return UserTable.select().where(UserTable.role == Role.ADMIN.value)


def add_user_row(
    *, login: str, name: str, password_hash: str, role: Role, state: UserState, language: str
) -> User:
    """Insert a person, in the transaction of the caller. Raises LoginTaken."""
    try:
        row = UserTable.create(
            login=login,
            name=name,
            password_hash=password_hash,
            role=role.value,
            state=state.value,
            language=language,
            created_at=now(),
        )
    except IntegrityError:
        raise LoginTaken from None
    return to_user(row)
