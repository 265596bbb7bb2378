"""The rows of the files that people attached; their bytes are in `storage.uploads`."""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from peewee import fn

from couachgptd.core.attachments import Attachment, Extracted, Kind, Part, Received
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import AttachmentId, ConversationId, MessageId, UserId, new_attachment_id
from couachgptd.storage import statements
from couachgptd.storage.database import Database
from couachgptd.storage.rows import now
from couachgptd.storage.tables import AttachmentTable, GoneFileTable, UserTable, proxy, utc

# All but the text, which may be a megabyte.
READ = """SELECT id, owner_id, name, kind, media_type, size_bytes, stored, created_at, is_cut, part,
    message_id FROM attachments"""
# Its owner may read a file, whoever owns the conversation that it was sent in, and whom a snapshot
# that has it was shared with, as long as it is: this is the only place that decides it.
MAY_READ = """(owner_id = :user OR message_id IN (
    SELECT messages.id FROM messages JOIN conversations ON conversations.id = conversation_id
    WHERE messages.id = attachments.message_id AND conversations.owner_id = :user)
    OR EXISTS (
    SELECT 1 FROM share_files JOIN share_people USING (share_id)
        JOIN shares ON shares.id = share_files.share_id
        JOIN conversations ON conversations.id = shares.conversation_id
    WHERE attachment_id = attachments.id AND user_id = :user AND deleted_at IS NULL))"""


class AttachmentStore:
    """See `core.attachments.AttachmentStore` for what each method promises."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def add_attachment(
        self, owner_id: UserId, name: str, received: Received, found: Extracted
    ) -> Attachment:
        def work() -> Attachment:
            if statements.find(UserTable, id=owner_id) is None:
                raise NotFound
            row = statements.insert(
                AttachmentTable,
                id=new_attachment_id(),
                owner=owner_id,
                name=name,
                kind=found.kind.value,
                media_type=found.media_type,
                size_bytes=received.size_bytes,
                sha256=received.sha256,
                stored=received.stored,
                text=found.text,
                is_cut=found.is_cut,
                created_at=now(),
            )
            return _unsent(owner_id, AttachmentId(row.id))

        return await self._db.write(work)

    async def attachment(self, user_id: UserId, attachment_id: AttachmentId) -> Attachment | None:
        query = f"{READ} WHERE id = :id AND {MAY_READ}"

        def work() -> Attachment | None:
            values: Any = {"id": attachment_id, "user": user_id}
            return next((each for each, _ in rows_of(query, values)), None)

        return await self._db.read(work)

    async def attachment_texts(self, ids: Collection[AttachmentId]) -> dict[AttachmentId, str]:
        def work() -> dict[AttachmentId, str]:
            rows = AttachmentTable.select(AttachmentTable.id, AttachmentTable.text)
            found = rows.where(AttachmentTable.id.in_(list(ids)))
            return {AttachmentId(row.id): row.text or "" for row in found}

        return await self._db.read(work) if ids else {}

    async def choose_part(
        self, user_id: UserId, attachment_id: AttachmentId, part: Part | None
    ) -> Attachment:
        def work() -> Attachment:
            kept = None if part is None else part.shape
            statements.update(
                AttachmentTable, [(_unsent(user_id, attachment_id).id, {"part": kept})]
            )
            return _unsent(user_id, attachment_id)

        return await self._db.write(work)

    async def remove_attachment(self, user_id: UserId, attachment_id: AttachmentId) -> None:
        def work() -> None:
            unsent = _unsent(user_id, attachment_id)
            AttachmentTable.delete().where(AttachmentTable.id == unsent.id).execute()

        await self._db.write(work)

    async def attached_bytes(self, user_id: UserId) -> tuple[int, int]:
        def work() -> tuple[int, int]:
            total = fn.COALESCE(fn.SUM(AttachmentTable.size_bytes), 0)
            own = AttachmentTable.select(total).where(AttachmentTable.owner == user_id)
            return int(own.scalar()), int(AttachmentTable.select(total).scalar())

        return await self._db.read(work)

    async def gone_files(self) -> list[str]:
        def work() -> list[str]:
            had = AttachmentTable.select().where(AttachmentTable.stored == GoneFileTable.stored)
            return [row.stored for row in GoneFileTable.select().where(~fn.EXISTS(had))]

        return await self._db.read(work)

    async def forget_gone(self, stored: Collection[str]) -> None:
        def work() -> None:
            GoneFileTable.delete().where(GoneFileTable.stored.in_(list(stored))).execute()

        await self._db.write(work)

    async def stored_files(self) -> set[str]:
        return await self._db.read(
            lambda: {row.stored for row in AttachmentTable.select(AttachmentTable.stored)}
        )


def attach(
    user_id: UserId, message_id: MessageId, ids: Sequence[AttachmentId]
) -> tuple[Attachment, ...]:
    """Give a new message its files, in their order. Raises NotFound for one that is not one's own.

    One that another message has already becomes a second row of the same bytes.
    """
    for place, each in enumerate(ids):
        row = statements.find(AttachmentTable, id=each, owner=user_id)
        if row is None:
            raise NotFound
        here = {"message": message_id, "place": place}
        if row.message_id is None:
            statements.update(AttachmentTable, [(row.id, here)])
        else:
            copied = {**row.__data__, "id": new_attachment_id(), **here}
            statements.insert(AttachmentTable, **copied)
    return attached_to(message_id) if ids else ()


def attached_to(message_id: MessageId) -> tuple[Attachment, ...]:
    query = f"{READ} WHERE message_id = :message ORDER BY place"
    return tuple(each for each, _ in rows_of(query, {"message": message_id}))


def attached_in(conversation_id: ConversationId) -> dict[MessageId, tuple[Attachment, ...]]:
    """Return the files of a conversation, by their messages."""
    inside = "message_id IN (SELECT id FROM messages WHERE conversation_id = :conversation)"
    return _by_message(inside, {"conversation": conversation_id})


def attached_to_each(ids: Sequence[MessageId]) -> dict[MessageId, tuple[Attachment, ...]]:
    among = "message_id IN (SELECT value FROM json_each(:messages))"
    return _by_message(among, {"messages": f"[{','.join(map(str, ids))}]"})


def _by_message(which: str, values: Any) -> dict[MessageId, tuple[Attachment, ...]]:
    found: dict[MessageId, tuple[Attachment, ...]] = {}
    for each, message in rows_of(f"{READ} WHERE {which} ORDER BY message_id, place", values):
        if message is not None:
            found[message] = (*found.get(message, ()), each)
    return found


def _unsent(user_id: UserId, attachment_id: AttachmentId) -> Attachment:
    query = f"{READ} WHERE id = :id AND owner_id = :user AND message_id IS NULL"
    values: Any = {"id": attachment_id, "user": user_id}
    found = next((each for each, _ in rows_of(query, values)), None)
    if found is None:
        raise NotFound
    return found


def rows_of(query: str, values: Any) -> Iterator[tuple[Attachment, MessageId | None]]:
    """Yield each file that a query, which begins with `READ`, finds, and its message."""
    for row in proxy.execute_sql(query, values).fetchall():
        number, owner, name, kind, media_type, size, stored, at, is_cut, part, message = row
        yield (
            Attachment(
                id=AttachmentId(number),
                owner_id=UserId(owner),
                name=name,
                kind=Kind(kind),
                media_type=media_type,
                size_bytes=size,
                stored=stored,
                created_at=utc(at),
                is_cut=bool(is_cut),
                part=None if part is None else Part.read(json.loads(part)),
                is_sent=message is not None,
            ),
            None if message is None else MessageId(message),
        )
