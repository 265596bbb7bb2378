"""Presets: choices of a conversation kept under a name, one's own or offered to everybody."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NewType, Protocol

from couachgptd.core.choices import NOTHING_CHOSEN, Choices
from couachgptd.core.errors import CouachError
from couachgptd.core.ids import UserId
from couachgptd.core.lines import name_line

PresetId = NewType("PresetId", int)

NAME_MAX_LENGTH = 60
MOST = 50  # of one person, and of everybody's: a list that is still read through


class PresetNameInvalid(CouachError):
    """A preset's name is empty or too long. Fields: `max_length`."""

    code = "preset_name_invalid"


class PresetTaken(CouachError):
    """Presets of one owner have different names. Fields: `name`, as it is there."""

    code = "preset_taken"


class PresetEmpty(CouachError):
    """Nothing is chosen that a preset could keep: applying it would change nothing."""

    code = "preset_empty"


class PresetsFull(CouachError):
    """There are as many presets as are kept, of this person or for all. Fields: `most`."""

    code = "presets_full"


@dataclass(frozen=True, slots=True)
class Preset:
    """`owner_id` None: everybody's, which administrators write.

    Applied to a conversation, its choices are copied: what becomes of the preset afterwards changes
    no conversation. `choices.model` None leaves the conversation its model.
    """

    id: PresetId
    owner_id: UserId | None
    name: str
    choices: Choices


class PresetStore(Protocol):
    """A part of `core.ports.Store`. Each method is one transaction, and durable once it returns.

    Where it takes an owner, another's preset is not found; None owns everybody's.
    """

    async def presets(self, user_id: UserId) -> list[Preset]:
        """Return the user's own, then everybody's, each by name."""
        ...

    async def add_preset(self, owner_id: UserId | None, name: str, choices: Choices) -> Preset:
        """Raises PresetTaken, PresetsFull."""
        ...

    async def change_preset(
        self, owner_id: UserId | None, preset_id: PresetId, name: str, choices: Choices | None
    ) -> Preset:
        """Rename it, and replace its choices unless they are None. Raises NotFound, PresetTaken."""
        ...

    async def delete_preset(self, owner_id: UserId | None, preset_id: PresetId) -> None:
        """Raises NotFound."""
        ...


def preset_name(text: str) -> str:
    """Return a name as a person wrote it, in one line. Raises PresetNameInvalid."""
    name = name_line(text)
    if not 0 < len(name) <= NAME_MAX_LENGTH:
        raise PresetNameInvalid(max_length=NAME_MAX_LENGTH)
    return name


def require_some(choices: Choices) -> Choices:
    """Return them. Raises PresetEmpty where nothing is chosen."""
    if choices == NOTHING_CHOSEN:
        raise PresetEmpty
    return choices


def require_free(name: str, others: Iterable[Preset]) -> None:
    """Raise PresetTaken where another has this name, capitals or not."""
    for other in others:
        if other.name.casefold() == name.casefold():
            raise PresetTaken(name=other.name)


def require_room(others: list[Preset]) -> None:
    """Raise PresetsFull where one more would be too many."""
    if len(others) >= MOST:
        raise PresetsFull(most=MOST)
