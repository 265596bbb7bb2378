"""Searching one's own conversations: what was typed becomes words, what was found becomes parts."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from couachgptd.core.conversations import Author, Conversation
from couachgptd.core.ids import MessageId

TYPED_MAX_LENGTH = 200
WORDS = 12
# Of a word that is being typed: what begins with one letter only is almost everything.
PREFIX_LENGTH = 2
PART_BEGINS, PART_ENDS = "\x02", "\x03"
LEAD_LENGTH = 60
EXCERPT_LENGTH = 240


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a text that was found; `is_hit`: it is what was looked for."""

    text: str
    is_hit: bool = False


@dataclass(frozen=True, slots=True)
class FoundTitle:
    conversation: Conversation
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class FoundMessage:
    conversation: Conversation
    message_id: MessageId
    author: Author
    created_at: datetime
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Both newest first; `has_more`: there are older messages."""

    titles: list[FoundTitle]
    messages: list[FoundMessage]
    has_more: bool


def expression(typed: str) -> str | None:
    """Return the FTS5 expression for what a person typed, None where that has no word.

    Every word must be there, in any order; what is joined by marks (`l'été`, `core.search`) must
    stand together. The last one may be only begun, unless a blank after it says that it is whole.
    Nothing that is typed is an operator: all of it goes between quotes.
    """
    text = "".join(map(_typed_letter, unicodedata.normalize("NFC", typed[:TYPED_MAX_LENGTH])))
    words = [word for word in text.split() if any(map(str.isalnum, word))][:WORDS]
    if not words:
        return None
    tail = re.search(r"\w*$", text)
    is_begun = tail is not None and len(tail[0]) >= PREFIX_LENGTH and text.endswith(words[-1])
    return " ".join(f'"{word}"' for word in words) + (" *" if is_begun else "")


def _typed_letter(letter: str) -> str:
    # The end of a C string is the end of the expression, and a quote that of a word.
    return " " if letter == '"' or unicodedata.category(letter) in ("Cc", "Cs") else letter


def parts(marked: str) -> tuple[Part, ...]:
    """Return an excerpt in one line, of a text with marks around what was found."""
    found = list(_parts(marked))
    if found and not found[0].is_hit and len(found[0].text) > LEAD_LENGTH:
        found[0] = Part("…" + found[0].text[-LEAD_LENGTH:].lstrip("…"))
    left = EXCERPT_LENGTH
    kept = []
    for part in found:
        kept.append(Part(part.text[:left], part.is_hit))
        if len(part.text) > left:
            return (*kept, Part("…"))
        left -= len(part.text)
    return tuple(kept)


def _parts(marked: str) -> Iterator[Part]:
    is_hit = False
    for piece in re.split(f"([{PART_BEGINS}{PART_ENDS}])", marked):
        if piece in (PART_BEGINS, PART_ENDS):
            is_hit = piece == PART_BEGINS
        elif piece:
            yield Part(re.sub(r"\s+", " ", piece), is_hit)
