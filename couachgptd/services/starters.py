"""The catalogue's starter models, as far as this engine can have them."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from couachgptd.core.models import PullProgress
from couachgptd.core.starters import FetchRunning, Starter, StarterUnavailable
from couachgptd.core.wire import Json
from couachgptd.services.models import ModelService
from couachgptd.services.orders import Orders


class Starters:
    """`read` reads the catalogue and may take a while of a thread; it raises ConfigInvalid."""

    def __init__(
        self, read: Callable[[], Sequence[Starter]], orders: Orders, models: ModelService
    ) -> None:
        self._read = read
        self._orders = orders
        self._models = models
        self._is_fetching = False

    async def shapes(self) -> list[Json]:
        """Return each with why it cannot be had here, if so: `elsewhere`, `not_in_ollama`."""
        await self._models.refresh()
        there = {model["name"] for model in self._models.shapes()}
        kind = self._models.status.kind
        return [
            {
                "name": each.name,
                "title": each.title,
                "licence": each.licence,
                "languages": list(each.languages),
                # Ollama's own file of a model is another one.
                "size_bytes": each.size_bytes if kind == "embedded" else None,
                "is_there": each.listed_as(kind) in there,
                "why_not": each.why_not(kind),
            }
            for each in await asyncio.to_thread(self._read)
        ]

    async def fetch(self, name: str) -> AsyncGenerator[PullProgress]:
        """Tell how far a download is; closing it ends it. Raises what keeps the model away."""
        await self._models.refresh()
        kind = self._models.status.kind
        known = {each.name: each for each in await asyncio.to_thread(self._read)}
        starter = known.get(name)
        if starter is None or starter.why_not(kind) is not None:
            raise StarterUnavailable(name=name)
        if self._is_fetching:
            raise FetchRunning
        self._is_fetching = True
        try:
            async with aclosing(self._orders.pull(starter.pulled_as(kind))) as steps:
                async for step in steps:
                    yield step
        finally:
            self._is_fetching = False
