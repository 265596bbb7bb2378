"""The engine port on llama.cpp as our own child: one process per loaded model."""

import asyncio
import importlib.metadata
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from couachgptd import settings
from couachgptd.core.errors import (
    AnswerInterrupted,
    EngineError,
    EngineMissing,
    EngineRejected,
    EngineUnavailable,
    ModelBroken,
    ModelMissing,
)
from couachgptd.core.memory import MemoryNeed, memory_need, shape_of
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
from couachgptd.engine.contexts import ContextOf, no_choice
from couachgptd.engine.estimate import TEMPLATE_TOKENS, estimated_tokens
from couachgptd.engine.fetching import fetched
from couachgptd.engine.gguf import facts_in, model_in
from couachgptd.engine.llama_api import LlamaClient
from couachgptd.engine.llama_process import ChildSettings, LlamaProcess
from couachgptd.engine.machine import disk_free_bytes
from couachgptd.engine.memory_guard import MachineMemory, refuse_too_large, warned
from couachgptd.engine.meters import machine_memory

LIBRARY = "xllamacpp"
JUST_ENDED_SECONDS = 0.5
DEATH_SECONDS = 2.0  # a stream ends a little before the process that wrote it


@dataclass(frozen=True, slots=True)
class Running:
    """The child and the client that speaks to it: they come and go together."""

    process: LlamaProcess
    client: LlamaClient
    warning: MemoryNeed | None = None


