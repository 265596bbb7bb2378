"""Presets, kept: choices under a name."""

from couachgptd.core.choices import Choices
from couachgptd.core.ids import UserId
from couachgptd.core.presets import Preset, PresetId, require_free, require_room
from couachgptd.storage import owned
from couachgptd.storage.database import Database
from couachgptd.storage.tables import PresetTable


class PresetStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def presets(self, user_id: UserId) -> list[Preset]:
        def work() -> list[Preset]:
            return [_to_preset(row) for row in owned.rows_for(PresetTable, user_id, "name")]

        return await self._db.read(work)

    async def add_preset(self, owner_id: UserId | None, name: str, choices: Choices) -> Preset:
        def work() -> Preset:
            others = _presets_of(owner_id)
            require_free(name, others)
            require_room(others)
            return _to_preset(
                PresetTable.create(owner=owner_id, name=name, choices=choices.document())
            )

        return await self._db.write(work)

    async def change_preset(
        self, owner_id: UserId | None, preset_id: PresetId, name: str, choices: Choices | None
    ) -> Preset:
        def work() -> Preset:
            row = owned.found(PresetTable, owner_id, preset_id)
            require_free(name, (each for each in _presets_of(owner_id) if each.id != preset_id))
            row.name = name
            if choices is not None:
                row.choices = choices.document()
            row.save()
            return _to_preset(row)

        return await self._db.write(work)

    async def delete_preset(self, owner_id: UserId | None, preset_id: PresetId) -> None:
        await self._db.write(
            lambda: owned.found(PresetTable, owner_id, preset_id).delete_instance()
        )


def _presets_of(owner_id: UserId | None) -> list[Preset]:
    return [_to_preset(row) for row in owned.rows_of(PresetTable, owner_id)]


def _to_preset(row: PresetTable) -> Preset:
    owner = row.owner_id
    return Preset(
        PresetId(row.id), None if owner is None else UserId(owner), row.name, Choices(**row.choices)
    )
