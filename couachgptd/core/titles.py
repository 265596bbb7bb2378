"""A better title by the model: which conversation is due, what is asked, what of it is taken."""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from couachgptd.core.context import exchanges_of
from couachgptd.core.conversations import (
    TITLE_MAX_LENGTH,
    Author,
    Conversation,
    Message,
    branch_to,
    title_from,
)
from couachgptd.core.ids import ConversationId
from couachgptd.core.turns import Turn

TITLE_TOKENS = 24
RECENT = timedelta(days=1)  # people have got used to an older title: it stays
# Of what the engine would have to read: it lets go of nothing within a batch, so a batch is to be
# short for whoever asks just then.
HEAD_LENGTH = 200
# An engine keeps what it last read. To read another conversation drops that, and its person would
# wait for it to be read again: so first that person must have gone.
AWAY_FACTOR = 15.0

# Short, and about the question: asked for "a title of our conversation", models of 0.5B greet.
INSTRUCTIONS = {
    "fr": (
        "Résume le sujet de ma question en un titre de 2 à 6 mots. "
        "Écris seulement le titre, sans phrase."
    ),
    "en": (
        "Sum up the subject of my question as a title of 2 to 6 words. "
        "Write only the title, no sentence."
    ),
}
_TELLING_WORDS = {
    "fr": "je le la les un une des du est et que qui pour dans comment quel quelle",
    "en": "i the a an of is are and that what which for in how to my do can",
}


@dataclass(frozen=True, slots=True)
class Untitled:
    """A conversation that has the title it began with; `turn` is its newest whole answer.

    `language` is its owner's.
    """

    conversation: Conversation
    turn: Turn
    language: str


class TitleStore(Protocol):
    """A part of `core.ports.Store`. Each method is one transaction, and durable once it returns."""

    async def untitled(self, recent: timedelta) -> list[Untitled]:
        """Return those begun lately whose title no person wrote and no model was asked for.

        Those answered last come first; what is in the bin does not.
        """
        ...

    async def title_by_model(
        self, conversation: Conversation, title: str | None
    ) -> Conversation | None:
        """Note that the model was asked, and give its title unless somebody was faster.

        Return the conversation as it is then; None where it keeps the title that it has.
        """
        ...


def due(
    untitled: Iterable[Untitled],
    *,
    models: Collection[str],
    kept: Collection[ConversationId],
    idle_seconds: float,
    least_seconds: float,
) -> Untitled | None:
    """Return the one to ask a title for now, of those answered last first.

    `models` are in memory now, `kept` the conversations that the engine would not read again.
    """
    if idle_seconds < least_seconds:
        return None
    is_away = idle_seconds >= AWAY_FACTOR * least_seconds
    for each in untitled:
        if each.turn.model in models and (is_away or each.conversation.id in kept):
            return each
    return None


# --- the rule ------------------------------------------------------------------------------------


def title_by_rule(question: str, files: Sequence[str] = ()) -> str:
    """Return the title that a first question gives, or its first file where it has no words."""
    return title_from(next(filter(str.strip, (question, *files)), ""))


def is_by_rule(conversation: Conversation, messages: Sequence[Message]) -> bool:
    """Say whether its title is still the one that its first question gave it."""
    if conversation.is_title_own or not messages or messages[0].author is not Author.PERSON:
        return False
    files = [file.name for file in messages[0].attachments]
    return conversation.title == title_by_rule(messages[0].text, files)


def first_exchange(messages: Sequence[Message], turn: Turn) -> tuple[str, str] | None:
    """Return the first question above an answer and what was answered; None where nothing was."""
    if turn.message_id is None:
        return None
    for exchange in exchanges_of(branch_to(messages, turn.message_id)):
        if exchange.answer is not None:
            question = exchange.question
            files = ", ".join(file.name for file in question.attachments)
            return (question.text if question.text.strip() else files), exchange.answer.text
    return None


# --- what is asked -------------------------------------------------------------------------------


def instruction(question: str, language: str) -> str:
    """Return what asks for a title, in the question's language: small models answer in ours."""
    return INSTRUCTIONS[language_of(question, language)]


