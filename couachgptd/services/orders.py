"""What a person may order of the engine; the watchdog knows of it and only looks on."""

import logging
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import aclosing
from typing import Self

from couachgptd.core.errors import (
    EngineBusy,
    EngineNotControlled,
    EngineStopped,
)
from couachgptd.core.models import PullProgress
from couachgptd.core.ports import Engine, EngineControl, Store
from couachgptd.core.vitals import Outcome
from couachgptd.services.models import ModelService
from couachgptd.services.runner import TurnRunner
from couachgptd.services.watch import Watch

log = logging.getLogger(__name__)

STOPPED = "engine_stopped"  # the setting that remembers a person's stop; a unit remembers its own
LOAD_SECONDS = "load_seconds:"  # how the settings begin that remember how long a load took
HELD = "queue_held"  # the setting that remembers a person's hold of the queue


class Orders:
    def __init__(
        self,
        engine: Engine,
        control: EngineControl,
        models: ModelService,
        runner: TurnRunner,
        watch: Watch,
        store: Store,
    ) -> None:
        self._engine = engine
        self._control = control
        self._models = models
        self._runner = runner
        self._watch = watch
        self._store = store
        self._is_held = False

    @classmethod
    async def recalled(
        cls,
        engine: Engine,
        control: EngineControl,
        models: ModelService,
        runner: TurnRunner,
        watch: Watch,
        store: Store,
    ) -> Self:
        """Return them knowing whether a person had stopped the engine or held the queue."""
        watch.is_stopped = await store.setting(STOPPED) is not None
        orders = cls(engine, control, models, runner, watch, store)
        if await store.setting(HELD) is not None:
            log.warning("the queue is held, as a person said before this start")
            orders._hold(is_on=True)
        return orders

    # the queue

    async def hold(self, *, is_on: bool) -> None:
        """Begin no more answers, over restarts too, until a person lets them begin again."""
        await self._store.set_setting(HELD, "1" if is_on else None)
        self._hold(is_on=is_on)

    def _hold(self, *, is_on: bool) -> None:
        self._is_held = is_on
        self._runner.hold(is_on=is_on)
        self._models.hold(is_on=is_on)

    # the engine; each raises EngineBusy, EngineNotControlled

    async def start(self) -> None:
        await self._do(self._control.start())
        await self._stopped(is_so=False)

    async def stop(self) -> None:
        """End the engine; its answers wait, with what they wrote, until it is started again."""
        was_stopped = self._watch.is_stopped
        await self._stopped(is_so=True)
        try:
            await self._do(self._control.stop())
        except EngineNotControlled:
            await self._stopped(is_so=was_stopped)
            raise

    async def restart(self) -> None:
        """Restart the engine; what it was answering is tried again."""
        await self._do(self._control.restart())
        await self._stopped(is_so=False)

    async def unload(self, model: str | None = None) -> list[str]:
        """Drop one model from memory, or all; return which."""
        await self._models.refresh()
        names = [name for name in self._models.loaded_names if model in (None, name)]
        for name in names:
            await self._do(self._control.unload(name))
        return names

    async def log(self, lines: int) -> list[str] | None:
        return await self._control.log(lines)

    # models

    async def load(self, model: str) -> None:
        """Bring a model into memory, and the others out; for when nobody is being answered.

        Raises EngineBusy, EngineStopped, ModelTooLarge, and what else keeps it from being loaded.
        """
        model = await self._models.resolve(model)
        if self._watch.is_stopped:
            raise EngineStopped
        if self._runner.running_turns:
            raise EngineBusy
        self._runner.hold(is_on=True)
        try:
            await self._watch.order(self._load(model))
        finally:
            self._runner.hold(is_on=self._is_held)

    async def _load(self, model: str) -> None:
        is_there = model in self._models.loaded_names
        began = time.monotonic()
        await self._engine.load(model)
        seconds = time.monotonic() - began
        self._runner.engine_holds(model)
        await self._models.refresh()
        if not is_there:
            await self._store.set_setting(f"{LOAD_SECONDS}{model}", str(round(seconds, 1)))

    async def load_seconds(self, model: str) -> float | None:
        """Return how long the last load of a model took that was ordered; None: none was."""
        kept = await self._store.setting(f"{LOAD_SECONDS}{model}")
        return None if kept is None else float(kept)

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        """Have the engine download a model; closing it ends the download."""
        self._watch.downloads += 1
        try:
            async with aclosing(self._engine.pull(model)) as steps:
                async for step in steps:
                    yield step
        finally:
            self._watch.downloads -= 1
            self._models.refresh_soon()

    async def delete(self, model: str) -> None:
        """Delete a model's file. Raises ModelMissing, EngineBusy where it is being used."""
        if any(live.turn.model == model for live in self._runner.lives()):
            raise EngineBusy
        await self._engine.delete(model)
        await self._store.set_setting(f"{LOAD_SECONDS}{model}", None)
        await self._models.refresh()

    # how

    async def _do(self, work: Awaitable[Outcome]) -> None:
        async def whole() -> Outcome:
            return await work

        self._runner.engine_holds(None)
        outcome = await self._watch.order(whole())
        await self._models.refresh()
        if outcome.reason is not None:
            raise EngineNotControlled(reason=outcome.reason)

    async def _stopped(self, *, is_so: bool) -> None:
        self._watch.is_stopped = is_so
        await self._store.set_setting(STOPPED, "1" if is_so else None)
