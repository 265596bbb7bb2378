"""Only the decoding threads of a real llama.cpp hang: pages stay green, the meters do not lie."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from couachgptd import settings
from couachgptd.core.errors import AnswerInterrupted
from couachgptd.core.models import ChatRequest, Finished, PromptMessage, Text
from couachgptd.engine.control import OwnChildControl
from couachgptd.engine.embedded import EmbeddedEngine
from tests.freeze_threads import frozen_decoder

DEADLINES = settings.Deadlines(load_seconds=60, read_seconds=60, gap_seconds=30, total_seconds=120)
SILENCE_SECONDS = 1.0


@pytest.fixture
async def engine(starter_model: Path, tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    (tmp_path / "petit.gguf").symlink_to(starter_model)
    section = settings.Engine(context_tokens=2048, threads=1)
    opened = EmbeddedEngine(section, settings.Embedded(host_cache_mib=0), DEADLINES, tmp_path)
    yield opened
    await opened.close()


@pytest.fixture
async def control(engine: EmbeddedEngine) -> AsyncIterator[OwnChildControl]:
    opened = OwnChildControl(engine)
    yield opened
    await opened.close()


class Reader:
    """Reads a long answer and counts its pieces."""

    def __init__(self, engine: EmbeddedEngine) -> None:
        text = "Write a very long story about a dog, a cat and a bird, with many chapters."
        messages = (PromptMessage("user", text),)
        self.request = ChatRequest("petit", messages, max_tokens=1500, temperature=1.0, seed=1)
        self.pieces = 0
        self._writes = asyncio.Event()
        self.task = asyncio.create_task(self._read(engine))

    async def _read(self, engine: EmbeddedEngine) -> None:
        async for piece in engine.chat(self.request):
            self.pieces += 1
            if isinstance(piece, Text):
                self._writes.set()

    async def goes_on(self) -> None:
        self._writes.clear()
        await self._writes.wait()


async def test_a_decoder_that_hangs_is_seen_by_nothing_but_silence_and_idle_meters(
    engine: EmbeddedEngine, control: OwnChildControl
) -> None:
    reader = Reader(engine)
    await reader.goes_on()
    assert engine.pid is not None
    async with frozen_decoder(engine.pid) as threads:
        await asyncio.sleep(0.1)  # what was written before still comes
        before = reader.pieces
        await control.vitals()

        await asyncio.sleep(SILENCE_SECONDS)
        seen = await control.vitals()

        assert 0 < len(threads) < psutil.Process(engine.pid).num_threads()
        assert reader.pieces == before
        assert seen.liveness is not None
        assert seen.liveness.is_ok
        assert seen.meters.cpu_cores is not None
        assert seen.meters.cpu_cores < 0.05
        assert seen.meters.io_bytes_per_second == 0
    await reader.goes_on()
    reader.task.cancel()
    await asyncio.wait({reader.task})


async def test_a_hung_decoder_is_cured_by_a_restart(
    engine: EmbeddedEngine, control: OwnChildControl
) -> None:
    reader = Reader(engine)
    await reader.goes_on()
    assert engine.pid is not None
    async with frozen_decoder(engine.pid):
        outcome = await control.restart()

    await asyncio.wait({reader.task})
    assert outcome.is_done
    assert outcome.seconds < 10
    assert isinstance(reader.task.exception(), AnswerInterrupted)
    request = replace(reader.request, max_tokens=4)
    assert [type(piece) async for piece in engine.chat(request)][-1] is Finished
