"""Conversations that leave: our own JSON format, Markdown, and the names of their files."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from couachgptd.core import wire
from couachgptd.core.attachments import Attachment, Kind
from couachgptd.core.conversations import Author, Conversation
from couachgptd.core.errors import NotFound
from couachgptd.core.ids import ConversationId, FolderId, MessageId, UserId
from couachgptd.core.ratings import OwnRating
from couachgptd.core.users import User

FORMAT = "couachgpt.conversations"
VERSION = 1
NAME_MAX_LENGTH = 80
NAMELESS = "conversation"
ANSWERED_BY_UNKNOWN = "Assistant"  # the same word in both languages

EVERYTHING = "couachgpt.json"  # the member of the zip that says what all others are
FILES = "files"  # where those are
ENDING_MAX_LENGTH = 10

Node = tuple[MessageId, MessageId | None]
Members = Mapping[str, str | None]  # by the name under which a file is stored


class Form(StrEnum):
    """What a file of conversations is written in."""

    JSON = "json"
    MARKDOWN = "md"


@dataclass(frozen=True, slots=True)
class Written:
    """A message as files have it; `model` is who answered, None for a person or where unknown."""

    id: int
    parent: int | None
    author: Author
    text: str
    thinking: str
    created_at: datetime
    model: str | None = None
    attachments: tuple[Attachment, ...] = ()


class PortableStore(Protocol):
    """A part of `core.ports.Store`: what a person may take away is what is theirs."""

    async def portable_conversations(
        self, user_id: UserId, *, with_bin: bool = False
    ) -> list[ConversationId]:
        """Return what is on the list and in the archive, the oldest first."""
        ...

    async def portable_files(self, user_id: UserId) -> list[Attachment]:
        """Return the files of one's conversations on any shelf, and one's own that wait unsent."""
        ...

    async def portable_tree(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> tuple[Conversation, list[Node]]:
        """Return a conversation on any shelf and each message's parent. Raises NotFound."""
        ...

    async def portable_messages(
        self, user_id: UserId, conversation_id: ConversationId, ids: Sequence[MessageId]
    ) -> list[Written]:
        """Return these messages, by id; what is not there any more, or another's, is left out."""
        ...


def branch_ids(tree: Sequence[Node], leaf: MessageId | None) -> list[MessageId]:
    """Return the branch that ends at `leaf`, or at the newest message, from its root on.

    Raises NotFound for a leaf that is not in the tree.
    """
    parents = dict(tree)
    if leaf is not None and leaf not in parents:
        raise NotFound
    branch: list[MessageId] = []
    current = max(parents, default=None) if leaf is None else leaf
    while current is not None and current in parents and len(branch) < len(parents):
        branch.append(current)
        current = parents[current]
    return branch[::-1]


