"""Gathers what tells whether a model fits the machine, for `core.fit` to decide."""

from collections.abc import Callable

from couachgptd.core.errors import ModelMissing
from couachgptd.core.fit import VERDICTS, Candidate, SizeSource, reason_of, size_by_name
from couachgptd.core.ports import Engine
from couachgptd.core.wire import Json
from couachgptd.services.models import ModelService


class Fitting:
    """`size_in_catalogue` knows the file's size of a starter model, by its name."""

    def __init__(
        self,
        engine: Engine,
        models: ModelService,
        size_in_catalogue: Callable[[str], int | None],
    ) -> None:
        self._engine = engine
        self._models = models
        self._size_in_catalogue = size_in_catalogue

    async def shape_of(self, name: str) -> Json:
        """Return the verdict on a model, here or not, with its figures. Raises EngineUnavailable.

        The shape is `fit` of docs/control.md.
        """
        await self._models.refresh()
        self._models.require_known()
        candidate = await self._candidate(name)
        need = None
        if candidate.is_installed:
            need = await self._engine.need(candidate.name)
        elif candidate.size_bytes is not None:
            need = await self._engine.need(candidate.name, candidate.size_bytes)
        disk_free = await self._engine.disk_free_bytes()
        loaded = self._models.loaded
        reason = reason_of(candidate, need, disk_free, loaded)
        return {
            "model": name,
            "verdict": VERDICTS[reason].value,
            "reason": reason.value,
            "is_installed": candidate.is_installed,
            "size_bytes": candidate.size_bytes,
            "size_from": candidate.size_from,
            "memory_needed_bytes": need and need.needed_bytes,
            "memory_available_bytes": need and need.available_bytes,
            "memory_total_bytes": need and need.total_bytes,
            "slots": need and need.slots,
            "context_tokens": need and need.context_tokens,
            "fitting_context_tokens": need and need.fitting_context_tokens,
            "disk_needed_bytes": 0 if candidate.is_installed else candidate.size_bytes,
            "disk_free_bytes": disk_free,
            "unloads": [each.name for each in loaded if each.name != candidate.name],
        }

    async def _candidate(self, name: str) -> Candidate:
        try:
            found = await self._engine.model(name)
        except ModelMissing:
            size = self._size_in_catalogue(name)
            if size is not None:
                return Candidate(
                    name, is_installed=False, size_bytes=size, size_from=SizeSource.CATALOGUE
                )
            size = size_by_name(name)
            source = None if size is None else SizeSource.NAME
            return Candidate(name, is_installed=False, size_bytes=size, size_from=source)
        source = None if found.size_bytes is None else SizeSource.ENGINE
        return Candidate(
            found.name, is_installed=True, size_bytes=found.size_bytes, size_from=source
        )
