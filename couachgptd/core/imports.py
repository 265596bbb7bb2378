"""Conversations that come in: ours, ChatGPT's and Open WebUI's, each as one tree of messages.

Nothing in a file is believed: types, times, parents may be anything. What cannot be read is left
out and told; what can be is kept with its dates and its branches.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from couachgptd.core.attachments import Part
from couachgptd.core.conversations import Author
from couachgptd.core.errors import BadRequest, CouachError
from couachgptd.core.ids import AttachmentId, ConversationId, UserId
from couachgptd.core.import_trees import FILE, CameFile, Imported, Node, Outside, Skipped, built
from couachgptd.core.import_values import (
    Json,
    iso_time_of,
    key_of,
    model_of,
    objects_of,
    text_of,
    time_of,
    title_of,
)
from couachgptd.core.portable import FORMAT, VERSION

ELEMENT_MAX_LENGTH = 8 * 1024 * 1024  # characters of JSON of one conversation


class ImportUnknown(CouachError):
    """The file is JSON, but no conversation was found in it."""

    code = "import_unknown"


class ImportStalled(CouachError):
    """The rest of the file did not come. Fields: `seconds` without a byte."""

    code = "import_stalled"


class ImportTooNew(CouachError):
    """A later version of our own format. Fields: `version`."""

    code = "import_too_new"


class ImportTooLarge(CouachError):
    """Fields: `limit_bytes`."""

    code = "import_too_large"


class ImportLocked(CouachError):
    """The zip is locked with a password."""

    code = "import_locked"


class ImportRunning(CouachError):
    """This person is bringing in another file already."""

    code = "import_running"


# The files that were taken in, unsent yet, by the place of their message.
Taken = Mapping[int, Sequence[AttachmentId]]


class ImportStore(Protocol):
    """A part of `core.ports.Store`. Each method is one transaction."""

    async def has_imported(self, user_id: UserId, value: Imported) -> bool:
        """Return whether the person has it already, on whatever shelf."""
        ...

    async def add_imported(
        self, user_id: UserId, value: Imported, files: Taken
    ) -> ConversationId | None:
        """Keep a whole conversation; None where the person has it already, on whatever shelf.

        Raises NotFound where the account has gone or was suspended, or a file has gone, meanwhile.
        """
        ...

    async def remove_imported(self, user_id: UserId, ids: Sequence[ConversationId]) -> None:
        """Take back what an import has added before it failed."""
        ...


def check_head(head: Json) -> None:
    """Raises ImportTooNew."""
    version = head.get("version")
    if head.get("format") == FORMAT and (type(version) is not int or version > VERSION):
        raise ImportTooNew(version=version if type(version) is int else None)


def imported(head: Json, value: Any, now: datetime) -> Imported:
    """Read one conversation of whatever kind; `now` is for what has no date. Raises Skipped."""
    if not isinstance(value, dict):
        raise Skipped("shape")
    inner = value.get("chat")
    history = inner.get("history") if isinstance(inner, dict) else value.get("history")
    if head.get("format") == FORMAT:
        found = _ours(value)
    elif isinstance(value.get("mapping"), dict):
        found = _of_chatgpt(value)
    elif isinstance(history, dict) and isinstance(history.get("messages"), dict):
        found = _of_open_webui(value, inner if isinstance(inner, dict) else value, history)
    else:
        raise Skipped("shape", title_of(value.get("title")))
    return built(*found, now=now)


_Found = tuple[Outside, list[Node], str | None]

# --- ours -----------------------------------------------------------------------------------------


def _ours(value: Json) -> _Found:
    nodes = []
    files = 0
    for item in objects_of(value.get("messages")):
        author = {"person": Author.PERSON, "model": Author.MODEL}.get(text_of(item.get("author")))
        attached = objects_of(item.get("attachments"))
        files += len(attached)
        nodes.append(
            Node(
                key=key_of(item.get("id")) or "",
                parent=key_of(item.get("parent")),
                author=author,
                text=text_of(item.get("text")) or (FILE if attached else ""),
                thinking=text_of(item.get("thinking")),
                at=iso_time_of(item.get("created_at")),
                model=model_of(item.get("model")),
                files=tuple(_files(attached)) if author is Author.PERSON else (),
            )
        )
    outside = Outside(
        FORMAT,
        text_of(value.get("id")),
        title_of(value.get("title")),
        iso_time_of(value.get("created_at")),
        iso_time_of(value.get("updated_at")),
        is_title_own=value.get("is_title_own") is True,
        is_pinned=value.get("is_pinned") is True,
        is_archived=value.get("is_archived") is True,
        is_binned=bool(text_of(value.get("deleted_at"))),
        files=files,
    )
    return outside, nodes, nodes[-1].key if nodes else None


def _files(values: Sequence[Json]) -> Iterator[CameFile]:
    for each in values:
        name, member = text_of(each.get("name")), text_of(each.get("file"))
        try:
            part = Part.read(each.get("part"))
        except BadRequest:
            part = None
        if name and member:
            yield CameFile(name, member, part)


# --- ChatGPT's ------------------------------------------------------------------------------------

_ROLES = {"user": Author.PERSON, "assistant": Author.MODEL}
_SHOWN = frozenset({"text", "multimodal_text", "code", "thoughts", ""})


def _of_chatgpt(value: Json) -> _Found:
    nodes: list[Node] = []
    files = 0
    for key, item in value["mapping"].items():
        if not isinstance(item, dict):
            continue
        message = item.get("message")
        message = message if isinstance(message, dict) else {}
        content = message.get("content")
        content = content if isinstance(content, dict) else {}
        kind = text_of(content.get("content_type"))
        about = message.get("metadata")
        about = about if isinstance(about, dict) else {}
        sender = message.get("author")
        role = text_of(sender.get("role")) if isinstance(sender, dict) else ""
        author = _ROLES.get(role)
        if kind not in _SHOWN or about.get("is_visually_hidden_from_conversation") is True:
            author = None
        if kind == "code" and message.get("recipient") not in (None, "all"):
            author = None  # what the model told a tool
        text, thinking, more = _said(kind, content)
        files += more if author else 0
        nodes.append(
            Node(
                key=text_of(key),
                parent=key_of(item.get("parent")),
                author=author,
                text=text,
                thinking=thinking,
                at=time_of(message.get("create_time")),
                model=model_of(about.get("model_slug")) if author is Author.MODEL else None,
            )
        )
    outside = Outside(
        "chatgpt",
        text_of(value.get("conversation_id")) or text_of(value.get("id")),
        title_of(value.get("title")),
        time_of(value.get("create_time")),
        time_of(value.get("update_time")),
        is_archived=value.get("is_archived") is True,
        files=files,
    )
    return outside, nodes, key_of(value.get("current_node"))


def _said(kind: str, content: Json) -> tuple[str, str, int]:
    """Return a message's text, what was thought, and how many files stood in it."""
    if kind == "thoughts":
        thoughts = [text_of(each.get("content")) for each in objects_of(content.get("thoughts"))]
        return "", "\n\n".join(filter(None, thoughts)), 0
    if kind == "code":
        code = text_of(content.get("text"))
        return (f"```\n{code}\n```" if code else "", "", 0)
    parts = content.get("parts")
    texts, files = [], 0
    for part in parts if isinstance(parts, list) else [content.get("text")]:
        if isinstance(part, dict):
            spoken = text_of(part.get("text"))  # of a recording
            texts.append(spoken or FILE)
            files += not spoken
        else:
            texts.append(text_of(part))
    return "\n\n".join(filter(None, texts)), "", files


