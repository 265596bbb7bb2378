"""What an administrator decided of each model, by its name."""

from dataclasses import asdict

from couachgptd.core.model_rules import ModelRules, Options, VisibleTo
from couachgptd.storage.database import Database
from couachgptd.storage.tables import ModelRulesTable


class ModelRulesStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def model_rules(self) -> dict[str, ModelRules]:
        def work() -> dict[str, ModelRules]:
            return {
                row.model: ModelRules(VisibleTo(row.visible_to), Options(**row.options))
                for row in ModelRulesTable.select()
            }

        return await self._db.read(work)

    async def set_model_rules(self, model: str, rules: ModelRules) -> None:
        def work() -> None:
            ModelRulesTable.insert(
                model=model, visible_to=rules.visible_to.value, options=asdict(rules.options)
            ).on_conflict_replace().execute()

        await self._db.write(work)
