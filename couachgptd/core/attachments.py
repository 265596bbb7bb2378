"""Files that people attach to a question: what they are, what is sent, what may be wrong."""

import json
import re
import unicodedata
from collections.abc import AsyncIterable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, Self

from couachgptd.core.errors import BadRequest, CouachError
from couachgptd.core.ids import AttachmentId, UserId

NAME_MAX_BYTES = 200
TEXT_MAX_BYTES = 1024 * 1024  # what the worker gives at most
IMAGE_TOKENS = 1024  # about what one takes; each kind of model has a rule of its own
NUMBER_MAX = 10**7  # of pages, lines and characters


class Kind(StrEnum):
    """What a file is by its content; HTML by its name, too."""

    TEXT = "text"
    HTML = "html"
    PDF = "pdf"
    DOCX = "docx"
    XLSX = "xlsx"
    ODT = "odt"
    IMAGE = "image"


class Unit(StrEnum):
    """What a part of a text is counted in."""

    PAGE = "page"
    LINE = "line"
    CHARACTER = "character"


IMAGES = ("png", "jpeg", "webp")
# As what each is served; what a browser could run as a page of ours is plain text.
MEDIA_TYPES: Mapping[Kind, str] = {
    Kind.TEXT: "text/plain; charset=utf-8",
    Kind.HTML: "text/plain; charset=utf-8",
    Kind.PDF: "application/pdf",
    Kind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.ODT: "application/vnd.oasis.opendocument.text",
}
PAGES = frozenset({"html", "htm", "xhtml"})
# The endings that say what a file is; under any other name it may be anything.
ENDINGS: Mapping[str, Kind] = {
    "pdf": Kind.PDF,
    "docx": Kind.DOCX,
    "xlsx": Kind.XLSX,
    "odt": Kind.ODT,
    **dict.fromkeys(("png", "jpg", "jpeg", "webp"), Kind.IMAGE),
    **dict.fromkeys(("txt", "md", "csv", "json"), Kind.TEXT),
    **dict.fromkeys(PAGES, Kind.HTML),
}
# What turns the direction of a line, so that `fdp.exe` reads `exe.pdf`.
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Part:
    """What of a text is sent: from the first to the last of a unit, counted from 1."""

    unit: Unit
    first: int
    last: int

    @classmethod
    def read(cls, value: Any) -> Self | None:
        """Return a part as JSON has it, None for the whole. Raises BadRequest."""
        if value is None:
            return None
        try:
            part = cls(Unit(value["unit"]), value["first"], value["last"])
        except (TypeError, KeyError, ValueError):
            raise BadRequest(reason="part") from None
        numbers = (part.first, part.last)
        if any(type(number) is not int for number in numbers):
            raise BadRequest(reason="part")
        if not 1 <= part.first <= part.last <= NUMBER_MAX:
            raise BadRequest(reason="part")
        return part

    @property
    def shape(self) -> dict[str, Any]:
        return {"unit": self.unit.value, "first": self.first, "last": self.last}

    def of(self, text: str) -> str:
        """Return the part of a text; one beyond its end is empty."""
        if self.unit is Unit.CHARACTER:
            return text[self.first - 1 : self.last]
        between = "\f" if self.unit is Unit.PAGE else "\n"
        lined = text if self.unit is Unit.PAGE else text.replace("\f", "\n")
        return between.join(lined.split(between)[self.first - 1 : self.last])


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of somebody's; its text is kept beside it and fetched only where it is needed.

    `stored` is the random name of its bytes; `is_cut` where it had more text than is kept;
    `is_sent` once it belongs to a question.
    """

    id: AttachmentId
    owner_id: UserId
    name: str
    kind: Kind
    media_type: str
    size_bytes: int
    stored: str
    created_at: datetime
    is_cut: bool = False
    part: Part | None = None
    is_sent: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes that have come: where they are, how many, and their SHA-256."""

    stored: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Extracted:
    kind: Kind
    media_type: str
    text: str = ""
    is_cut: bool = False


def extracted(answer: bytes) -> Extracted:
    """Return what the worker found. Raises ValueError for an answer that its job has not."""
    head, _, data = answer.partition(b"\n")
    told = json.loads(head)
    if not isinstance(told, dict) or len(data) > TEXT_MAX_BYTES:
        raise ValueError("not of its form")
    kind, text = Kind(str(told.get("kind"))), data.decode()
    if kind is Kind.IMAGE:
        if told.get("type") not in IMAGES or text:
            raise ValueError("not a picture")
        return Extracted(kind, f"image/{told['type']}")
    if not text.strip() or "\0" in text:
        raise ValueError("no text")
    return Extracted(kind, MEDIA_TYPES[kind], text, told.get("is_cut") is True)


