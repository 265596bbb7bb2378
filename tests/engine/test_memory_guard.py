"""A model that this machine cannot hold is refused before it is loaded, with the numbers."""

import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from couachgptd import settings
from couachgptd.core.errors import EngineError, ModelMissing, ModelTooLarge
from couachgptd.core.memory import memory_need, shape_of
from couachgptd.core.models import ChatRequest, Finished, PromptMessage
from couachgptd.core.ports import Engine
from couachgptd.engine.addresses import is_on_this_machine
from couachgptd.engine.embedded import EmbeddedEngine
from couachgptd.engine.gguf import facts_in
from couachgptd.engine.llama_process import ChildSettings, LlamaProcess
from couachgptd.engine.machine import disk_free_bytes
from couachgptd.engine.meters import Memory
from couachgptd.engine.ollama import OllamaEngine

MB = 1_000_000
DEADLINES = settings.Deadlines(load_seconds=60, read_seconds=60, gap_seconds=30, total_seconds=120)

MakeEngine = Callable[[Memory], Engine]


@pytest.fixture(params=["embedded", "ollama"])
async def make_engine(
    request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[tuple[MakeEngine, str]]:
    """Return what makes an engine on a machine with this memory, and the name of its model."""
    made: list[Engine] = []

    def embedded(memory: Memory) -> Engine:
        section = settings.Engine(context_tokens=4096, threads=1, slots=2)
        engine = EmbeddedEngine(section, settings.Embedded(), DEADLINES, tmp_path, lambda: memory)
        made.append(engine)
        return engine

    def ollama(memory: Memory) -> Engine:
        section = settings.Engine(context_tokens=4096, slots=2)
        url = request.getfixturevalue("start_fake_ollama")().url
        engine = OllamaEngine(section, settings.Ollama(url=url), DEADLINES, lambda: memory)
        made.append(engine)
        return engine

    if request.param == "embedded":
        (tmp_path / "petit.gguf").symlink_to(request.getfixturevalue("starter_model"))
        yield embedded, "petit"
    else:
        yield ollama, "couac:1b"
    for engine in made:
        await engine.close()


def asked(model: str) -> ChatRequest:
    return ChatRequest(model, (PromptMessage("user", "Bonjour"),), max_tokens=2)


async def refusal(engine: Engine, model: str) -> dict[str, Any]:
    with pytest.raises(ModelTooLarge) as told:
        await engine.load(model)
    with pytest.raises(ModelTooLarge):
        async for _ in engine.chat(asked(model)):
            pass
    return told.value.fields


async def test_a_model_that_cannot_fit_is_refused_with_the_numbers(
    make_engine: tuple[MakeEngine, str],
) -> None:
    make, model = make_engine
    needed = (await refusal(make(Memory(1, 1)), model))["needed_bytes"]
    total = needed - 20 * MB
    engine = make(Memory(total, total))

    fields = await refusal(engine, model)

    assert fields["model"] == model
    assert fields["needed_bytes"] == needed
    assert fields["total_bytes"] == total
    assert 2048 < fields["fitting_context_tokens"] < 4096
    assert await engine.loaded() == []


async def test_what_a_load_would_need_is_told_beforehand_and_of_a_file_that_is_not_here(
    make_engine: tuple[MakeEngine, str],
) -> None:
    make, model = make_engine
    refused = await refusal(make(Memory(1, 1)), model)
    engine = make(Memory(64_000 * MB, 10 * MB))

    need = await engine.need(model)
    other = await engine.need("ailleurs:7b", 4_000 * MB)

    assert need is not None
    assert other is not None
    assert need.needed_bytes == refused["needed_bytes"]
    assert (need.slots, need.context_tokens, need.available_bytes) == (2, 4096, 10 * MB)
    assert other.needed_bytes > 4_000 * MB
    with pytest.raises(ModelMissing):
        await engine.need("ailleurs:7b")


async def test_memory_that_others_use_is_a_warning_and_the_model_is_loaded(
    make_engine: tuple[MakeEngine, str], caplog: pytest.LogCaptureFixture
) -> None:
    make, model = make_engine
    engine = make(Memory(64_000 * MB, 10 * MB))

    with caplog.at_level(logging.WARNING, "couachgptd"):
        warning = await engine.load(model)

    assert warning is not None
    assert warning.available_bytes == 10 * MB
    assert warning.needed_bytes > 300 * MB
    assert "memory is short" in caplog.text
    assert [pieces async for pieces in engine.chat(asked(model))][-1].__class__ is Finished


async def test_enough_memory_is_no_word_about_it(make_engine: tuple[MakeEngine, str]) -> None:
    make, model = make_engine

    assert await make(Memory(64_000 * MB, 64_000 * MB)).load(model) is None


async def test_a_refusal_leaves_the_model_that_is_loaded(
    starter_model: Path, tmp_path: Path
) -> None:
    memory = [Memory(64_000 * MB, 64_000 * MB)]
    for name in ("un", "deux"):
        (tmp_path / f"{name}.gguf").symlink_to(starter_model)
    section = settings.Engine(context_tokens=512, threads=1)
    engine = EmbeddedEngine(section, settings.Embedded(), DEADLINES, tmp_path, lambda: memory[0])
    await engine.load("un")
    memory[0] = Memory(10 * MB, 10 * MB)

    with pytest.raises(ModelTooLarge):
        await engine.load("deux")

    assert [model.name for model in await engine.loaded()] == ["un"]
    await engine.close()


async def test_nothing_is_refused_for_the_memory_of_another_host(
    start_fake_ollama: Callable[..., Any],
) -> None:
    # A name of this machine that is no loopback address stands for another host.
    port = start_fake_ollama().url.rpartition(":")[2]
    section = settings.Ollama(url=f"http://0.0.0.0:{port}")
    engine = OllamaEngine(settings.Engine(), section, DEADLINES, lambda: Memory(1, 1))

    assert await engine.load("couac:1b") is None
    await engine.close()


async def test_an_ollama_that_will_not_tell_is_asked_to_load_all_the_same() -> None:
    section = settings.Ollama(url="http://127.0.0.1:1")
    engine = OllamaEngine(settings.Engine(), section, DEADLINES, lambda: Memory(1, 1))

    with pytest.raises(EngineError) as told:
        await engine.load("couac:1b")

    assert told.value.code == "engine_unavailable"
    await engine.close()


@pytest.mark.parametrize(("slots", "context_tokens"), [(1, 512), (1, 4096), (2, 8192)])
async def test_the_estimate_is_what_the_real_engine_then_takes(
    starter_model: Path, slots: int, context_tokens: int
) -> None:
    estimate = memory_need(
        "petit",
        shape_of(facts_in(starter_model), starter_model.stat().st_size),
        slots=slots,
        context_tokens=context_tokens,
        batch_tokens=256,
        total_bytes=1,
        available_bytes=1,
    ).needed_bytes
    settings = ChildSettings(
        model="petit",
        path=str(starter_model),
        slots=slots,
        context_tokens=context_tokens,
        batch_tokens=256,
        threads=1,
        host_cache_mib=0,
    )
    process = await LlamaProcess.start(settings, 60)

    resident = psutil.Process(process.pid).memory_info().rss
    await process.stop()

    assert 0.9 * resident <= estimate <= 2 * resident


@pytest.mark.parametrize(
    "host", ["127.0.0.1:11434", "localhost:11434/", "[::1]:11434", "127.1.2.3"]
)
def test_a_loopback_address_is_this_machine(host: str) -> None:
    assert is_on_this_machine(f"http://{host}")


@pytest.mark.parametrize("url", ["http://192.168.1.5:11434", "https://ollama.lan", "localhost", ""])
def test_any_other_address_is_another_host(url: str) -> None:
    assert not is_on_this_machine(url)


def test_the_disk_of_a_folder_that_is_not_there_is_not_known(tmp_path: Path) -> None:
    assert disk_free_bytes(tmp_path) is not None
    assert disk_free_bytes(tmp_path / "absent") is None
