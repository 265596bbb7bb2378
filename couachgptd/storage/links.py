"""One-time links, kept by the hash of their secret; each use is one transaction with its effect."""

from datetime import datetime

from couachgptd.core.errors import LinkInvalid, NotFound
from couachgptd.core.ids import UserId
from couachgptd.core.links import ID_LENGTH, Link, LinkKind
from couachgptd.core.users import Role, User, UserState
from couachgptd.storage.people import PeopleStore, add_user_row
from couachgptd.storage.rows import now
from couachgptd.storage.tables import LinkTable, SessionTable, UserTable


class LinkStore(PeopleStore):
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
        def work() -> Link:
            if user_id is not None:
                LinkTable.delete().where(LinkTable.user == user_id).execute()
            LinkTable.insert(
                key=key, kind=kind.value, user=user_id, uses_left=uses, created_by=created_by,
                created_at=now(), expires_at=expires_at,
            ).execute()  # fmt: skip
            return _to_link(LinkTable.get_by_id(key))

        return await self._db.write(work)

    async def links(self, kind: LinkKind) -> list[Link]:
        def work() -> list[Link]:
            rows = (
                LinkTable.select()
                .where((LinkTable.kind == kind.value) & (LinkTable.expires_at > now()))
                .order_by(LinkTable.created_at.desc())
            )
            return [_to_link(row) for row in rows]

        return await self._db.read(work)

    async def link(self, key: str, kind: LinkKind) -> Link | None:
        def work() -> Link | None:
            row = _standing(key, kind)
            return _to_link(row) if row else None

        return await self._db.read(work)

    async def delete_link(self, link_id: str) -> Link:
        def work() -> Link:
            row = LinkTable.get_or_none(LinkTable.key.startswith(link_id))
            if row is None or len(link_id) != ID_LENGTH:
                raise NotFound
            row.delete_instance()
            return _to_link(row)

        return await self._db.write(work)

    async def use_password_link(self, key: str, password_hash: str) -> UserId:
        def work() -> UserId:
            row = _standing(key, LinkKind.PASSWORD)
            if row is None or row.user_id is None:
                raise LinkInvalid
            user = UserId(row.user_id)
            UserTable.update(password_hash=password_hash).where(UserTable.id == user).execute()
            SessionTable.delete().where(SessionTable.user == user).execute()
            row.delete_instance()
            return user

        return await self._change(work)

    async def use_invitation(
        self, key: str, *, login: str, name: str, password_hash: str, language: str
    ) -> User:
        def work() -> User:
            row = _standing(key, LinkKind.INVITATION)
            if row is None:
                raise LinkInvalid
            user = add_user_row(
                login=login,
                name=name,
                password_hash=password_hash,
                role=Role.MEMBER,
                state=UserState.ACTIVE,
                language=language,
            )
            if row.uses_left > 1:
                LinkTable.update(uses_left=row.uses_left - 1).where(LinkTable.key == key).execute()
            else:
                row.delete_instance()
            return user

        return await self._db.write(work)


def _standing(key: str, kind: LinkKind) -> LinkTable | None:
    found: LinkTable | None = LinkTable.get_or_none(
        (LinkTable.key == key) & (LinkTable.kind == kind.value) & (LinkTable.expires_at > now())
    )
    return found


def _to_link(row: LinkTable) -> Link:
    return Link(
        id=row.key[:ID_LENGTH],
        kind=LinkKind(row.kind),
        user_id=None if row.user_id is None else UserId(row.user_id),
        uses_left=row.uses_left,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
