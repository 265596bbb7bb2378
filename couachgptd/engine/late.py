"""An engine whose adapter is imported at its first use, in a thread: READY does not wait for it."""

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from couachgptd.core.memory import MemoryNeed
from couachgptd.core.models import (
    ChatRequest,
    EngineStatus,
    LoadedModel,
    Model,
    Piece,
    PromptMessage,
    PullProgress,
)
from couachgptd.core.ports import Engine


class LateEngine:
    """`load` imports and returns what makes the engine; the event loop goes on meanwhile."""

    def __init__(self, load: Callable[[], Callable[[], Engine]]) -> None:
        self._load = load
        self._loading = asyncio.Lock()
        self._engine: Engine | None = None

    async def _opened(self) -> Engine:
        if self._engine is None:
            async with self._loading:
                if self._engine is None:
                    make = await asyncio.to_thread(self._load)
                    gc.freeze()  # what was imported stays: collections need not walk it
                    self._engine = make()
        return self._engine

    async def status(self) -> EngineStatus:
        return await (await self._opened()).status()

    async def models(self) -> list[Model]:
        return await (await self._opened()).models()

    async def model(self, name: str) -> Model:
        return await (await self._opened()).model(name)

    async def loaded(self) -> list[LoadedModel]:
        return await (await self._opened()).loaded()

    def chat(self, request: ChatRequest) -> AsyncGenerator[Piece]:
        # Once it is there, nothing stands between its pieces and the turn.
        return self._engine.chat(request) if self._engine else self._late_chat(request)

    async def _late_chat(self, request: ChatRequest) -> AsyncGenerator[Piece]:
        async with aclosing((await self._opened()).chat(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def count_tokens(self, model: str, messages: Sequence[PromptMessage]) -> list[int]:
        return await (await self._opened()).count_tokens(model, messages)

    async def context_tokens(self, model: str) -> int:
        return await (await self._opened()).context_tokens(model)

    async def need(self, model: str, size_bytes: int | None = None) -> MemoryNeed | None:
        return await (await self._opened()).need(model, size_bytes)

    async def disk_free_bytes(self) -> int | None:
        return await (await self._opened()).disk_free_bytes()

    async def load(self, model: str) -> MemoryNeed | None:
        return await (await self._opened()).load(model)

    async def unload(self, model: str) -> None:
        await (await self._opened()).unload(model)

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        async with aclosing((await self._opened()).pull(model)) as steps:
            async for step in steps:
                yield step

    async def delete(self, model: str) -> None:
        await (await self._opened()).delete(model)

    async def close(self) -> None:
        if self._engine is not None:
            await self._engine.close()