class EmbeddedEngine:
    """Models are the `*.gguf` files of one folder, named without their suffix.

    A name is only ever compared with that listing, never made into a path.
    """

    def __init__(
        self,
        engine: settings.Engine,
        embedded: settings.Embedded,
        deadlines: settings.Deadlines,
        models_dir: Path,
        machine_memory: MachineMemory = machine_memory,
        chosen_context: ContextOf = no_choice,
    ) -> None:
        self._engine = engine
        self._embedded = embedded
        self._deadlines = deadlines
        self._models_dir = models_dir
        self._machine_memory = machine_memory
        self._chosen_context = chosen_context
        self._switch = asyncio.Lock()
        self._running: Running | None = None
        self._child: LlamaProcess | None = None  # the last one made, also while it loads
        self._known: dict[tuple[Path, int, int], Model] = {}
        self._broken: set[Model] = set()  # a header may be whole where the rest is not

    @property
    def child(self) -> LlamaProcess | None:
        """The last child made, which may still load its model, or have ended.

        None also after one whose end needs no cure: it could not load its file, or was restarted.
        """
        return self._child

    @property
    def pid(self) -> int | None:
        """The child's that serves; None while nothing is loaded."""
        running = self._alive()
        return running.process.pid if running else None

    async def status(self) -> EngineStatus:
        """Say whether a model can run: the child answers, or could be started.

        The address is the models' folder: the child's own is a private port, and nobody else's.
        """
        version = installed_version()
        running = self._alive()
        detail = None if version else EngineMissing.code
        if running:
            try:
                await running.client.is_ready()
            except EngineError as error:
                # A child that ended while we asked is no fault: the next answer starts another.
                await running.process.death(JUST_ENDED_SECONDS)
                detail = error.code if running is self._alive() else detail
        return EngineStatus("embedded", str(self._models_dir), detail is None, version, detail)

    async def models(self) -> list[Model]:
        return [model for model, _ in await asyncio.to_thread(self._listing)]

    async def model(self, name: str) -> Model:
        return (await self._find(name))[0]

    async def loaded(self) -> list[LoadedModel]:
        running = self._alive()
        if running is None:
            return []
        try:
            memory = psutil.Process(running.process.pid).memory_info().rss
        except psutil.Error:
            return []
        return [LoadedModel(running.process.model, memory, running.process.context_tokens)]

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece]:
        if self._fitting((await self._find(request.model))[0]) is None:
            yield Loading()
        running = await self._ensure(request.model)
        try:
            async with aclosing(running.client.chat(request)) as pieces:
                async for piece in pieces:
                    yield piece
        except (AnswerInterrupted, EngineUnavailable) as error:
            raise await self._why_cut(running, error) from None

    async def count_tokens(self, model: str, messages: Sequence[PromptMessage]) -> list[int]:
        """Return exact lengths if the model is loaded, else `engine.estimate`'s, a little large."""
        running = self._serving(model)
        if running is not None:
            try:
                return await running.client.count_tokens(messages)
            except EngineError:
                pass
        return [estimated_tokens(message.text) + TEMPLATE_TOKENS for message in messages]

    async def context_tokens(self, model: str) -> int:
        return self._slot_tokens((await self._find(model))[0])

    async def need(self, model: str, size_bytes: int | None = None) -> MemoryNeed:
        if size_bytes is not None:
            return await self._need(Model(model, size_bytes), None)
        return await self._need(*await self._find(model))

    async def disk_free_bytes(self) -> int | None:
        return await asyncio.to_thread(disk_free_bytes, self._models_dir)

    async def load(self, model: str) -> MemoryNeed | None:
        return (await self._ensure(model)).warning

    async def unload(self, model: str) -> None:
        async with self._switch:
            if self._running is not None and self._running.process.model == model:
                await self._stop()

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        """Fetch a starter model, by its name in the catalogue."""
        async with aclosing(fetched(model, self._models_dir, self._embedded.catalogue)) as steps:
            async for step in steps:
                yield step

    async def delete(self, model: str) -> None:
        _, path = await self._find(model)
        await self.unload(model)
        try:
            await asyncio.to_thread(path.unlink)
        except FileNotFoundError:
            raise ModelMissing(model=model) from None
        except OSError as error:
            raise EngineRejected(reason=error.strerror or "unlink", model=model) from None

    async def restart(self) -> bool:
        """Kill the child, whatever it is at, and load again what was loaded.

        False where it outlives SIGKILL for 10 s. A load that was under way is not taken up: who
        wanted it asks again. Raises what `load` raises.
        """
        child = self._child
        if child is None:
            return True
        if not await child.kill():
            return False
        async with self._switch:
            if self._child is child:  # nobody asked for another one meanwhile
                self._forget(child)
                if child.is_ready:
                    await self._started(child.model)
        return True

    async def close(self) -> None:
        async with self._switch:
            await self._stop()

    async def _ensure(self, model: str) -> Running:
        """Return the child that serves this model, started if need be; one switch at a time."""
        async with self._switch:
            running = self._fitting((await self._find(model))[0])
            return running or await self._started(model)

    async def _started(self, model: str) -> Running:
        """Put a child for this model in the place of the one that is there; under the lock."""
        found, path = await self._find(model)
        if installed_version() is None:
            raise EngineMissing(reason=LIBRARY)
        if found.is_broken:  # the model that is loaded stays for the others
            raise ModelBroken(model=model, reason="unreadable")
        need = await self._need(found, path)
        refuse_too_large(need)
        await self._stop()
        memory = await asyncio.to_thread(self._machine_memory)
        warning = warned(replace(need, available_bytes=memory.available_bytes))
        child = ChildSettings(
            model=model,
            path=str(path),
            slots=self._engine.slots,
            context_tokens=self._slot_tokens(found),
            batch_tokens=self._embedded.batch_tokens,
            threads=self._engine.threads or default_threads(),
            host_cache_mib=self._embedded.host_cache_mib,
        )
        self._child = process = await LlamaProcess.launch(child)
        try:
            await process.wait_ready(self._deadlines.load_seconds)
        except ModelBroken:
            self._broken.add(found)
            raise
        finally:
            # A file that cannot be loaded is no death of the engine; a signal is.
            if not (process.is_ready or process.was_killed):
                self._forget(process)
        client = LlamaClient(process.address, process.api_key, self._deadlines)
        self._running = Running(process, client, warning)
        return self._running

    def _forget(self, child: LlamaProcess) -> None:
        if self._child is child:
            self._child = None

    async def _need(self, model: Model, path: Path | None) -> MemoryNeed:
        facts = await asyncio.to_thread(facts_in, path) if path else {}
        memory = await asyncio.to_thread(self._machine_memory)
        return memory_need(
            model.name,
            shape_of(facts, model.size_bytes or 0),
            slots=self._engine.slots,
            context_tokens=self._slot_tokens(model),
            batch_tokens=self._embedded.batch_tokens,
            total_bytes=memory.total_bytes,
            available_bytes=memory.available_bytes,
        )

    async def _stop(self) -> None:
        running, self._running = self._running, None
        if running is not None:
            # In this order: an open stream then ends as one whose server went away.
            try:
                await running.process.stop()
            finally:  # also where its caller has waited long enough
                await running.client.close()

    async def _why_cut(self, running: Running, error: EngineError) -> EngineError:
        """Return what the stream's end means, by how its process ended."""
        death = await running.process.death(DEATH_SECONDS)
        if death is not None and running.process.was_killed:
            return death
        if isinstance(error, EngineUnavailable) and not running.process.is_running:
            return AnswerInterrupted(reason="engine_ended")
        return error

    def _alive(self) -> Running | None:
        running = self._running
        return running if running is not None and running.process.is_running else None

    def _serving(self, model: str) -> Running | None:
        running = self._alive()
        return running if running is not None and running.process.model == model else None

    def _fitting(self, model: Model) -> Running | None:
        """Return the child that serves a model with the context that is chosen for it now."""
        running = self._serving(model.name)
        is_so = running is not None and running.process.context_tokens == self._slot_tokens(model)
        return running if is_so else None

    def _slot_tokens(self, model: Model) -> int:
        wanted = self._chosen_context(model.name) or self._engine.context_tokens
        return min(wanted, model.context_tokens or wanted)

    async def _find(self, name: str) -> tuple[Model, Path]:
        for model, path in await asyncio.to_thread(self._listing):
            if model.name == name:
                return model, path
        raise ModelMissing(model=name)

    def _listing(self) -> list[tuple[Model, Path]]:
        """Return the models and their files; a header is read again only if the file changed."""
        found: list[tuple[Model, Path]] = []
        for path in sorted(self._models_dir.glob("*.gguf")):
            try:
                facts = path.stat()
                key = (path, facts.st_size, facts.st_mtime_ns)
                if path.is_file():
                    if key not in self._known:
                        self._known[key] = model_in(path)
                    model = self._known[key]
                    if model in self._broken:
                        model = replace(model, is_broken=True)
                    found.append((model, path))
            except OSError:
                continue  # it went away, or may not be read: it is not to be offered
        return found


def default_threads() -> int:
    """Return one less than the cores we may use.

    llama.cpp's threads wait for each other by spinning: with one for each core, any other
    process that wants a core costs far more than its share.
    """
    return max(1, len(os.sched_getaffinity(0)) - 1)


def installed_version() -> str | None:
    try:
        return importlib.metadata.version(LIBRARY)
    except importlib.metadata.PackageNotFoundError:
        return None
