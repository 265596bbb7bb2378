"""What goes wrong in Ollama has one error each, and what we send it never varies."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import psutil
import pytest

from couachgptd import settings
from couachgptd.core.errors import (
    AnswerInterrupted,
    EngineBusy,
    EngineError,
    EngineKilled,
    EngineRejected,
    EngineTimeout,
    EngineUnavailable,
    ModelMissing,
)
from couachgptd.core.models import (
    ChatRequest,
    Finished,
    Loading,
    Piece,
    PromptMessage,
    Reading,
    Text,
    Thought,
)
from couachgptd.engine.ollama import OllamaEngine, full_name
from couachgptd.engine.ollama_api import classified

MODEL = "couac:1b"
DEADLINES = settings.Deadlines(load_seconds=20, read_seconds=20, gap_seconds=20, total_seconds=60)


def engine_at(url: str, deadlines: settings.Deadlines = DEADLINES) -> OllamaEngine:
    section = settings.Engine(context_tokens=2048, threads=3)
    return OllamaEngine(section, settings.Ollama(url=url, keep_alive_seconds=77), deadlines)


@pytest.fixture
def fake(start_fake_ollama: Callable[..., Any]) -> Any:
    return start_fake_ollama()


@pytest.fixture
async def engine(fake: Any) -> AsyncIterator[OllamaEngine]:
    opened = engine_at(fake.url)
    yield opened
    await opened.close()


def asked(script: str, **changes: Any) -> ChatRequest:
    messages = (PromptMessage("user", f"Bonjour [[{script}]]"),)
    return ChatRequest(**{"model": MODEL, "messages": messages, "max_tokens": 500, **changes})


async def collect(engine: OllamaEngine, request: ChatRequest, into: list[Piece]) -> None:
    async for piece in engine.chat(request):
        into.append(piece)  # noqa: PERF401 -- what came before an error must stay


async def test_the_stage_is_loading_once_and_then_reading(engine: OllamaEngine) -> None:
    first = [piece async for piece in engine.chat(asked("tokens=3"))]
    second = [piece async for piece in engine.chat(asked("tokens=3"))]

    assert first[0] == Loading()
    assert second[0] == Reading()


@pytest.mark.parametrize(
    ("script", "error", "fields"),
    [
        ("eof-after=5", AnswerInterrupted, {"reason": "no_final_frame"}),
        ("malformed-after=5", AnswerInterrupted, {"reason": "malformed_line"}),
        ("huge-line-after=5", AnswerInterrupted, {"reason": "line_too_long"}),
        ("crash-after=5", AnswerInterrupted, {"reason": "connection_lost"}),
        (
            "error-after=5",
            AnswerInterrupted,
            {"reason": "an error was encountered while running the model: told to"},
        ),
        ("status=503", EngineBusy, {}),
        ("status=500", EngineRejected, {"reason": "told to fail"}),
        ("status=404", ModelMissing, {"model": MODEL}),
    ],
)
async def test_each_way_to_fail_has_its_error(
    engine: OllamaEngine, script: str, error: type[EngineError], fields: dict[str, Any]
) -> None:
    with pytest.raises(error) as told:
        await collect(engine, asked(script), [])

    assert type(told.value) is error
    assert told.value.fields == fields


async def test_an_engine_that_is_busy_twice_answers_the_third_time(
    start_fake_ollama: Callable[..., Any],
) -> None:
    engine = engine_at(start_fake_ollama("--status", "503", "--status-times", "2").url)

    for _ in range(2):
        with pytest.raises(EngineBusy):
            await collect(engine, asked("tokens=2"), [])
    pieces: list[Piece] = []
    await collect(engine, asked("tokens=2"), pieces)

    assert isinstance(pieces[-1], Finished)
    await engine.close()


async def test_the_messages_are_sent_as_they_are(engine: OllamaEngine) -> None:
    pieces: list[Piece] = []

    await collect(engine, asked("echo"), pieces)

    text = "".join(piece.text for piece in pieces if isinstance(piece, Text))
    assert json.loads(text) == [{"role": "user", "content": "Bonjour [[echo]]"}]


async def test_what_came_before_a_break_is_given(engine: OllamaEngine) -> None:
    received: list[Piece] = []

    with pytest.raises(AnswerInterrupted):
        await collect(engine, asked("eof-after=5"), received)

    assert any(isinstance(piece, Text) for piece in received)


async def test_a_line_of_ten_megabytes_is_never_held(engine: OllamaEngine) -> None:
    with pytest.raises(AnswerInterrupted):  # once, so that all that is loaded at first use is
        await collect(engine, asked("huge-line-after=1"), [])
    before = psutil.Process().memory_info().rss

    for _ in range(3):
        with pytest.raises(AnswerInterrupted):
            await collect(engine, asked("huge-line-after=1"), [])

    assert psutil.Process().memory_info().rss - before < 5 << 20


async def test_nothing_at_the_address_is_unavailable() -> None:
    engine = engine_at("http://127.0.0.1:1")

    with pytest.raises(EngineUnavailable):
        await collect(engine, asked("tokens=1"), [])
    with pytest.raises(EngineUnavailable):
        await engine.models()
    assert (await engine.status()).detail == "engine_unavailable"
    await engine.close()


async def test_a_hang_before_the_first_token_is_cut_and_freed(fake: Any) -> None:
    engine = engine_at(fake.url, settings.Deadlines(load_seconds=0.2, read_seconds=0.2))

    with pytest.raises(EngineTimeout) as told:
        await collect(engine, asked("hang-before-first"), [])

    assert told.value.fields == {"phase": "load", "seconds": 0.4}
    assert (await fake.state(wait_idle=5))["active"] == 0
    await engine.close()


async def test_a_hang_in_mid_answer_is_cut_and_freed(fake: Any) -> None:
    engine = engine_at(fake.url, settings.Deadlines(gap_seconds=0.3))

    with pytest.raises(EngineTimeout) as told:
        await collect(engine, asked("hang-after=4"), [])

    assert told.value.fields == {"phase": "gap", "seconds": 0.3}
    assert (await fake.state(wait_idle=5))["active"] == 0
    await engine.close()


@pytest.mark.parametrize("script", ["think tokens=20", "think-tags tokens=20"])
async def test_thoughts_come_before_the_text_however_they_are_sent(
    engine: OllamaEngine, script: str
) -> None:
    pieces = [piece async for piece in engine.chat(asked(script))]

    thought = "".join(piece.text for piece in pieces if isinstance(piece, Thought))
    text = "".join(piece.text for piece in pieces if isinstance(piece, Text))
    assert thought.strip().startswith("La personne demande")
    assert text.startswith("Bien sûr")
    assert "think>" not in thought + text


async def test_every_call_carries_the_same_runner_options(fake: Any, engine: OllamaEngine) -> None:
    await engine.load(MODEL)
    for temperature in (None, 0.2):
        await collect(engine, asked("tokens=2", temperature=temperature), [])

    state = await fake.state()

    assert state["loads"] == 1
    assert state["last_options"] == {"num_ctx": 2048, "num_thread": 3}
    assert state["last_body"]["keep_alive"] == 77
    assert state["last_body"]["options"] == {
        "num_ctx": 2048,
        "num_thread": 3,
        "num_predict": 500,
        "temperature": 0.2,
    }


async def test_the_connection_of_an_answer_serves_again(fake: Any, engine: OllamaEngine) -> None:
    for _ in range(5):
        pieces = [piece async for piece in engine.chat(asked("tokens=2"))]
        assert isinstance(pieces[-1], Finished)

    connections = psutil.Process(fake.process.pid).net_connections("tcp")
    assert sum(each.status == psutil.CONN_ESTABLISHED for each in connections) == 1
    assert (await fake.state())["cancelled"] == 0


async def test_two_hundred_streams_run_at_once(fake: Any, engine: OllamaEngine) -> None:
    async with aclosing(engine.chat(asked("hang-after=1"))) as first:
        opened = [first] + [engine.chat(asked("hang-after=1")) for _ in range(199)]
        for stream in opened:
            async for piece in stream:
                if isinstance(piece, Text):
                    break

        assert (await fake.state())["active"] == 200
        assert (await engine.status()).is_up
        for stream in opened:
            await stream.aclose()
    assert (await fake.state(wait_idle=5))["active"] == 0


async def test_a_download_tells_how_far_it_is(engine: OllamaEngine) -> None:
    steps = [step async for step in engine.pull("nouveau:1b")]

    assert steps[-1].stage == "success"
    assert max(step.done_bytes for step in steps) == 1_000_000
    assert "nouveau:1b" in [model.name for model in await engine.models()]


async def test_a_download_of_what_does_not_exist_is_refused(engine: OllamaEngine) -> None:
    with pytest.raises(ModelMissing):
        async for _ in engine.pull("inexistant"):
            pass


async def test_a_deleted_model_is_gone(engine: OllamaEngine) -> None:
    await engine.delete("couac:3b")

    assert "couac:3b" not in [model.name for model in await engine.models()]
    with pytest.raises(ModelMissing):
        await engine.delete("couac:3b")


async def test_what_a_model_can_do_is_told(engine: OllamaEngine) -> None:
    model = await engine.model("couac-pense:1b")

    assert "thinking" in model.abilities
    assert model.parameters == "1.5B"
    assert model.quantization == "Q4_K_M"


@pytest.mark.parametrize(
    ("text", "status", "error"),
    [
        ("llama runner process has terminated: signal: killed", 500, EngineKilled),
        ("model runner has unexpectedly stopped", 500, EngineKilled),
        ("timed out waiting for llama-server to start", 500, EngineTimeout),
        ("no slots available after 10 retries", 500, EngineBusy),
        ("something else", 500, EngineRejected),
    ],
)
def test_ollamas_words_are_understood(text: str, status: int, error: type[EngineError]) -> None:
    assert type(classified(text, status, MODEL)) is error


def test_a_name_without_tag_means_latest() -> None:
    assert full_name("couac") == "couac:latest"
    assert full_name("couac:1b") == "couac:1b"
    assert full_name("hote:5000/couac") == "hote:5000/couac:latest"
