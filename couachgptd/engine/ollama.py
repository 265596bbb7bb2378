"""The engine port on an Ollama server, through the `ollama` package."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Sequence
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from couachgptd import settings
from couachgptd.core.errors import (
    AnswerInterrupted,
    EngineError,
    EngineTimeout,
    ModelMissing,
)
from couachgptd.core.memory import MemoryNeed, ModelShape, memory_need, shape_of
from couachgptd.core.models import (
    ChatRequest,
    EngineStatus,
    LoadedModel,
    Loading,
    Model,
    Piece,
    PromptMessage,
    PullProgress,
    Reading,
)
from couachgptd.engine.addresses import is_on_this_machine
from couachgptd.engine.contexts import ContextOf, no_choice
from couachgptd.engine.deadlines import Deadlines
from couachgptd.engine.estimate import TEMPLATE_TOKENS, estimated_tokens
from couachgptd.engine.machine import disk_free_bytes
from couachgptd.engine.memory_guard import MachineMemory, refuse_too_large, warned
from couachgptd.engine.meters import machine_memory
from couachgptd.engine.ollama_answer import OllamaAnswer
from couachgptd.engine.ollama_api import ChatStream, OllamaClient, our_errors
from couachgptd.engine.pictures import encoded
from couachgptd.engine.thinking import joined

log = logging.getLogger(__name__)

PROBE_SECONDS = 3.0
ANSWER_SECONDS = 10.0  # a list or a description: short work, but the host may be busy
UNLOAD_SECONDS = 20.0  # Ollama kills its runner and waits for it; longer means stuck
UNLOAD_POLL_SECONDS = 0.1
LOADED_FOR_SECONDS = 60.0  # it answered this lately: not asked again before the next answer
LAST_READ_SECONDS = 1.0
BATCH_TOKENS = 512  # Ollama's own, which we leave

Result = TypeVar("Result")


class OllamaEngine:
    """Importing this module costs the client's memory: only the chosen engine is imported.

    Every call for a model carries the same runner options and the same `keep_alive`: another value
    of either makes Ollama load the model again, or forget it. `chosen_context` knows the context
    that was chosen for a model; once it is another one, the model counts as not loaded.
    """

    def __init__(
        self,
        engine: settings.Engine,
        ollama: settings.Ollama,
        deadlines: settings.Deadlines,
        machine_memory: MachineMemory = machine_memory,
        chosen_context: ContextOf = no_choice,
    ) -> None:
        self._url = ollama.url
        self._machine_memory = machine_memory
        self._slots = engine.slots
        self._keep_alive = ollama.keep_alive_seconds
        self._models_dir = ollama.models_dir
        self._context_tokens = engine.context_tokens
        self._chosen_context = chosen_context
        self._deadlines = deadlines
        self._client = OllamaClient(ollama.url)
        self._threads = engine.threads
        self._answered_at: dict[str, float] = {}
        self._trained_for: dict[str, int | None] = {}
        self._loaded_with: dict[str, int] = {}
        self._abilities: dict[str, tuple[str | None, frozenset[str]]] = {}

    async def status(self) -> EngineStatus:
        try:
            version = await self._ask(self._client.version(), seconds=PROBE_SECONDS)
        except EngineError as error:
            return EngineStatus("ollama", self._url, is_up=False, detail=error.code)
        return EngineStatus("ollama", self._url, is_up=True, version=version)

    async def models(self) -> list[Model]:
        """List them with their abilities, which Ollama tells of one at a time: each is asked once.

        One that will not tell now has none until the next list.
        """
        found = await self._listed()
        return await asyncio.gather(*(self._with_abilities(model) for model in found))

    async def _listed(self) -> list[Model]:
        answer = await self._ask(self._client.list())
        found = [
            Model(
                name=row.model or "",
                size_bytes=int(row.size) if row.size is not None else None,
                family=row.details.family if row.details else None,
                parameters=row.details.parameter_size if row.details else None,
                quantization=row.details.quantization_level if row.details else None,
                fingerprint=row.digest,
            )
            for row in answer.models
        ]
        return sorted(found, key=lambda model: model.name)

    async def _with_abilities(self, model: Model) -> Model:
        known = self._abilities.get(model.name)
        if known is None or known[0] != model.fingerprint:
            try:
                show = self._client.show(model.name)
                told = await self._ask(show, seconds=PROBE_SECONDS, model=model.name)
            except EngineError:
                return model
            known = model.fingerprint, frozenset(told.capabilities or ())
            self._abilities[model.name] = known
        return replace(model, abilities=known[1])

    async def model(self, name: str) -> Model:
        answer = await self._ask(self._client.show(name), model=name)
        facts = answer.modelinfo or {}
        family = facts.get("general.architecture")
        context = facts.get(f"{family}.context_length")
        details = answer.details
        listed = {model.name: model for model in await self._listed()}.get(full_name(name))
        return Model(
            name=full_name(name),
            size_bytes=listed.size_bytes if listed else None,
            family=details.family if details else None,
            parameters=details.parameter_size if details else None,
            quantization=details.quantization_level if details else None,
            context_tokens=int(context) if context else None,
            abilities=frozenset(answer.capabilities or ()),
        )

    async def loaded(self) -> list[LoadedModel]:
        try:
            answer = await self._ask(self._client.ps(), seconds=PROBE_SECONDS)
        except EngineError:
            return []
        return [
            LoadedModel(
                name=row.model or "",
                memory_bytes=int(row.size) if row.size is not None else None,
                context_tokens=row.context_length,
            )
            for row in answer.models
        ]

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece]:
        limits = self._deadlines
        with Deadlines(limits.total_seconds) as deadlines, our_errors(self._url, request.model):
            # Ollama sends nothing at all until the first token: what it is at, we ask before.
            is_loaded = await self._is_loaded(request.model)
            yield Reading() if is_loaded else Loading()
            if not is_loaded:
                await self._checked_memory(request.model)
            phase = "read" if is_loaded else "load"
            seconds = limits.load_seconds + limits.read_seconds
            self._loaded_with[request.model] = self._wanted_context(request.model)
            answer = OllamaAnswer(request.model)
            self._answered_at.pop(request.model, None)  # it counts as loaded once it answers
            body = await self._chat_body(request)
            async with self._client.open_chat(body) as stream:
                while answer.finished is None:
                    lines = await deadlines.wait(phase, seconds, stream.read())
                    if lines is None:
                        raise AnswerInterrupted(reason="no_final_frame")
                    for piece in joined(answer.pieces(lines)):
                        yield piece
                    if answer.failure is not None:
                        raise answer.failure
                    phase, seconds = "gap", limits.gap_seconds
                self._answered_at[request.model] = asyncio.get_running_loop().time()
                await read_to_the_end(stream)
            yield answer.finished

    async def count_tokens(self, model: str, messages: Sequence[PromptMessage]) -> list[int]:
        """Return estimates, a little large (see `engine.estimate`): Ollama has no tokenizer to ask.

        Up to 1.5 times the truth on code and Markdown; `model` therefore makes no difference.
        """
        del model
        return [estimated_tokens(message.text) + TEMPLATE_TOKENS for message in messages]

    async def context_tokens(self, model: str) -> int:
        if model not in self._trained_for:
            self._trained_for[model] = (await self.model(model)).context_tokens
        wanted = self._wanted_context(model)
        return min(wanted, self._trained_for[model] or wanted)

    def _wanted_context(self, model: str) -> int:
        return self._chosen_context(model) or self._context_tokens

    def _runner_options(self, model: str) -> dict[str, int]:
        threads = {"num_thread": self._threads} if self._threads else {}
        return {"num_ctx": self._wanted_context(model), **threads}

    async def need(self, model: str, size_bytes: int | None = None) -> MemoryNeed | None:
        """Of the memory of another host nothing is known."""
        if not is_on_this_machine(self._url):
            return None
        shape = shape_of({}, size_bytes) if size_bytes else await self._shape(model)
        memory = await asyncio.to_thread(self._machine_memory)
        return memory_need(
            model,
            shape,
            slots=self._slots,
            context_tokens=self._wanted_context(model),
            batch_tokens=BATCH_TOKENS,
            total_bytes=memory.total_bytes,
            available_bytes=memory.available_bytes,
        )

    async def _shape(self, model: str) -> ModelShape:
        told = await self._ask(self._client.show(model), seconds=PROBE_SECONDS, model=model)
        listed = await self._ask(self._client.list(), seconds=PROBE_SECONDS)
        size = next((row.size for row in listed.models if row.model == full_name(model)), None)
        return shape_of(told.modelinfo or {}, int(size or 0))

    async def disk_free_bytes(self) -> int | None:
        if not (self._models_dir and is_on_this_machine(self._url)):
            return None
        return await asyncio.to_thread(disk_free_bytes, Path(self._models_dir))

    async def load(self, model: str) -> MemoryNeed | None:
        warning = None if await self._is_loaded(model) else await self._checked_memory(model)
        await self._drop_others(model)
        loading = self._client.generate(
            model=model,
            prompt="",
            keep_alive=self._keep_alive,
            options=self._runner_options(model),
        )
        seconds = self._deadlines.load_seconds
        self._loaded_with[model] = self._wanted_context(model)
        await self._ask(loading, seconds=seconds, phase="load", model=model)
        self._answered_at[model] = asyncio.get_running_loop().time()
        return warning

    async def _drop_others(self, model: str) -> None:
        for other in await self.loaded():
            if full_name(other.name) != full_name(model):
                try:
                    await self.unload(other.name)
                except EngineError as error:  # the load itself says what then does not fit
                    log.warning("a model could not be dropped", extra={"error": error.code})

    async def unload(self, model: str) -> None:
        self._answered_at.pop(model, None)
        await self._ask(self._unload(model), seconds=UNLOAD_SECONDS, phase="unload", model=model)

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        limits = self._deadlines
        with Deadlines(float("inf")) as deadlines, our_errors(self._url, model):
            # The package's stream is a generator; its type says less, and only a generator
            # can be closed, which is what ends the download.
            steps = cast("AsyncGenerator[Any]", await self._client.pull(model, stream=True))
            async with aclosing(steps):
                while True:
                    step = await deadlines.wait("pull", limits.gap_seconds, anext(steps, None))
                    if step is None:
                        return
                    yield PullProgress(step.status or "", step.completed or 0, step.total or 0)

    async def delete(self, model: str) -> None:
        await self._ask(self._client.delete(model), model=model)
        self._answered_at.pop(model, None)
        self._trained_for.pop(model, None)

    async def close(self) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]

    async def _ask(
        self,
        answer: Awaitable[Result],
        *,
        seconds: float = ANSWER_SECONDS,
        phase: str = "answer",
        model: str = "",
    ) -> Result:
        try:
            with our_errors(self._url, model):
                async with asyncio.timeout(seconds):
                    return await answer
        except TimeoutError:
            raise EngineTimeout(phase=phase, seconds=seconds) from None

    async def _is_loaded(self, model: str) -> bool:
        wanted = self._wanted_context(model)
        if self._loaded_with.get(model, wanted) != wanted:
            return False
        answered_at = self._answered_at.get(model)
        now = asyncio.get_running_loop().time()
        if answered_at is not None and now - answered_at < LOADED_FOR_SECONDS:
            return True
        return full_name(model) in {loaded.name for loaded in await self.loaded()}

    async def _checked_memory(self, model: str) -> MemoryNeed | None:
        """Return a reason to warn before a load. Raises ModelTooLarge, ModelMissing.

        An Ollama that will not tell of its model is no reason to refuse: the load itself says what
        is wrong.
        """
        try:
            need = await self.need(model)
        except ModelMissing:
            raise
        except EngineError:
            return None
        if need is None:
            return None
        refuse_too_large(need)
        return warned(need)

    async def _unload(self, model: str) -> None:
        await self._client.generate(
            model=model,
            prompt="",
            keep_alive=0,
            options=self._runner_options(model),
        )
        # There is no event to wait for: its runner is gone once it is listed no more.
        while full_name(model) in {row.model for row in (await self._client.ps()).models}:  # noqa: ASYNC110
            await asyncio.sleep(UNLOAD_POLL_SECONDS)

    async def _chat_body(self, request: ChatRequest) -> dict[str, Any]:
        options: dict[str, Any] = {
            **self._runner_options(request.model),
            "num_predict": request.max_tokens,
        }
        if request.temperature is not None:
            options["temperature"] = request.temperature
        if request.top_p is not None:
            options["top_p"] = request.top_p
        if request.seed is not None:
            options["seed"] = request.seed
        if request.stop:
            options["stop"] = list(request.stop)
        body: dict[str, Any] = {
            "model": request.model,
            "messages": [
                {
                    "role": message.speaker,
                    "content": message.text,
                    **({"images": [data for _, data in images]} if images else {}),
                }
                for message, images in zip(
                    request.messages, await encoded(request.messages), strict=True
                )
            ],
            "stream": True,
            "keep_alive": self._keep_alive,
            "options": options,
        }
        if request.think is not None:
            body["think"] = request.think
        return body


async def read_to_the_end(stream: ChatStream) -> None:
    """Take the empty end of the stream, so that the connection can serve again."""
    try:
        async with asyncio.timeout(LAST_READ_SECONDS):
            while await stream.read() is not None:
                pass
    except (TimeoutError, EngineError):
        return


def full_name(model: str) -> str:
    """Return the name as Ollama lists it: without a tag, it means `latest`."""
    return model if ":" in model.rpartition("/")[2] else f"{model}:latest"
