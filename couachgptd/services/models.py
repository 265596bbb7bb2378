"""What the engine has, known at once: pages and sockets never wait for it."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from couachgptd.core import wire
from couachgptd.core.errors import (
    EngineError,
    EngineUnavailable,
    ModelHidden,
    ModelMissing,
    ModelQuarantined,
    NoModel,
    StoreError,
)
from couachgptd.core.model_rules import RulesOf, no_rules
from couachgptd.core.models import EngineStatus, LoadedModel, Model
from couachgptd.core.ports import Engine, Store
from couachgptd.core.users import Role
from couachgptd.core.wire import Json

log = logging.getLogger(__name__)

REFRESH_SECONDS = 10.0
DEFAULT = "default_model"  # the setting that holds which one a person chose as such
KNOWN = "models"  # the setting that holds the names known last
# Verdicts that are one for people: there is nothing to tell.
WELL = frozenset({"ready", "busy", "loading"})


class ModelService:
    """Keeps the last known list; `changed` is called when something in it did."""

    def __init__(
        self, engine: Engine, default: str, store: Store, rules_of: RulesOf = no_rules
    ) -> None:
        self._engine = engine
        self._default = default
        self._store = store
        self._rules_of = rules_of
        self._models: list[Model] = []
        self._loaded: list[LoadedModel] = []
        self._status = EngineStatus(kind="", address="", is_up=False)
        self._failure: EngineError | None = None
        self._wanted = asyncio.Event()
        self._state = "starting"
        self._reason: str | None = None
        self._since = datetime.now(UTC)
        self._is_held = False
        self._quarantined: dict[str, str | None] = {}
        self.changed: Callable[[], None] = lambda: None

    # what the watchdog says of it

    def judge(self, state: str, reason: str | None) -> None:
        """Take the watchdog's verdict; people are told of it where it matters to them."""
        if (state, reason) == (self._state, self._reason):
            return
        before = self.engine_shape()
        self._state, self._reason, self._since = state, reason, datetime.now(UTC)
        if self.engine_shape() != before:
            self.changed()

    def hold(self, *, is_on: bool) -> None:
        """Tell people that a person holds the queue, or does no more."""
        before = self.engine_shape()
        self._is_held = is_on
        if self.engine_shape() != before:
            self.changed()

    @property
    def state(self) -> tuple[str, str | None, datetime]:
        """Return the exact verdict, its reason and since when it stands."""
        return self._state, self._reason, self._since

    def engine_shape(self) -> Json:
        well = "held" if self._is_held else "ready"
        state = well if self._state in WELL else self._state
        return wire.engine(self._status, state=state, reason=self._reason)

    def quarantine(self, models: frozenset[str]) -> None:
        """Offer these models no more, as long as their files stay as they are."""
        known = self._fingerprints()
        before = self._quarantined
        self._quarantined = {name: before.get(name) or known.get(name) for name in models}
        if set(before) != models:
            self.changed()

    def changed_quarantined(self) -> list[str]:
        """Return the quarantined models that are not what they were: gone, or another file."""
        known = self._fingerprints()
        return [
            name
            for name, fingerprint in self._quarantined.items()
            if known and fingerprint is not None and known.get(name) != fingerprint
        ]

    def _fingerprints(self) -> dict[str, str | None]:
        return {model.name: model.fingerprint for model in self._models}

    # what it has

    async def recall(self) -> None:
        """Start with what was known last: questions are taken while the engine is down, too."""
        self._default = await self._store.setting(DEFAULT) or self._default
        kept = await self._store.setting(KNOWN)
        try:
            known = json.loads(kept) if kept else []
            self._models = [
                Model(
                    str(name),
                    size_bytes=size,
                    fingerprint=fingerprint,
                    abilities=frozenset(map(str, *abilities)) if abilities else frozenset(),
                )
                for name, size, fingerprint, *abilities in known
            ]
        except (TypeError, ValueError):
            log.warning("the models known before cannot be read; asking the engine")

    async def _remember(self) -> None:
        known = [
            (each.name, each.size_bytes, each.fingerprint, sorted(each.abilities))
            for each in self._models
        ]
        try:
            await self._store.set_setting(KNOWN, json.dumps(known))
        except StoreError:
            log.exception("the known models could not be kept")

    async def keep_fresh(self) -> None:
        """Ask the engine every now and then, and at once when `refresh_soon` was called."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._wanted.wait()
            self._wanted.clear()
            try:
                await self.refresh()
            except Exception:  # an engine's odd answer must not end the daemon
                log.exception("the engine could not be asked; trying again later")

    def refresh_soon(self) -> None:
        self._wanted.set()

    async def refresh(self) -> None:
        before, known = self.overview(), self._models
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
        if self._models != known:  # also where a file was replaced by one of the same size
            await self._remember()

    @property
    def status(self) -> EngineStatus:
        return self._status

    @property
    def loaded_names(self) -> list[str]:
        return [model.name for model in self._loaded]

    @property
    def default(self) -> str | None:
        """Return the configured model if it is there, else the first that can be used."""
        return self.default_for(None)

    def default_for(self, role: Role | None, wished: str = "") -> str | None:
        """Return the default among what is offered to a role; None, the operator, has all.

        `wished` is a person's own, which counts for as long as it is offered.
        """
        names = [
            model.name
            for model in self._models
            if not model.is_broken
            and model.name not in self._quarantined
            and self._rules_of(model.name).is_for(role)
        ]
        for name in (wished, self._default):
            if name in names:
                return name
        return names[0] if names else None

    async def set_default(self, name: str) -> None:
        """Have this model answer where none is named. Raises what `resolve` raises."""
        self._default = await self.resolve(name)
        await self._store.set_setting(DEFAULT, self._default)
        self.changed()

    @property
    def loaded(self) -> list[LoadedModel]:
        return self._loaded

    def shapes(self, role: Role | None = None) -> list[Json]:
        loaded = set(self.loaded_names)
        return [
            wire.model(
                model,
                is_loaded=model.name in loaded,
                is_quarantined=model.name in self._quarantined,
            )
            for model in self._models
            if self._rules_of(model.name).is_for(role)
        ]

    def overview(self, role: Role | None = None, wished: str = "") -> Json:
        return {
            "models": self.shapes(role),
            "default_model": self.default_for(role, wished),
            "engine": self.engine_shape(),
        }

    def can(self, ability: str, name: str) -> bool:
        """Say whether a model has an ability, as far as the engine says."""
        return any(each.name == name and ability in each.abilities for each in self._models)

    def size_of(self, name: str) -> int | None:
        """Return the bytes of a model's file, as far as the engine says."""
        return next((each.size_bytes for each in self._models if each.name == name), None)

    def require_known(self) -> None:
        """Raise why the list is not known now, if it is not."""
        if self._failure is not None:
            raise self._failure

    async def require_listed(self, name: str) -> None:
        """Raise ModelMissing for one that the engine has not, or why it will not tell.

        It is asked only for one that is not known yet: right after a start none is.
        """
        if self._known(name, None) is None:
            await self.refresh()
        if self._known(name, None) is None:
            self.require_known()
            raise ModelMissing(model=name)

    async def resolve(self, name: str | None, role: Role | None = None, wished: str = "") -> str:
        """Return the model to use; asks the engine only for one that is not known yet.

        Raises NoModel, ModelMissing, ModelHidden, ModelQuarantined, EngineUnavailable, or why the
        engine will not tell.
        """
        if self._known(name, role, wished) is None:
            await self.refresh()
        found = self._known(name, role, wished)
        if found is None:
            self.require_known()
        if found is None and not self._status.is_up:
            raise EngineUnavailable(address=self._status.address)
        if found is None:
            raise ModelMissing(model=name) if name else NoModel
        if not self._rules_of(found).is_for(role):
            raise ModelHidden(model=found)
        if found in self._quarantined:
            raise ModelQuarantined(model=found)
        return found

    def _known(self, name: str | None, role: Role | None, wished: str = "") -> str | None:
        if name is None:
            return self.default_for(role, wished)
        return name if any(model.name == name for model in self._models) else None
