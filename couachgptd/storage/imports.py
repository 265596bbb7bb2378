"""Conversations that came from elsewhere, kept: each whole, and once."""

from collections.abc import Sequence

from couachgptd.core.conversations import Author, ConversationKind
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import ConversationId, MessageId, UserId, new_conversation_id
from couachgptd.core.import_trees import FILE, Came, Imported
from couachgptd.core.imports import Taken
from couachgptd.core.turns import TurnSource, TurnState
from couachgptd.core.users import UserState
from couachgptd.storage import statements
from couachgptd.storage.attachments import attach
from couachgptd.storage.database import Database
from couachgptd.storage.rows import now
from couachgptd.storage.tables import ConversationTable, MessageTable, TurnTable, UserTable

UNKNOWN_MODEL = "?"
NO_FILES: Taken = {}


class ImportStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def has_imported(self, user_id: UserId, value: Imported) -> bool:
        return await self._db.read(lambda: _has(user_id, value))

    async def add_imported(
        self, user_id: UserId, value: Imported, files: Taken
    ) -> ConversationId | None:
        def work() -> ConversationId | None:
            if statements.find(UserTable, id=user_id, state=UserState.ACTIVE.value) is None:
                raise NotFound
            return None if _has(user_id, value) else add_whole(user_id, value, files)

        return await self._db.write(work)

    async def remove_imported(self, user_id: UserId, ids: Sequence[ConversationId]) -> None:
        def work() -> None:
            ConversationTable.delete().where(
                (ConversationTable.owner == user_id) & ConversationTable.id.in_(ids)
            ).execute()

        await self._db.write(work)


def _has(user_id: UserId, value: Imported) -> bool:
    if statements.find(ConversationTable, owner=user_id, origin=value.origin):
        return True
    own = value.own_id
    return bool(own and statements.find(ConversationTable, owner=user_id, id=own))


def add_whole(user_id: UserId, value: Imported, files: Taken = NO_FILES) -> ConversationId:
    """Insert a conversation with its messages, in the transaction of the caller."""
    conversation = statements.insert(
        ConversationTable,
        id=new_conversation_id(),
        kind=ConversationKind.CHAT.value,
        owner=user_id,
        title=value.title,
        created_at=value.created_at,
        updated_at=value.updated_at,
        is_title_own=value.is_title_own,
        is_pinned=value.is_pinned,
        is_archived=value.is_archived,
        # Its days in the bin begin again: nobody brings what is gone the next night.
        deleted_at=now() if value.is_binned else None,
        origin=value.origin or None,
    )
    ids: list[int] = []
    for place, message in enumerate(value.messages):
        taken = files.get(place, ())
        is_person = message.author is Author.PERSON
        row = statements.insert(
            MessageTable,
            conversation=conversation.id,
            parent=None if message.parent is None else ids[message.parent],
            author=message.author.value,
            author_user=user_id if is_person else None,
            text="" if taken and message.text == FILE else message.text,
            thinking=message.thinking,
            created_at=message.at,
        )
        ids.append(row.id)
        attach(user_id, MessageId(row.id), taken)
        if not is_person:
            _add_turn(user_id, conversation.id, row.id, message)
    return ConversationId(conversation.id)


def _add_turn(user_id: UserId, conversation_id: str, message_id: int, message: Came) -> None:
    """An answer has a turn that says who gave it, and that it has ended."""
    statements.insert(
        TurnTable,
        conversation=conversation_id,
        message=message_id,
        asker=user_id,
        source=TurnSource.CHAT.value,
        state=TurnState.DONE.value,
        attempt=1,
        model=message.model or UNKNOWN_MODEL,
        options={},
        queued_at=message.at,
        finished_at=message.at,
        finish_reason="stop",
    )
