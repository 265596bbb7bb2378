"""Prompts that are kept to be asked again: a person's own, and those shared with everybody."""

from dataclasses import dataclass
from typing import NewType, Protocol

from couachgptd.core.errors import CouachError, TitleInvalid
from couachgptd.core.ids import UserId
from couachgptd.core.lines import one_line

SavedPromptId = NewType("SavedPromptId", int)

TITLE_MAX_LENGTH = 60
TEXT_MAX_LENGTH = 20_000  # characters
MOST = 200  # of one person, and of those that are shared


class PromptInvalid(CouachError):
    """A prompt whose text says nothing, or too much. Fields: `max_length`."""

    code = "prompt_invalid"


class PromptsFull(CouachError):
    """There are as many prompts as are kept, of this person or shared. Fields: `most`."""

    code = "prompts_full"


@dataclass(frozen=True, slots=True)
class SavedPrompt:
    """A title to find it by and a text, in which `{{name}}` is asked for when it is used.

    `owner_id` None: shared, which administrators write and everybody may use.
    """

    id: SavedPromptId
    owner_id: UserId | None
    title: str
    text: str


class SavedPromptStore(Protocol):
    """A part of `core.ports.Store`. Each method is one transaction, and durable once it returns.

    Where it takes an owner, another's prompt is not found; None owns those that are shared.
    """

    async def saved_prompts(self, user_id: UserId) -> list[SavedPrompt]:
        """Return the user's own, then those that are shared, each by title."""
        ...

    async def add_saved_prompt(
        self, owner_id: UserId | None, title: str, text: str, *, most: int
    ) -> SavedPrompt:
        """Raises PromptsFull where the owner has `most` of them."""
        ...

    async def change_saved_prompt(
        self, owner_id: UserId | None, prompt_id: SavedPromptId, title: str, text: str
    ) -> SavedPrompt:
        """Raises NotFound."""
        ...

    async def delete_saved_prompt(self, owner_id: UserId | None, prompt_id: SavedPromptId) -> None:
        """Raises NotFound."""
        ...


def checked_title(text: str) -> str:
    """Return a title in one line. Raises TitleInvalid."""
    title = one_line(text)
    if not 0 < len(title) <= TITLE_MAX_LENGTH:
        raise TitleInvalid(max_length=TITLE_MAX_LENGTH)
    return title


def checked_text(text: str) -> str:
    """Return a text without the blanks around it. Raises PromptInvalid."""
    stripped = text.replace("\r\n", "\n").strip()
    if not 0 < len(stripped) <= TEXT_MAX_LENGTH:
        raise PromptInvalid(max_length=TEXT_MAX_LENGTH)
    return stripped
