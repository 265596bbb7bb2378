"""Prompts that are kept to be asked again: one's own, and the shared ones of administrators."""

from couachgptd.core.saved_prompts import (
    MOST,
    SavedPrompt,
    SavedPromptId,
    SavedPromptStore,
    checked_text,
    checked_title,
)
from couachgptd.core.users import User
from couachgptd.services.owners import owner_of


class SavedPromptService:
    """Each method raises NotAllowed for what is shared, unless the person is an administrator."""

    def __init__(self, store: SavedPromptStore) -> None:
        self._store = store

    async def listed(self, user: User) -> list[SavedPrompt]:
        return await self._store.saved_prompts(user.id)

    async def add(self, user: User, title: str, text: str, *, is_shared: bool) -> SavedPrompt:
        """Raises TitleInvalid, PromptInvalid, PromptsFull."""
        owner = owner_of(user, "prompt.add", is_shared=is_shared)
        return await self._store.add_saved_prompt(
            owner, checked_title(title), checked_text(text), most=MOST
        )

    async def change(
        self, user: User, prompt_id: SavedPromptId, title: str, text: str, *, is_shared: bool
    ) -> SavedPrompt:
        """Change one that is shared, or one's own. Raises NotFound, TitleInvalid, PromptInvalid."""
        owner = owner_of(user, "prompt.change", is_shared=is_shared)
        return await self._store.change_saved_prompt(
            owner, prompt_id, checked_title(title), checked_text(text)
        )

    async def delete(self, user: User, prompt_id: SavedPromptId, *, is_shared: bool) -> None:
        """Raises NotFound."""
        owner = owner_of(user, "prompt.delete", is_shared=is_shared)
        await self._store.delete_saved_prompt(owner, prompt_id)
