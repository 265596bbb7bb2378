"""Thumbs up and down: which answers may be rated, and what a press makes of a rating."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from couachgptd.core.conversations import Author, Conversation, Message, Rating, Thumb
from couachgptd.core.errors import BadRequest, NotFound, TurnRunning
from couachgptd.core.ids import ConversationId, MessageId, UserId

WORD_MAX_LENGTH = 500  # characters; the table's own check says so, too
COUNTED_DAYS, COUNTED_DAYS_MOST = 30, 3650
MODEL_UNKNOWN = "?"


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says of an answer; no thumb takes back what they said before."""

    thumb: Thumb | None
    word: str = ""


@dataclass(frozen=True, slots=True)
class OwnRating:
    """A rating as its person takes it away."""

    conversation: ConversationId
    message: MessageId
    rating: Rating


@dataclass(frozen=True, slots=True)
class Count:
    """How often the answers of a model were found good and bad."""

    model: str
    up: int
    down: int


class RatingStore(Protocol):
    """A part of `core.ports.Store`."""

    async def rate(
        self, user_id: UserId, message_id: MessageId, given: Given
    ) -> tuple[Conversation, Message]:
        """Keep what a person says of an answer of their own conversations.

        Returns the message as it is then. Raises NotFound, TurnRunning, BadRequest.
        """
        ...

    async def ratings_of(self, user_id: UserId) -> list[OwnRating]:
        """Return all ratings of a person, the oldest first."""
        ...

    async def count_ratings(self, since: datetime) -> list[Count]:
        """Count the ratings since then, by the models' names: never who gave them, nor a word."""
        ...


def checked(value: object, word: str) -> Given:
    """Read what came from outside. Raises BadRequest."""
    if value is not None and (type(value) is not int or value not in tuple(Thumb)):
        raise BadRequest(reason="value")
    shown = "".join(" " if unicodedata.category(each) == "Cc" else each for each in word)
    said = " ".join(shown.split())
    if len(said) > WORD_MAX_LENGTH:
        raise BadRequest(reason="word")
    return Given(None if value is None else Thumb(value), said)


def decide(message: Message, given: Given, at: datetime) -> Rating | None:
    """Return what is kept of an answer from then on; the same said twice is kept as it was.

    Raises NotFound for a question, TurnRunning for an answer that is not whole yet, BadRequest for
    one of which nothing came.
    """
    if message.author is not Author.MODEL:
        raise NotFound
    if message.turn is not None and not message.turn.state.is_final:
        raise TurnRunning
    if not message.text.strip():
        raise BadRequest(reason="message")
    if given.thumb is None:
        return None
    before = message.rating
    if before is not None and (before.thumb, before.word) == (given.thumb, given.word):
        return before
    model = MODEL_UNKNOWN if message.turn is None else message.turn.model
    return Rating(given.thumb, given.word, model, at)