def ending_of(name: str) -> str:
    stem, _, ending = name.rpartition(".")
    return ending.lower() if stem else ""


def is_page(name: str) -> bool:
    return ending_of(name) in PAGES


def require_name(name: str) -> str:
    """Return a name to show, which is never a path here. Raises AttachmentRefused.

    Browsers send the last part of a path only; what has more was made by hand.
    """
    shown = unicodedata.normalize("NFC", name).strip()
    is_odd = any(
        char in "/\\" or char in TURNING or unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}
        for char in shown
    )
    if is_odd or not shown.strip(".") or len(shown.encode(errors="replace")) > NAME_MAX_BYTES:
        raise AttachmentRefused(reason="name")
    return shown


def require_ending(name: str, kind: Kind) -> None:
    """Raise AttachmentRefused where the name promises another kind of file."""
    expected = ENDINGS.get(ending_of(name), kind)
    if expected is not kind:
        raise AttachmentRefused(reason="wrong_ending")


# --- what the model is sent --------------------------------------------------------------------

CLOSING = re.compile(r"<(?=/?document)", re.IGNORECASE)


def block(attachment: Attachment, text: str) -> str:
    """Return a document for the prompt: what stands in it cannot end it.

    The same text at every turn: the engine reads a prompt again from where it differs.
    """
    part = attachment.part
    which = "" if part is None else f' part="{part.unit.value} {part.first}-{part.last}"'
    name = attachment.name.replace('"', "'").replace("<", "(").replace(">", ")")
    sent = CLOSING.sub("(", (text if part is None else part.of(text)).replace("\f", "\n\n"))
    return f'<document name="{name}"{which}>\n{sent}\n</document>'


def with_documents(question: str, blocks: Sequence[str]) -> str:
    """Return a question as the model reads it: the documents first, then what is asked of them."""
    return "\n\n".join([*blocks, *([question] if question.strip() else [])])


def unseen(attachment: Attachment) -> str:
    """Return what stands for a picture that this model cannot see."""
    name = attachment.name.replace('"', "'")
    return f'<picture name="{name}">(You cannot see pictures.)</picture>'


# --- ports -------------------------------------------------------------------------------------


class AttachmentStore(Protocol):
    """A part of `core.ports.Store`. Each method is one transaction, and durable once it returns."""

    async def add_attachment(
        self, owner_id: UserId, name: str, received: Received, found: Extracted
    ) -> Attachment:
        """Raises NotFound where the account has gone meanwhile."""
        ...

    async def attachment(self, user_id: UserId, attachment_id: AttachmentId) -> Attachment | None:
        """Find one that this person may read: the one place that decides it."""
        ...

    async def attachment_texts(self, ids: Collection[AttachmentId]) -> dict[AttachmentId, str]: ...

    async def choose_part(
        self, user_id: UserId, attachment_id: AttachmentId, part: Part | None
    ) -> Attachment:
        """Have only a part of one's own file sent. Raises NotFound, also once it was sent."""
        ...

    async def remove_attachment(self, user_id: UserId, attachment_id: AttachmentId) -> None:
        """Delete one's own file that was not sent. Raises NotFound."""
        ...

    async def attached_bytes(self, user_id: UserId) -> tuple[int, int]:
        """Return what the files of a person take, and those of all."""
        ...

    async def gone_files(self) -> list[str]:
        """Return the stored names that rows had which are deleted, and none has any more."""
        ...

    async def forget_gone(self, stored: Collection[str]) -> None: ...

    async def stored_files(self) -> set[str]:
        """Return the stored name of every file there is a row of."""
        ...


class Uploads(Protocol):
    """The files' bytes, in a folder, under names that nobody chose."""

    async def receive(self, chunks: AsyncIterable[bytes], most: int) -> Received:
        """Write what comes. Raises AttachmentTooLarge, AttachmentsFull, and leaves nothing then."""
        ...

    def path(self, stored: str) -> Path: ...

    async def delete(self, stored: Collection[str]) -> None: ...

    async def free_bytes(self) -> int: ...

    async def names(self, before: datetime) -> set[str]:
        """Return the names of the files that were last written before a moment."""
        ...


# --- errors ------------------------------------------------------------------------------------


class AttachmentRefused(CouachError):
    """A file that cannot be read. Fields: `reason`."""

    code = "attachment_refused"


class AttachmentTooLarge(CouachError):
    """Fields: `limit_bytes`."""

    code = "attachment_too_large"


class AttachmentsFull(CouachError):
    """There is no room for another file. Fields: `of`."""

    code = "attachments_full"


class TooManyAttachments(CouachError):
    """Of one question, or at once. Fields: `limit`."""

    code = "too_many_attachments"


class ModelBlind(CouachError):
    """The question has a picture, and the model cannot see. Fields: `model`."""

    code = "model_blind"
