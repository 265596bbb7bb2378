"""A person's folders: what a name may be, how many there may be, what can go wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from couachgptd.core.conversations import Conversation
from couachgptd.core.errors import CouachError
from couachgptd.core.ids import ConversationId, FolderId, UserId
from couachgptd.core.lines import name_line

NAME_MAX_LENGTH = 60
FOLDERS_MAX = 100  # of one person: a list that is still walked through


@dataclass(frozen=True, slots=True)
class Folder:
    id: FolderId
    name: str


class FolderNameInvalid(CouachError):
    """A folder's name is empty or too long. Fields: `max_length`."""

    code = "folder_name_invalid"


class FolderTaken(CouachError):
    """One's folders have different names. Fields: `name`, as it is there."""

    code = "folder_taken"


class FoldersFull(CouachError):
    """Nobody has more folders than that. Fields: `limit`."""

    code = "folders_full"


class FolderStore(Protocol):
    """A part of `core.ports.Store`. Another's folder is not found; each method is a transaction."""

    async def folders(self, user_id: UserId) -> list[Folder]:
        """Return a person's, in no order."""
        ...

    async def add_folder(self, user_id: UserId, name: str) -> FolderId:
        """Raises FolderTaken, FoldersFull."""
        ...

    async def rename_folder(self, user_id: UserId, folder_id: FolderId, name: str) -> None:
        """Raises NotFound, FolderTaken."""
        ...

    async def remove_folder(self, user_id: UserId, folder_id: FolderId) -> None:
        """Remove it; its conversations stay. Only the last one removed can be restored.

        Raises NotFound.
        """
        ...

    async def restore_folder(self, user_id: UserId, folder_id: FolderId) -> None:
        """Bring back the last one removed, with what was in it; twice is once.

        Raises NotFound, FolderTaken, FoldersFull.
        """
        ...

    async def move_conversation(
        self, user_id: UserId, conversation_id: ConversationId, folder_id: FolderId | None
    ) -> Conversation:
        """Put a conversation into a folder, or out of any. Raises NotFound, also in the bin."""
        ...


def folder_name(text: str) -> str:
    """Return a name as a person wrote it, in one line. Raises FolderNameInvalid."""
    name = name_line(text)
    if not 0 < len(name) <= NAME_MAX_LENGTH:
        raise FolderNameInvalid(max_length=NAME_MAX_LENGTH)
    return name


def require_free(name: str, others: Iterable[Folder]) -> None:
    """Raise FolderTaken where another has this name, capitals or not."""
    for other in others:
        if other.name.casefold() == name.casefold():
            raise FolderTaken(name=other.name)


def require_room(others: list[Folder]) -> None:
    """Raise FoldersFull where one more would be too many."""
    if len(others) >= FOLDERS_MAX:
        raise FoldersFull(limit=FOLDERS_MAX)
