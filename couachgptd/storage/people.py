"""People and their sessions, kept."""

from datetime import datetime
from typing import Any

from peewee import IntegrityError

from couachgptd.core.errors import LoginTaken, NotFound, SetupLinkInvalid
from couachgptd.core.ids import UserId
from couachgptd.core.users import Role, User, UserState
from couachgptd.storage import statements
from couachgptd.storage.database import Database
from couachgptd.storage.rows import now, to_user
from couachgptd.storage.tables import SessionTable, SettingTable, UserTable

SETUP_LINK = "setup_link"  # the setting that holds the hash of the one-time link


class PeopleStore:
    def __init__(self, database: Database) -> None:
        self._db = database

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
            return _add_user(
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
            return _add_user(
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
            UserTable.update(state=state.value).where(UserTable.id == user_id).execute()
            row = UserTable.get_or_none(UserTable.id == user_id)
            if row is None:
                raise NotFound
            return to_user(row)

        return await self._db.write(work)

    async def set_language(self, user_id: UserId, language: str) -> None:
        await self._db.write(
            lambda: UserTable.update(language=language).where(UserTable.id == user_id).execute(),
        )

    async def set_password_hash(
        self, user_id: UserId, password_hash: str, *, end_sessions: bool
    ) -> None:
        def work() -> None:
            UserTable.update(password_hash=password_hash).where(UserTable.id == user_id).execute()
            if end_sessions:
                SessionTable.delete().where(SessionTable.user == user_id).execute()

        await self._db.write(work)

    async def has_admin(self) -> bool:
        return await self._db.read(lambda: _admins().exists())

    async def add_session(
        self, key: str, user_id: UserId, data: dict[str, Any], expires_at: datetime
    ) -> None:
        def work() -> None:
            SessionTable.insert(
                key=key, user=user_id, data=data, created_at=now(), expires_at=expires_at
            ).execute()

        await self._db.write(work)

    async def session(self, key: str) -> tuple[UserId, dict[str, Any]] | None:
        def work() -> tuple[UserId, dict[str, Any]] | None:
            row = _standing_session(key)
            return (UserId(row.user_id), row.data) if row else None

        return await self._db.read(work)

    async def person_of_session(self, key: str) -> tuple[User, dict[str, Any]] | None:
        def work() -> tuple[User, dict[str, Any]] | None:
            row = _standing_session(key)
            person = statements.find(UserTable, id=row.user_id) if row else None
            return (to_user(person), row.data) if row and person else None

        return await self._db.read(work)

    async def delete_session(self, key: str) -> None:
        await self._db.write(
            lambda: SessionTable.delete().where(SessionTable.key == key).execute(),
        )

    async def delete_expired_sessions(self) -> None:
        await self._db.write(
            lambda: SessionTable.delete().where(SessionTable.expires_at <= now()).execute(),
        )


def _standing_session(key: str) -> SessionTable | None:
    row = statements.find(SessionTable, key=key)
    return row if row is not None and row.expires_at > now() else None


def _admins() -> Any:
    return UserTable.select().where(UserTable.role == Role.ADMIN.value)


def _add_user(
    *, login: str, name: str, password_hash: str, role: Role, state: UserState, language: str
) -> User:
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
