"""Prompts that are kept to be asked again."""

from couachgptd.core.ids import UserId
from couachgptd.core.saved_prompts import PromptsFull, SavedPrompt, SavedPromptId
from couachgptd.storage import owned
from couachgptd.storage.database import Database
from couachgptd.storage.tables import SavedPromptTable


class SavedPromptStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def saved_prompts(self, user_id: UserId) -> list[SavedPrompt]:
        def work() -> list[SavedPrompt]:
            rows = owned.rows_for(SavedPromptTable, user_id, "title")
            return [_to_prompt(row) for row in rows]

        return await self._db.read(work)

    async def add_saved_prompt(
        self, owner_id: UserId | None, title: str, text: str, *, most: int
    ) -> SavedPrompt:
        def work() -> SavedPrompt:
            if owned.rows_of(SavedPromptTable, owner_id).count() >= most:
                raise PromptsFull(most=most)
            key = SavedPromptTable.insert(owner=owner_id, title=title, text=text).execute()
            return _to_prompt(SavedPromptTable.get_by_id(key))

        return await self._db.write(work)

    async def change_saved_prompt(
        self, owner_id: UserId | None, prompt_id: SavedPromptId, title: str, text: str
    ) -> SavedPrompt:
        def work() -> SavedPrompt:
            row = owned.found(SavedPromptTable, owner_id, prompt_id)
            row.title, row.text = title, text
            row.save()
            return _to_prompt(row)

        return await self._db.write(work)

    async def delete_saved_prompt(self, owner_id: UserId | None, prompt_id: SavedPromptId) -> None:
        await self._db.write(
            lambda: owned.found(SavedPromptTable, owner_id, prompt_id).delete_instance()
        )


def _to_prompt(row: SavedPromptTable) -> SavedPrompt:
    owner = row.owner_id
    return SavedPrompt(
        SavedPromptId(row.id), None if owner is None else UserId(owner), row.title, row.text
    )
