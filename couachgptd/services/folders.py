"""The verbs of somebody's folders: make, rename, remove, bring back, and what is put into them."""

from couachgptd.core import wire
from couachgptd.core.folders import folder_name
from couachgptd.core.ids import ConversationId, FolderId, UserId
from couachgptd.core.ports import Store
from couachgptd.core.users import User
from couachgptd.core.wire import Json
from couachgptd.services.topics import Topics


class FolderService:
    """Every change is told to all open pages of the owner; what is another's raises NotFound."""

    def __init__(self, store: Store, topics: Topics) -> None:
        self._store = store
        self._topics = topics

    async def listed(self, user_id: UserId) -> list[Json]:
        return [wire.folder(folder) for folder in await self._store.folders(user_id)]

    async def add(self, user: User, name: str) -> FolderId:
        """Make a folder. Raises FolderNameInvalid, FolderTaken, FoldersFull."""
        folder_id = await self._store.add_folder(user.id, folder_name(name))
        await self._tell(user.id)
        return folder_id

    async def rename(self, user: User, folder_id: FolderId, name: str) -> None:
        """Raises FolderNameInvalid, FolderTaken."""
        await self._store.rename_folder(user.id, folder_id, folder_name(name))
        await self._tell(user.id)

    async def remove(self, user: User, folder_id: FolderId) -> None:
        """Remove a folder; what is in it stays where it is besides."""
        await self._store.remove_folder(user.id, folder_id)
        await self._tell(user.id)

    async def restore(self, user: User, folder_id: FolderId) -> None:
        """Bring back the last folder removed. Raises FolderTaken, FoldersFull."""
        await self._store.restore_folder(user.id, folder_id)
        await self._tell(user.id)

    async def move(
        self, user: User, conversation_id: ConversationId, folder_id: FolderId | None
    ) -> None:
        """Put a conversation into a folder, or out of any."""
        moved = await self._store.move_conversation(user.id, conversation_id, folder_id)
        self._topics.tell(user.id, "conversation", {"conversation": wire.conversation(moved)})

    async def _tell(self, user_id: UserId) -> None:
        self._topics.tell(user_id, "folders", {"folders": await self.listed(user_id)})
