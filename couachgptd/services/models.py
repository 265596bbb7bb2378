"""What the engine has, known at once: pages and sockets never wait for it."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from couachgptd.core import wire
from couachgptd.core.errors import EngineError, EngineUnavailable, ModelMissing, NoModel
from couachgptd.core.models import EngineStatus, LoadedModel, Model
from couachgptd.core.ports import Engine
from couachgptd.core.wire import Json

log = logging.getLogger(__name__)

REFRESH_SECONDS = 10.0


class ModelService:
    """Keeps the last known list; `changed` is called when something in it did."""

    def __init__(self, engine: Engine, default: str) -> None:
        self._engine = engine
        self._default = default
        self._models: list[Model] = []
        self._loaded: list[LoadedModel] = []
        self._status = EngineStatus(kind="", address="", is_up=False)
        self._failure: EngineError | None = None
        self._wanted = asyncio.Event()
        self.changed: Callable[[], None] = lambda: None

    async def keep_fresh(self) -> None:
        """Ask the engine every now and then, and at once when `refresh_soon` was called."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), REFRESH_SECONDS)
            self._wanted.clear()
            try:
                await self.refresh()
            except Exception:  # an engine's odd answer must not end the daemon
                log.exception("the engine could not be asked; trying again later")

    def refresh_soon(self) -> None:
        self._wanted.set()

    async def refresh(self) -> None:
        before = self.overview()
        self._status = await self._engine.status()
        try:
            self._models = await self._engine.models()
            self._loaded = await self._engine.loaded()
            self._failure = None
        except EngineError as error:
            # One that answers but will not tell is down for people, too, and this is why.
            is_up = self._status.is_up
            self._failure = error if is_up else EngineUnavailable(address=self._status.address)
            self._loaded = []
            detail = self._status.detail or error.code
            self._status = replace(self._status, is_up=False, detail=detail)
        if self.overview() != before:
            self.changed()

    @property
    def status(self) -> EngineStatus:
        return self._status

    @property
    def loaded_names(self) -> list[str]:
        return [model.name for model in self._loaded]

    @property
    def default(self) -> str | None:
        """Return the configured model if it is there, else the first that can be used."""
        names = [model.name for model in self._models if not model.is_broken]
        if self._default in names:
            return self._default
        return names[0] if names else None

    def shapes(self) -> list[Json]:
        loaded = set(self.loaded_names)
        return [wire.model(model, is_loaded=model.name in loaded) for model in self._models]

    def overview(self) -> Json:
        return {
            "models": self.shapes(),
            "default_model": self.default,
            "engine": wire.engine(self._status),
        }

    def require_known(self) -> None:
        """Raise why the list is not known now, if it is not."""
        if self._failure is not None:
            raise self._failure

    async def resolve(self, name: str | None) -> str:
        """Return the model to use; asks the engine only for one that is not known yet.

        Raises NoModel, ModelMissing, EngineUnavailable, or why the engine will not tell.
        """
        if self._known(name) is None:
            await self.refresh()
        found = self._known(name)
        if found is None:
            self.require_known()
        if found is None and not self._status.is_up:
            raise EngineUnavailable(address=self._status.address)
        if found is None:
            raise ModelMissing(model=name) if name else NoModel
        return found

    def _known(self, name: str | None) -> str | None:
        if name is None:
            return self.default
        return name if any(model.name == name for model in self._models) else None
