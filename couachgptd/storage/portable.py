"""Conversations that leave, read in pieces."""

from collections.abc import Sequence

from couachgptd.core.attachments import Attachment
from couachgptd.core.conversations import Author, Conversation
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import ConversationId, MessageId, UserId
from couachgptd.core.portable import Node, Written
from couachgptd.storage import statements
from couachgptd.storage.attachments import READ, attached_to_each, rows_of
from couachgptd.storage.database import Database
from couachgptd.storage.rows import to_conversation
from couachgptd.storage.tables import ConversationTable, proxy, utc

TREE = """SELECT id, parent_id FROM messages
WHERE conversation_id = ? AND deleted_at IS NULL ORDER BY id"""
# `json_each`: one statement for however many are asked for.
MESSAGES = """SELECT messages.id, parent_id, author, text, thinking, messages.created_at,
    (SELECT model FROM turns WHERE message_id = messages.id ORDER BY turns.id DESC LIMIT 1)
FROM messages JOIN conversations ON conversations.id = conversation_id
WHERE messages.id IN (SELECT value FROM json_each(?)) AND conversation_id = ? AND owner_id = ?
    AND messages.deleted_at IS NULL
ORDER BY messages.id"""
THEIRS = """(owner_id = :user AND message_id IS NULL) OR message_id IN (
    SELECT messages.id FROM messages JOIN conversations ON conversations.id = conversation_id
    WHERE conversations.owner_id = :user AND messages.deleted_at IS NULL)"""
FILES = f"{READ} WHERE {THEIRS} ORDER BY created_at, id"


class PortableStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def portable_conversations(
        self, user_id: UserId, *, with_bin: bool = False
    ) -> list[ConversationId]:
        def work() -> list[ConversationId]:
            is_wanted = ConversationTable.owner == user_id
            if not with_bin:
                is_wanted &= ConversationTable.deleted_at.is_null()
            rows = ConversationTable.select(ConversationTable.id).where(is_wanted)
            ordered = rows.order_by(ConversationTable.created_at, ConversationTable.id)
            return [ConversationId(row.id) for row in ordered]

        return await self._db.read(work)

    async def portable_files(self, user_id: UserId) -> list[Attachment]:
        def work() -> list[Attachment]:
            return [each for each, _ in rows_of(FILES, {"user": user_id})]

        return await self._db.read(work)

    async def portable_tree(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> tuple[Conversation, list[Node]]:
        def work() -> tuple[Conversation, list[Node]]:
            row = statements.find(ConversationTable, id=conversation_id, owner=user_id)
            if row is None:
                raise NotFound
            return to_conversation(row), tree_of(conversation_id)

        return await self._db.read(work)

    async def portable_messages(
        self, user_id: UserId, conversation_id: ConversationId, ids: Sequence[MessageId]
    ) -> list[Written]:
        def work() -> list[Written]:
            wanted = f"[{','.join(map(str, ids))}]"
            rows = proxy.execute_sql(MESSAGES, (wanted, conversation_id, user_id)).fetchall()
            files = attached_to_each([MessageId(row[0]) for row in rows])
            return [
                Written(
                    number, parent, Author(author), text, thinking, utc(at), model,
                    files.get(number, ()),
                )
                for number, parent, author, text, thinking, at, model in rows
            ]  # fmt: skip

        return await self._db.read(work)


def tree_of(conversation_id: ConversationId) -> list[Node]:
    """Return each message and its parent, in the transaction of the caller."""
    rows = proxy.execute_sql(TREE, (conversation_id,)).fetchall()
    return [(MessageId(number), parent) for number, parent in rows]
