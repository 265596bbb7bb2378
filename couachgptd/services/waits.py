"""Tells everybody who waits their place and for how long, learned from this machine's own rates."""

import asyncio
import json
import logging
from collections.abc import Callable
from contextlib import suppress

from couachgptd.core.errors import StoreError
from couachgptd.core.forecast import Expected, Forecast, spoken
from couachgptd.core.ids import TurnId
from couachgptd.core.models import Finished
from couachgptd.core.ports import Store
from couachgptd.core.queue import Queue
from couachgptd.services.attempts import Attempts, Trying
from couachgptd.services.live import LiveTurn

log = logging.getLogger(__name__)

FORECAST = "forecast"  # the setting that holds what was learned
TELL_SECONDS = 4.0  # while anybody waits: what runs writes on, and waits grow shorter
TELL_LEAST_SECONDS = 0.1


class Waits:
    """`moved` is set when the queue did; then, and every now and then, the waits are told."""

    def __init__(
        self,
        store: Store,
        queue: Queue,
        attempts: Attempts,
        live: Callable[[TurnId], LiveTurn | None],
    ) -> None:
        self._store = store
        self._queue = queue
        self._attempts = attempts
        self._live = live
        self._forecast = Forecast()
        self.moved = asyncio.Event()

    def expect(self, model: str, prompt_tokens: int) -> Expected:
        return self._forecast.expect(model, prompt_tokens)

    def started(self, turn: TurnId, now: float) -> None:
        self._forecast.started(turn, now)

    def answered(self, trying: Trying, finished: Finished) -> None:
        self._forecast.learn(trying.model, finished.timings, loads=trying.running.loads)

    async def keep_telling(self) -> None:
        while True:
            # Not wait_for: in Python 3.11 it may swallow a cancellation that comes with the event.
            with suppress(TimeoutError):
                async with asyncio.timeout(TELL_SECONDS):
                    await self.moved.wait()
            self.moved.clear()
            if len(self._queue):
                self.tell(asyncio.get_running_loop().time())
                await asyncio.sleep(TELL_LEAST_SECONDS)

    def tell(self, now: float) -> None:
        """Tell each who waits what has changed of it, rounded so that it does not flicker."""
        if self._queue.is_paused:
            # Nobody knows how long; and an hour of it would falsify what is announced for days.
            self._forecast.forget_announced()
            for turn, place in self._queue.places(now).items():
                if (live := self._live(turn)) is not None:
                    live.wait_at(place)
            return
        written = {each.live.turn.id: each.tokens for each in self._attempts}
        for turn, wait in self._forecast.waits(self._queue, written, now).items():
            live = self._live(turn)
            if live is not None:
                live.wait_at(wait.place, spoken(wait, live.wait))

    async def recall(self) -> None:
        kept = await self._store.setting(FORECAST)
        try:
            self._forecast = Forecast.from_json(json.loads(kept)) if kept else Forecast()
        except (KeyError, TypeError, ValueError):
            log.warning("what was learned of this machine's speed cannot be read; learning anew")

    async def remember(self) -> None:
        try:
            await self._store.set_setting(FORECAST, json.dumps(self._forecast.to_json()))
        except StoreError:
            log.exception("what was learned of this machine's speed could not be kept")