def moment(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


# --- JSON, bit by bit: docs/export.md says what each field is -------------------------------------


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def json_begin(exported_at: datetime) -> str:
    head = {"format": FORMAT, "version": VERSION, "exported_at": moment(exported_at)}
    return f'{_dumped(head)[:-1]},"conversations":['


def json_end(more: Mapping[str, Any]) -> str:
    """Return the end of a file; an import reads no further than the list of conversations."""
    return "]" + "".join(f",\n{_dumped(name)}:{_dumped(more[name])}" for name in more) + "}\n"


CONVERSATION_END = "]}"


def conversation_begin(fields: dict[str, Any], *, is_first: bool) -> str:
    return f'{"" if is_first else ","}\n{_dumped(fields)[:-1]},"messages":['


def conversation_fields(value: Conversation) -> dict[str, Any]:
    return {
        "id": value.id,
        "title": value.title,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
        "is_title_own": value.is_title_own,
        "is_pinned": value.is_pinned,
        "is_archived": value.is_archived,
    }


def shelf_fields(value: Conversation, folders: Mapping[FolderId, str]) -> dict[str, Any]:
    inside = value.folder_id
    return {
        "folder": None if inside is None else folders.get(inside),
        "deleted_at": None if value.deleted_at is None else moment(value.deleted_at),
    }


def file_fields(value: Attachment, members: Members | None) -> dict[str, Any]:
    """Return a file as everybody is told of it, and which member of the zip it is, if any."""
    shape = wire.attachment(value)
    return shape if members is None else {**shape, "file": members.get(value.stored)}


def profile_fields(value: User) -> dict[str, Any]:
    return {
        "login": value.login,
        "name": value.name,
        "role": value.role.value,
        "created_at": moment(value.created_at),
        "language": value.language,
        "zone": value.zone,
        "model": value.model,
    }


def rating_fields(value: OwnRating) -> dict[str, Any]:
    return {
        "conversation": value.conversation,
        "message": value.message,
        "value": value.rating.thumb.value,
        "word": value.rating.word,
        "model": value.rating.model,
        "at": moment(value.rating.at),
    }


def message_json(value: Written, members: Members | None = None, *, is_first: bool) -> str:
    fields = {
        "id": value.id,
        "parent": value.parent,
        "author": value.author.value,
        "model": value.model,
        "created_at": moment(value.created_at),
        "text": value.text,
        "thinking": value.thinking,
        "attachments": [file_fields(each, members) for each in value.attachments],
    }
    return f"{'' if is_first else ','}\n{_dumped(fields)}"


# --- Markdown -------------------------------------------------------------------------------------

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!&])")


def escaped(text: str) -> str:
    """Return a line in which Markdown finds no mark of its own."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def markdown_begin(title: str, created_at: datetime) -> str:
    return f"# {escaped(title) or NAMELESS}\n\n{created_at:%Y-%m-%d %H:%M} UTC\n"


def message_markdown(value: Written, person: str, file: str) -> str:
    """Return a heading and the text as it was written: an answer is Markdown already.

    `file` is what says that there was one, in the reader's language, with `{name}` in it.
    """
    name = person if value.author is Author.PERSON else value.model or ANSWERED_BY_UNKNOWN
    at = f"{value.created_at:%Y-%m-%d %H:%M} UTC"
    names = (file.format(name=escaped(each.name)) for each in value.attachments)
    files = "".join(f"- {each}\n" for each in names)
    said = [part for part in (files, f"{value.text.strip()}\n") if part.strip()]
    return "\n".join([f"\n## {escaped(name)} · {at}\n", *said])


# --- names ----------------------------------------------------------------------------------------


def file_name(title: str, created_at: datetime, form: str) -> str:
    """Return a name that no system mistakes for a path, a device, or something hidden.

    It begins with the date: so no title alone decides it, and files sort as they were begun.
    """
    kept = (
        char if char.isalnum() or char in " -_'’,." else " "
        for char in unicodedata.normalize("NFC", title)
    )
    words = " ".join("".join(kept).split())
    head = words[:NAME_MAX_LENGTH].strip(" .") or NAMELESS
    return f"{created_at:%Y-%m-%d} {head}.{form}"


_ENDINGS = {Kind.TEXT: "txt", Kind.IMAGE: "png"}  # of what has none; a viewer looks inside


def member_name(file: Attachment, taken: dict[str, int]) -> str:
    """Return where a file is in a zip: nothing of its own name decides more than how it reads."""
    stem, _, ending = file.name.rpartition(".")
    if not (stem and ending.isascii() and ending.isalnum() and len(ending) <= ENDING_MAX_LENGTH):
        stem, ending = file.name, _ENDINGS.get(file.kind, file.kind.value)
    return f"{FILES}/{unique(file_name(stem, file.created_at, ending), taken)}"


def unique(name: str, taken: dict[str, int]) -> str:
    """Return the name, numbered where `taken`, which counts them, has it in whatever case."""
    count = taken[name.casefold()] = taken.get(name.casefold(), 0) + 1
    stem, _, form = name.rpartition(".")
    return name if count == 1 else f"{stem} ({count}).{form}"  # no name of ours has parentheses
