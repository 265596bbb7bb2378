"""What people think of answers, kept: each goes with its message, its conversation, its person."""

from datetime import datetime
from typing import Any

from couachgptd.core.conversations import Rating, Thumb
from couachgptd.core.ids import ConversationId, MessageId, UserId
from couachgptd.core.ratings import Count, OwnRating
from couachgptd.storage.database import Database
from couachgptd.storage.tables import RatingTable, UtcField, proxy, utc

# Whoever owns a conversation is who reads it; nobody else's thumb is ever told.
OF_CONVERSATION = """SELECT message_id, value, word, ratings.model, at
FROM conversations JOIN messages ON conversation_id = conversations.id
    JOIN ratings ON message_id = messages.id AND user_id = owner_id
WHERE conversations.id = ?"""
OF_PERSON = """SELECT conversation_id, message_id, value, word, model, at
FROM ratings JOIN messages ON messages.id = message_id
WHERE user_id = ? ORDER BY at, message_id"""
COUNTS = """SELECT model, sum(value = 1), sum(value = -1) FROM ratings
WHERE at >= ? GROUP BY model ORDER BY model"""


class RatingStore:
    """See `core.ratings.RatingStore`; what rates is with the messages, in `storage.chats`."""

    def __init__(self, database: Database) -> None:
        self._db = database

    async def ratings_of(self, user_id: UserId) -> list[OwnRating]:
        def work() -> list[OwnRating]:
            return [
                OwnRating(ConversationId(own), MessageId(message), _to_rating(*row))
                for own, message, *row in _rows(OF_PERSON, user_id)
            ]

        return await self._db.read(work)

    async def count_ratings(self, since: datetime) -> list[Count]:
        moment = UtcField().db_value(since)
        return await self._db.read(lambda: [Count(*row) for row in _rows(COUNTS, moment)])


def ratings_in(conversation_id: ConversationId) -> dict[MessageId, Rating]:
    """Return what its owner thinks of the answers of a conversation."""
    return {
        MessageId(message): _to_rating(*row)
        for message, *row in _rows(OF_CONVERSATION, conversation_id)
    }


def keep_rating(user_id: UserId, message_id: MessageId, rating: Rating | None) -> None:
    """Keep a rating in the place of the one before, or none."""
    own: Any = (RatingTable.message == message_id) & (RatingTable.user == user_id)
    RatingTable.delete().where(own).execute()
    if rating is not None:
        RatingTable.insert(
            message=message_id,
            user=user_id,
            value=rating.thumb.value,
            word=rating.word,
            model=rating.model,
            at=rating.at,
        ).execute()


def _rows(query: str, value: Any) -> list[Any]:
    return list(proxy.execute_sql(query, (value,)).fetchall())


def _to_rating(value: int, word: str, model: str, at: int) -> Rating:
    return Rating(Thumb(value), word, model, utc(at))