def language_of(text: str, language: str) -> str:
    """Return which of our languages a text is in, by its small words, else `language`."""
    words = _words(text)
    counts = {
        name: sum(word in telling.split() for word in words)
        for name, telling in _TELLING_WORDS.items()
    }
    most = max(counts.values())
    found = [name for name, count in counts.items() if count == most]
    if language in found or len(found) > 1:
        return language if language in INSTRUCTIONS else "en"
    return found[0]


def head(text: str) -> str:
    """Return the beginning of a long text: enough to name it, and soon read."""
    return text if len(text) <= HEAD_LENGTH else text[:HEAD_LENGTH].rsplit(maxsplit=1)[0] + " …"


# --- what of it is taken -------------------------------------------------------------------------

_LABEL = re.compile(
    r"^(?:(?:le |the )?(?:titre|title|sujet|subject)(?: (?:proposé|suggéré|court|est|is))?"
    r"|(?:proposed|suggested|short) title|(?:voici|here)\b[^:]{0,60})\s*:\s*",
    re.IGNORECASE,
)
_QUOTES = "\"'`«»“”„\u2018\u2019\u2039\u203a "
_REFUSALS = re.compile(
    r"^(?:(?:je suis |nous sommes )?(?:désolé|navré)|je ne (?:peux|sais|suis)|en tant qu|"
    r"(?:i'?m |i am )?sorry|i (?:can'?t|cannot|am unable)|as an? (?:ai|language|assistant)|"
    r"bien sûr|voici|sure\b|certainly|of course|here(?:'s| is| are))",
    re.IGNORECASE,
)
_LEAST_WORD = 4  # letters: shorter words are in any text


def title_said(said: str, *, is_whole: bool, question: str, answer: str) -> str | None:
    """Return the title in what the model said, None where there is none to be had.

    It is text, never markup, as a person's is. Where it was cut (`is_whole` is not so) only a line
    that was ended counts. What shares no word with the exchange is about something else: a
    greeting, another language.
    """
    title = _cleaned(_first_line(said, is_whole=is_whole))
    if not 0 < len(title) <= TITLE_MAX_LENGTH or _REFUSALS.match(title):
        return None
    plain = _plain(title)
    if not plain or any(plain in _plain(asked) for asked in INSTRUCTIONS.values()):
        return None
    answered = [_plain(line) for line in answer.splitlines() if _plain(line)]
    if plain == _plain(question) or plain == _plain(answer):
        return None
    # A heading of the answer is a title; the beginning of its first sentence is the answer again.
    if answered and answered[0] != plain and answered[0].startswith(f"{plain} "):
        return None
    if not _marks_of(title) & _marks_of(f"{head(question)} {head(answer)}"):
        return None
    return title


def _first_line(said: str, *, is_whole: bool) -> str:
    lines = said.replace("\r", "\n").split("\n")
    if not is_whole:
        lines.pop()
    return next(filter(str.strip, lines), "")


def _cleaned(line: str) -> str:
    """Drop what is not the title itself, from the outside in, until nothing more comes off."""
    shown = "".join(map(_shown, unicodedata.normalize("NFC", line)))
    title, before = " ".join(shown.split()), None
    while title != before:
        before = title
        bare = title.lstrip("#>*_~-–—•| ").rstrip("*_~ ")
        title = _LABEL.sub("", bare).strip(_QUOTES).rstrip(" .,;:")
    return title


def _shown(char: str) -> str:
    """Return a character as it may stand in a title: nothing that acts, or cannot be seen."""
    category = unicodedata.category(char)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    is_joiner = char in "\u200c\u200d"  # within words and pictures
    return "" if category[0] == "C" and not is_joiner else char


def _plain(text: str) -> str:
    """Return only the words of a text, as one compares them."""
    return " ".join(_words(text))


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFD", text.casefold())
    return re.findall(r"\w+", "".join(char for char in folded if not unicodedata.combining(char)))


def _marks_of(text: str) -> set[str]:
    """Return the beginnings of its longer words, its acronyms, and signs that are whole words."""
    words = {word[:_LEAST_WORD] for word in _words(text) if len(word) >= _LEAST_WORD}
    acronyms = {word.casefold() for word in re.findall(r"\b[A-Z][A-Z0-9]+\b", text)}
    return words | acronyms | {char for char in text if unicodedata.category(char) == "Lo"}
