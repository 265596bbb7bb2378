"""Conversations and their messages, a tree in which an edit or a new answer is a branch."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from couachgptd.core.attachments import Attachment
from couachgptd.core.choices import NOTHING_CHOSEN, Choices
from couachgptd.core.errors import TitleInvalid
from couachgptd.core.ids import ConversationId, FolderId, MessageId, UserId
from couachgptd.core.lines import one_line
from couachgptd.core.turns import Turn

TITLE_MAX_LENGTH = 60
OWN_TITLE_MAX_LENGTH = 120  # of one that a person writes


class ConversationKind(StrEnum):
    CHAT = "chat"
    ROOM = "room"


class Author(StrEnum):
    PERSON = "person"
    MODEL = "model"


class Thumb(IntEnum):
    UP = 1
    DOWN = -1


class Shelf(StrEnum):
    """Where a person's conversation is; what is in the bin is nowhere else."""

    LIST = "list"
    ARCHIVE = "archive"
    BIN = "bin"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation; `is_title_own` where its owner wrote the title: no rule touches that one.

    `deleted_at` is when it went to the bin. `folder_id` may be that of a folder which is gone.
    """

    id: ConversationId
    kind: ConversationKind
    owner_id: UserId
    title: str
    created_at: datetime
    updated_at: datetime
    is_title_own: bool = False
    is_pinned: bool = False
    is_archived: bool = False
    deleted_at: datetime | None = None
    choices: Choices = NOTHING_CHOSEN
    folder_id: FolderId | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation stands on its shelf: asked for as the one before the older ones.

    `at` is its `updated_at`, in the bin its `deleted_at`; only the list knows those pinned.
    """

    at: datetime
    id: ConversationId
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class Rating:
    """What a person thinks of an answer; `model` is who had written it by then."""

    thumb: Thumb
    word: str
    model: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """What a person or a model wrote; `author_id` is None for a model.

    `client_id` is chosen by the author's browser: a message sent twice with it is one message.
    `rating` is its conversation's owner's.
    """

    id: MessageId
    conversation_id: ConversationId
    parent_id: MessageId | None
    author: Author
    author_id: UserId | None
    client_id: str | None
    text: str
    thinking: str
    created_at: datetime
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    turn: Turn | None = None
    attachments: tuple[Attachment, ...] = ()
    rating: Rating | None = None


def title_from(question: str) -> str:
    """Return a title made by rule: the first line of the question that says something."""
    lines = (" ".join(line.lstrip("#>-* \t").split()) for line in question.splitlines())
    # A question of marks alone still needs a name in the list.
    line = next(filter(None, lines), "") or " ".join(question.split())
    if len(line) <= TITLE_MAX_LENGTH:
        return line
    head = line[:TITLE_MAX_LENGTH]
    cut = head.rfind(" ")
    return f"{head[: cut if cut > TITLE_MAX_LENGTH // 2 else TITLE_MAX_LENGTH].rstrip(' ,;:.')}…"


def own_title(text: str) -> str:
    """Return a title as a person wrote it, in one line. Raises TitleInvalid."""
    title = one_line(text)
    if not 0 < len(title) <= OWN_TITLE_MAX_LENGTH:
        raise TitleInvalid(max_length=OWN_TITLE_MAX_LENGTH)
    return title


def branch_to(messages: Iterable[Message], leaf: MessageId) -> list[Message]:
    """Return the messages from the root to `leaf`, in order; unknown parents end the walk."""
    by_id = {message.id: message for message in messages}
    branch: list[Message] = []
    current = by_id.get(leaf)
    while current is not None:
        branch.append(current)
        current = by_id.get(current.parent_id) if current.parent_id is not None else None
    branch.reverse()
    return branch
