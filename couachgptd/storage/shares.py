"""Snapshots that colleagues may read, kept apart from the conversations they are of."""

from typing import Any

from couachgptd.core.attachments import Attachment
from couachgptd.core.conversations import Author, Conversation
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import ConversationId, MessageId, UserId
from couachgptd.core.import_trees import Came, Imported
from couachgptd.core.portable import Written, branch_ids
from couachgptd.core.shares import (
    PEOPLE_MAX,
    Colleague,
    PersonUnknown,
    Share,
    Shared,
    SharedEnough,
    ShareId,
    new_share_id,
)
from couachgptd.core.users import UserState
from couachgptd.storage import share_files, statements
from couachgptd.storage.database import Database
from couachgptd.storage.imports import add_whole
from couachgptd.storage.portable import tree_of
from couachgptd.storage.rows import now, to_conversation
from couachgptd.storage.tables import (
    ConversationTable,
    ShareMessageTable,
    SharePersonTable,
    ShareTable,
    UserTable,
    proxy,
    utc,
)

COPY = """INSERT INTO share_messages (share_id, number, author, text, model, created_at)
SELECT ?, key, author, text,
    (SELECT model FROM turns WHERE message_id = messages.id ORDER BY turns.id DESC LIMIT 1),
    created_at
FROM json_each(?) JOIN messages ON messages.id = value
WHERE deleted_at IS NULL AND NOT is_growing"""
# Who may see which, in one place. The owner may: what colleagues see is theirs.
SEEN = """SELECT shares.id, shares.title, users.login, users.name, shares.created_at,
    (SELECT count(*) FROM share_messages WHERE share_id = shares.id)
FROM shares JOIN conversations ON conversations.id = conversation_id
    JOIN users ON users.id = owner_id
WHERE conversations.deleted_at IS NULL AND """
IS_LET_IN = "EXISTS (SELECT 1 FROM share_people WHERE share_id = shares.id AND user_id = ?)"
LIST = f"{SEEN} {IS_LET_IN} ORDER BY shares.created_at DESC"
ONE = f"{SEEN} shares.id = ? AND (owner_id = ? OR {IS_LET_IN})"


class ShareStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def share_of(self, user_id: UserId, conversation_id: ConversationId) -> Share | None:
        def work() -> Share | None:
            _own(user_id, conversation_id)
            share = statements.find(ShareTable, conversation=conversation_id)
            return None if share is None else _to_share(share)

        return await self._db.read(work)

    async def add_to_share(
        self, user_id: UserId, conversation_id: ConversationId, login: str, leaf: MessageId | None
    ) -> Share:
        def work() -> Share:
            conversation = _own(user_id, conversation_id)
            person = statements.find(UserTable, login=login, state=UserState.ACTIVE.value)
            if person is None or person.id == user_id:
                raise PersonUnknown
            share = statements.find(ShareTable, conversation=conversation_id)
            if share is None:
                share = statements.insert(
                    ShareTable, id=new_share_id(), conversation=conversation_id, title="",
                    created_at=now(),
                )  # fmt: skip
                _fill(share, conversation, leaf)
            people = SharePersonTable.select().where(SharePersonTable.share == share.id)
            if people.count() >= PEOPLE_MAX:
                raise SharedEnough(limit=PEOPLE_MAX)
            SharePersonTable.insert(
                share=share.id, user=person.id, created_at=now()
            ).on_conflict_ignore().execute()
            return _to_share(share)

        return await self._db.write(work)

    async def renew_share(
        self, user_id: UserId, conversation_id: ConversationId, leaf: MessageId | None
    ) -> Share:
        def work() -> Share:
            conversation = _own(user_id, conversation_id)
            share = statements.find(ShareTable, conversation=conversation_id)
            if share is None:
                raise NotFound
            ShareMessageTable.delete().where(ShareMessageTable.share == share.id).execute()
            _fill(share, conversation, leaf)
            return _to_share(share)

        return await self._db.write(work)

    async def remove_from_share(
        self, user_id: UserId, conversation_id: ConversationId, login: str | None
    ) -> Share | None:
        def work() -> Share | None:
            _own(user_id, conversation_id)
            share = statements.find(ShareTable, conversation=conversation_id)
            if share is None:
                return None
            if login is not None:
                who = UserTable.select(UserTable.id).where(UserTable.login == login)
                SharePersonTable.delete().where(
                    (SharePersonTable.share == share.id) & SharePersonTable.user.in_(who)
                ).execute()
            left = SharePersonTable.select().where(SharePersonTable.share == share.id).exists()
            if login is None or not left:
                ShareTable.delete().where(ShareTable.id == share.id).execute()
                return None
            return _to_share(share)

        return await self._db.write(work)

    async def shared_with(self, user_id: UserId) -> list[Shared]:
        return await self._db.read(lambda: [_to_shared(row) for row in _rows(LIST, user_id)])

    async def shared(self, user_id: UserId, share_id: ShareId) -> Shared:
        return await self._db.read(lambda: _seen(user_id, share_id))

    async def shared_messages(
        self, user_id: UserId, share_id: ShareId, after: int, limit: int
    ) -> list[Written]:
        def work() -> list[Written]:
            if not _rows(ONE, share_id, user_id, user_id):
                return []
            rows = (
                ShareMessageTable.select()
                .where((ShareMessageTable.share == share_id) & (ShareMessageTable.number > after))
                .order_by(ShareMessageTable.number)
                .limit(limit)
            )
            files = share_files.files_in(share_id, [row.number for row in rows])
            return [_to_written(row, files.get(row.number, ())) for row in rows]

        return await self._db.read(work)

    async def fork_share(self, user_id: UserId, share_id: ShareId) -> Conversation:
        def work() -> Conversation:
            seen = _seen(user_id, share_id)
            rows = (
                ShareMessageTable.select()
                .where(ShareMessageTable.share == share_id)
                .order_by(ShareMessageTable.number)
            )
            messages = tuple(
                Came(
                    at - 1 if at else None, Author(row.author), row.text, "", row.created_at,
                    row.model,
                )
                for at, row in enumerate(rows)
            )  # fmt: skip
            made = add_whole(user_id, Imported(seen.title, now(), now(), messages, origin=""))
            share_files.fork(user_id, share_id, [row.number for row in rows], made)
            return to_conversation(ConversationTable.get_by_id(made))

        return await self._db.write(work)

    async def colleagues(self, user_id: UserId) -> list[Colleague]:
        def work() -> list[Colleague]:
            rows = (
                UserTable.select()
                .where((UserTable.id != user_id) & (UserTable.state == UserState.ACTIVE.value))
                .order_by(UserTable.name, UserTable.login)
            )
            return [Colleague(row.login, row.name) for row in rows]

        return await self._db.read(work)


def _rows(query: str, *values: Any) -> list[Any]:
    return list(proxy.execute_sql(query, values).fetchall())


def _own(user_id: UserId, conversation_id: ConversationId) -> ConversationTable:
    row = statements.find(ConversationTable, id=conversation_id, owner=user_id)
    if row is None or row.deleted_at is not None:
        raise NotFound
    return row


def _fill(share: ShareTable, conversation: ConversationTable, leaf: MessageId | None) -> None:
    """Copy a branch into a share without messages. Raises NotFound."""
    branch = branch_ids(tree_of(ConversationId(conversation.id)), leaf)
    proxy.execute_sql(COPY, (share.id, f"[{','.join(map(str, branch))}]"))
    share_files.fill(ShareId(share.id), branch)
    share.title, share.created_at = conversation.title, now()
    statements.update(
        ShareTable, [(share.id, {"title": share.title, "created_at": share.created_at})]
    )


def _seen(user_id: UserId, share_id: ShareId) -> Shared:
    found = _rows(ONE, share_id, user_id, user_id)
    if not found:
        raise NotFound
    return _to_shared(found[0])


def _to_shared(row: Any) -> Shared:
    share_id, title, login, name, created_at, messages = row
    return Shared(ShareId(share_id), title, Colleague(login, name), utc(created_at), messages)


def _to_share(row: ShareTable) -> Share:
    people = (
        UserTable.select()
        .join(SharePersonTable)
        .where(SharePersonTable.share == row.id)
        .order_by(UserTable.name, UserTable.login)
    )
    messages = ShareMessageTable.select().where(ShareMessageTable.share == row.id)
    return Share(
        ShareId(row.id),
        row.created_at,
        messages.count(),
        tuple(Colleague(each.login, each.name) for each in people),
    )


def _to_written(row: ShareMessageTable, files: tuple[Attachment, ...]) -> Written:
    return Written(
        row.number,
        row.number - 1 if row.number else None,
        Author(row.author),
        row.text,
        "",
        row.created_at,
        row.model,
        files,
    )
