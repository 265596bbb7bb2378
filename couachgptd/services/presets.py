"""Presets: choices kept under a name, one's own and the shared ones of administrators."""

from typing import Any

from couachgptd.core.choices import Choices, choices_of
from couachgptd.core.ids import UserId
from couachgptd.core.presets import Preset, PresetId, PresetStore, preset_name, require_some
from couachgptd.core.users import User
from couachgptd.services.owners import owner_of
from couachgptd.services.prompts import Prompts
from couachgptd.services.topics import Topics

CHANGED = "presets"


class PresetService:
    """Each method raises NotAllowed for what is shared, unless the person is an administrator.

    Nothing here asks whether a model is still there: that differs from person to person, and the
    page says it to each.
    """

    def __init__(self, store: PresetStore, topics: Topics, prompts: Prompts) -> None:
        self._store = store
        self._topics = topics
        self._prompts = prompts

    async def listed(self, user: User) -> list[Preset]:
        return await self._store.presets(user.id)

    async def add(self, user: User, name: str, given: Any, *, is_shared: bool) -> Preset:
        """Raises PresetNameInvalid, PresetEmpty, PresetTaken, PresetsFull, as `choices_of`."""
        owner = owner_of(user, "preset.add", is_shared=is_shared)
        choices = self._read(given)
        preset = await self._store.add_preset(owner, preset_name(name), choices)
        self._tell(owner)
        return preset

    async def change(
        self, user: User, preset_id: PresetId, name: str, given: Any, *, is_shared: bool
    ) -> Preset:
        """Rename one; `given` None leaves its choices. Raises NotFound and what `add` does."""
        owner = owner_of(user, "preset.change", is_shared=is_shared)
        choices = None if given is None else self._read(given)
        preset = await self._store.change_preset(owner, preset_id, preset_name(name), choices)
        self._tell(owner)
        return preset

    async def delete(self, user: User, preset_id: PresetId, *, is_shared: bool) -> None:
        """Raises NotFound."""
        owner = owner_of(user, "preset.delete", is_shared=is_shared)
        await self._store.delete_preset(owner, preset_id)
        self._tell(owner)

    def _read(self, given: Any) -> Choices:
        most = self._prompts.default.answer_tokens
        return require_some(choices_of(given, most_answer_tokens=most))

    def _tell(self, owner: UserId | None) -> None:
        if owner is None:
            self._topics.tell_all(CHANGED, {})
        else:
            self._topics.tell(owner, CHANGED, {})
