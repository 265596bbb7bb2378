"""The engine port on a llama-server that somebody else runs at an address."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from couachgptd import settings
from couachgptd.core.errors import EngineError, EngineRejected, EngineTimeout, ModelMissing
from couachgptd.core.models import (
    ChatRequest,
    EngineStatus,
    LoadedModel,
    Loading,
    Model,
    Piece,
    PromptMessage,
    PullProgress,
)
from couachgptd.engine.estimate import TEMPLATE_TOKENS, estimated_tokens
from couachgptd.engine.llama_api import LlamaClient

POLL_SECONDS = 0.25


class LlamaServerEngine:
    """It serves the model it was started with: nothing can be loaded, dropped or fetched."""

    def __init__(
        self,
        engine: settings.Engine,
        llama_server: settings.LlamaServer,
        deadlines: settings.Deadlines,
    ) -> None:
        self._context_tokens = engine.context_tokens
        self._deadlines = deadlines
        self._client = LlamaClient(llama_server.url, llama_server.api_key, deadlines)

    async def status(self) -> EngineStatus:
        address = self._client.url
        try:
            await self._client.is_ready()  # still loading is up too
        except EngineError as error:
            return EngineStatus("llama-server", address, is_up=False, detail=error.code)
        return EngineStatus("llama-server", address, is_up=True)

    async def models(self) -> list[Model]:
        return sorted(await self._client.models(), key=lambda model: model.name)

    async def model(self, name: str) -> Model:
        for model in await self.models():
            if model.name == name:
                sees = await self._client.sees()
                return replace(model, abilities=frozenset({"vision"} if sees else ()))
        raise ModelMissing(model=name)

    async def loaded(self) -> list[LoadedModel]:
        try:
            if not await self._client.is_ready():
                return []
            context = await self._client.slot_tokens()
            return [
                LoadedModel(name=model.name, context_tokens=context)
                for model in await self.models()
            ]
        except EngineError:
            return []

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece]:
        if not await self._client.is_ready():
            yield Loading()
            await self._wait_ready()
        await self.model(request.model)  # the server would answer any name, with its one model
        async with aclosing(self._client.chat(request)) as pieces:
            async for piece in pieces:
                yield piece

    async def count_tokens(self, model: str, messages: Sequence[PromptMessage]) -> list[int]:
        """Return exact lengths where the server answers, else `engine.estimate`'s, a little large.

        `model` makes no difference here: the server has one tokenizer.
        """
        del model
        try:
            return await self._client.count_tokens(messages)
        except EngineError:
            return [estimated_tokens(message.text) + TEMPLATE_TOKENS for message in messages]

    async def context_tokens(self, model: str) -> int:
        """Return the least of what a slot there holds and of what we were told to use."""
        await self.model(model)
        return min(await self._client.slot_tokens() or self._context_tokens, self._context_tokens)

    async def need(self, model: str, size_bytes: int | None = None) -> None:
        """Nothing: its memory is whose server it is to know."""

    async def disk_free_bytes(self) -> None:
        """Nothing, as of its memory."""

    async def load(self, model: str) -> None:
        await self._wait_ready()
        await self.model(model)

    async def unload(self, model: str) -> None:
        raise EngineRejected(reason="unload_unsupported", model=model)

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        raise EngineRejected(reason="pull_unsupported", model=model)
        yield PullProgress("")  # type: ignore[unreachable]  # what makes it a generator

    async def delete(self, model: str) -> None:
        raise EngineRejected(reason="delete_unsupported", model=model)

    async def close(self) -> None:
        await self._client.close()

    async def _wait_ready(self) -> None:
        seconds = self._deadlines.load_seconds
        try:
            async with asyncio.timeout(seconds):
                # The server offers no event to wait for, only the page that says 503.
                while not await self._client.is_ready():  # noqa: ASYNC110
                    await asyncio.sleep(POLL_SECONDS)
        except TimeoutError:
            raise EngineTimeout(phase="load", seconds=seconds) from None