# --- Open WebUI's ---------------------------------------------------------------------------------

_REASONING = re.compile(
    r'\s*<details type="reasoning"[^>]*>\s*(?:<summary>[^<]*</summary>)?(.*?)</details>', re.DOTALL
)


def _of_open_webui(value: Json, chat: Json, history: Json) -> _Found:
    nodes: list[Node] = []
    files = 0
    for key, item in history["messages"].items():
        if not isinstance(item, dict):
            continue
        author = _ROLES.get(text_of(item.get("role")))
        text, thinking = text_of(item.get("content")), ""
        if author is Author.MODEL and (found := _REASONING.match(text)):
            lines = (line.removeprefix(">").strip() for line in found[1].strip().splitlines())
            thinking, text = "\n".join(lines), text[found.end() :]
        attached = item.get("files")
        files += len(attached) if isinstance(attached, list) else 0
        nodes.append(
            Node(
                key=text_of(key),
                parent=key_of(item.get("parentId")),
                author=author,
                text=text.strip() or (FILE if attached and author is Author.PERSON else ""),
                thinking=thinking,
                at=time_of(item.get("timestamp")),
                model=model_of(item.get("model")) if author is Author.MODEL else None,
            )
        )
    outside = Outside(
        "open-webui",
        text_of(value.get("id")) or text_of(chat.get("id")),
        title_of(value.get("title")) or title_of(chat.get("title")),
        time_of(value.get("created_at")) or time_of(chat.get("timestamp")),
        time_of(value.get("updated_at")),
        is_pinned=value.get("pinned") is True,
        is_archived=value.get("archived") is True,
        files=files,
    )
    return outside, nodes, key_of(history.get("currentId"))
