"""Searching one's own conversations: what was typed becomes words, what was found becomes parts."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from couachgptd.core.conversations import Author, Conversation
from couachgptd.core.ids import MessageId

TYPED_MAX_LENGTH = 200
WORDS = 12
# Of a word that is being typed: what begins with one letter only is almost everything.
PREFIX_LENGTH = 2
PART_BEGINS, PART_ENDS = "\x02", "\x03"
LEAD_LENGTH = 60
EXCERPT_LENGTH = 240
WINDOW_LENGTH = 160
HITS_COMPARED = 100  # the first ones of a text decide which piece of it is shown
LETTER = r"[^\W_]"
ACCENTS = r"[\u0300-\u036f]"
Hit = tuple[int, int, str]  # where a word begins and ends, and itself without capitals


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
class FoundFile:
    """A file by its name, and the question that it went with."""

    conversation: Conversation
    message_id: MessageId
    created_at: datetime
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """Each newest first; `has_more`: there are older messages."""

    titles: list[FoundTitle]
    messages: list[FoundMessage]
    has_more: bool
    files: list[FoundFile] = field(default_factory=list)


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


def sought(expression: str) -> re.Pattern[str]:
    """Return what finds in a text, taken apart by NFD, the words of an expression of ours."""
    words = []
    for each in re.findall('"([^"]+)"', expression):
        bare = re.sub(ACCENTS, "", unicodedata.normalize("NFD", each))
        spelt = (
            "".join(f"{re.escape(letter)}{ACCENTS}*+" for letter in token)
            for token in re.findall(f"{LETTER}+", bare)
        )
        words.append(r"[\W_]++".join(spelt) + f"(?!{LETTER})")
    if expression.endswith("*"):
        words[-1] = words[-1].removesuffix(f"(?!{LETTER})") + f"(?:{LETTER}|{ACCENTS})*+"
    return re.compile(f"(?<!{LETTER})(?<!{ACCENTS})(?:{'|'.join(words)})", re.IGNORECASE)


def window(text: str, words: re.Pattern[str]) -> str:
    """Return the piece of a text that has most of the words, the first such one, marked.

    FTS5 has `snippet` and `highlight` for this, whose work grows with the square of the hits: a
    long text full of a common word kept a reader of the store busy for minutes.
    """
    apart = unicodedata.normalize("NFD", text)
    hits = [
        (*each.span(), each[0].casefold()) for each in islice(words.finditer(apart), HITS_COMPARED)
    ]
    shown = _densest(hits)
    start, last = (shown[0][0], shown[-1][1]) if shown else (0, 0)
    at = begin = max(0, start - LEAD_LENGTH)
    end = max(start + WINDOW_LENGTH, last)
    pieces = ["…" if begin else ""]
    for first, after, _ in shown:
        pieces += [apart[at:first], PART_BEGINS, apart[first:after], PART_ENDS]
        at = after
    pieces += [apart[at:end], "…" if end < len(apart) else ""]
    return unicodedata.normalize("NFC", "".join(pieces))


def _densest(hits: Sequence[Hit]) -> Sequence[Hit]:
    """Return the hits of the first piece with the most different words, in one pass."""
    best, most = (0, 0), 0
    inside = Counter[str]()
    end = 0
    for first, (start, _, word) in enumerate(hits):
        while end < len(hits) and hits[end][1] <= start + WINDOW_LENGTH:
            inside[hits[end][2]] += 1
            end += 1
        if end == first:  # this one alone is longer
            inside[word] += 1
            end += 1
        if len(inside) > most:
            best, most = (first, end), len(inside)
        inside[word] -= 1
        if not inside[word]:
            del inside[word]
    return hits[slice(*best)]


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
