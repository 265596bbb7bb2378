"""What people look for in titles, messages and names of files: indexes kept by triggers.

The schema is in `migrations/*_search.py`. Which rows a person may find is said by the tables; the
owner in the index only saves walking through everybody else's.
"""

import logging
import sqlite3
from typing import Any

import peewee

from couachgptd.core.conversations import Author
from couachgptd.core.ids import MessageId, UserId
from couachgptd.core.search import (
    PART_BEGINS,
    PART_ENDS,
    Found,
    FoundFile,
    FoundMessage,
    FoundTitle,
    parts,
    sought,
    window,
)
from couachgptd.storage.database import Database
from couachgptd.storage.rows import to_conversation
from couachgptd.storage.tables import ConversationTable, proxy, utc

log = logging.getLogger(__name__)

FOUND_TITLES = 5
FOUND_FILES = 5
INDEXES = {
    "message_index": "SELECT id FROM searched_messages",
    "title_index": "SELECT number FROM searched_titles",
    "file_index": "SELECT number FROM searched_files",
}

# CROSS JOIN: the index leads, newest first, and ends at the limit.
MESSAGES = """
SELECT messages.id, messages.author, messages.created_at, messages.text, conversations.id
FROM message_index
CROSS JOIN messages ON messages.id = message_index.rowid
CROSS JOIN conversations ON conversations.id = messages.conversation_id
WHERE message_index MATCH ? AND message_index.rowid < ?
    AND conversations.owner_id = ? AND conversations.deleted_at IS NULL
    AND messages.deleted_at IS NULL
ORDER BY message_index.rowid DESC LIMIT ?"""
TITLES = f"""
SELECT highlight(title_index, 0, '{PART_BEGINS}', '{PART_ENDS}'), conversations.id
FROM title_index
CROSS JOIN conversation_numbers ON number = title_index.rowid
CROSS JOIN conversations ON conversations.id = conversation_id
WHERE title_index MATCH ? AND conversations.owner_id = ? AND conversations.deleted_at IS NULL
ORDER BY conversations.updated_at DESC LIMIT ?"""  # noqa: S608 -- constants of ours
FILES = f"""
SELECT messages.id, messages.created_at,
    highlight(file_index, 0, '{PART_BEGINS}', '{PART_ENDS}'), conversations.id
FROM file_index
CROSS JOIN searched_files ON number = file_index.rowid
CROSS JOIN attachments ON attachments.id = attachment_id
CROSS JOIN messages ON messages.id = attachments.message_id
CROSS JOIN conversations ON conversations.id = messages.conversation_id
WHERE file_index MATCH ? AND conversations.owner_id = ? AND conversations.deleted_at IS NULL
    AND messages.deleted_at IS NULL
ORDER BY file_index.rowid DESC LIMIT ?"""  # noqa: S608 -- constants of ours
NEWEST = 2**63 - 1


class SearchStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def search(
        self, user_id: UserId, expression: str, *, before: MessageId | None, limit: int
    ) -> Found:
        own = f'{{owner}} : "u{user_id:d}" AND'

        def work() -> Found:
            titles, files = [], []
            if before is None:
                titles = _rows(TITLES, f"{own} {{title}} : ({expression})", user_id, FOUND_TITLES)
                files = _rows(FILES, f"{own} {{name}} : ({expression})", user_id, FOUND_FILES)
            from_here = NEWEST if before is None else before
            words = sought(expression)
            rows = proxy.execute_sql(
                MESSAGES, (f"{own} {{text}} : ({expression})", from_here, user_id, limit + 1)
            )
            # One after the other: of long texts only what is shown is held.
            messages = [(*told, window(text, words), of) for *told, text, of in rows]
            has_more = len(messages) > limit
            return _found(titles, messages[:limit], files, has_more=has_more)

        return await self._db.read(work)


def _rows(query: str, *values: Any) -> list[Any]:
    return list(proxy.execute_sql(query, values).fetchall())


def _found(titles: list[Any], messages: list[Any], files: list[Any], *, has_more: bool) -> Found:
    ids = {row[-1] for row in (*titles, *messages, *files)}
    rows = ConversationTable.select().where(ConversationTable.id.in_(ids))
    conversations = {row.id: to_conversation(row) for row in rows}
    return Found(
        [FoundTitle(conversations[own], parts(marked)) for marked, own in titles],
        [
            FoundMessage(
                conversations[own], MessageId(number), Author(author), utc(at), parts(marked)
            )
            for number, author, at, marked, own in messages
        ],
        has_more,
        [
            FoundFile(conversations[own], MessageId(number), utc(at), parts(marked))
            for number, at, marked, own in files
        ],
    )


# --- kept in order --------------------------------------------------------------------------------


def complaints_of(connection: sqlite3.Connection) -> list[str]:
    """Say which index lacks rows or has too many; nothing where all is well. It only reads."""
    complaints = []
    for index, rows in INDEXES.items():
        known = f"SELECT id FROM {index}_docsize"  # noqa: S608 -- names of ours
        lacking = _count(connection, f"{rows} EXCEPT {known}")
        spare = _count(connection, f"{known} EXCEPT {rows}")
        if lacking or spare:
            complaints.append(
                f"{index}: {lacking} rows are missing, {spare} too many; vacuum makes it anew"
            )
    return complaints


def _count(connection: sqlite3.Connection, rows: str) -> int:
    (count,) = connection.execute(f"SELECT count(*) FROM ({rows})").fetchone()  # noqa: S608 -- ours
    return int(count)


def mend() -> None:
    """Make an index anew where it disagrees with its rows; drop deleted words from the others."""
    for index in INDEXES:
        command = f"INSERT INTO {index} ({index}, rank) VALUES (?, 1)"  # noqa: S608 -- names of ours
        try:
            proxy.execute_sql(command, ("integrity-check",))
            proxy.execute_sql(command, ("optimize",))
        except peewee.DatabaseError:
            log.warning("an index of search is made anew", extra={"index": index})
            proxy.execute_sql(command, ("rebuild",))
