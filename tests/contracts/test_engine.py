"""The engine's contract, the same for Ollama, our own llama.cpp and somebody else's."""

import signal
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from couachgptd import settings
from couachgptd.core.errors import (
    EngineError,
    EngineRejected,
    EngineTimeout,
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
from couachgptd.core.ports import Engine

if TYPE_CHECKING:
    from tests.contracts.conftest import Case

DeadlinesWith = Callable[..., settings.Deadlines]
STAGES: tuple[type[Piece], ...] = (Loading, Reading, Thought, Text, Finished)


async def all_of(pieces: AsyncGenerator[Piece]) -> list[Piece]:
    return [piece async for piece in pieces]


async def until_text(pieces: AsyncGenerator[Piece]) -> str:
    async for piece in pieces:
        if isinstance(piece, Text):
            return piece.text
    pytest.fail("the answer had no text")


def text_of(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


async def ask(engine: Engine, request: ChatRequest) -> list[Piece]:
    return await all_of(engine.chat(request))


async def test_an_engine_that_runs_says_so(case: "Case") -> None:
    status = await case.engine.status()

    assert status.is_up
    assert status.kind == case.kind
    assert status.detail is None


async def test_the_models_are_listed_by_name(case: "Case") -> None:
    models = await case.engine.models()

    names = [model.name for model in models]
    assert case.model in names
    assert names == sorted(names)
    assert all(model.size_bytes for model in models)
    if case.kind != "llama-server":  # which says nothing of its file
        assert all(model.fingerprint for model in models)


async def test_one_model_is_told_of_with_its_context(case: "Case") -> None:
    model = await case.engine.model(case.model)

    assert model.name == case.model
    assert model.context_tokens == 8192


async def test_a_slot_holds_what_the_configuration_says(case: "Case") -> None:
    assert await case.engine.context_tokens(case.model) == 1024


async def test_an_answer_comes_in_stages_and_ends_once(case: "Case") -> None:
    pieces = await ask(case.engine, case.request("Say hello."))

    ranks = [STAGES.index(type(piece)) for piece in pieces]
    assert ranks == sorted(ranks)
    assert [type(piece) for piece in pieces].count(Finished) == 1
    assert text_of(pieces)


async def test_the_end_of_an_answer_tells_what_it_cost(case: "Case") -> None:
    pieces = await ask(case.engine, case.request("Tell me about Paris.", max_tokens=10))

    last = pieces[-1]
    assert isinstance(last, Finished)
    assert last.reason == "length"
    assert last.timings.answer_tokens == 10
    assert last.timings.prompt_tokens
    assert last.timings.tokens_per_second


async def test_the_pieces_count_about_as_many_tokens_as_the_engine(case: "Case") -> None:
    pieces = await ask(case.engine, case.request("Tell me about Paris.", max_tokens=60))

    last = pieces[-1]
    assert isinstance(last, Finished)
    counted = sum(piece.tokens for piece in pieces if isinstance(piece, Text | Thought))
    assert last.timings.answer_tokens
    assert 0.9 * last.timings.answer_tokens <= counted <= last.timings.answer_tokens


async def test_a_model_that_is_not_there_is_named(case: "Case") -> None:
    with pytest.raises(ModelMissing) as told:
        await ask(case.engine, case.request(model="absent"))

    assert told.value.fields["model"] == "absent"
    with pytest.raises(ModelMissing):
        await case.engine.model("absent")


@pytest.mark.parametrize("name", ["../smollm2", "/etc/passwd", "smollm2.gguf", ""])
async def test_a_name_is_never_a_path(case: "Case", name: str) -> None:
    with pytest.raises(EngineError):
        await ask(case.engine, case.request(model=name))


async def test_a_closed_stream_frees_the_engine(case: "Case") -> None:
    stream = case.engine.chat(case.request(case.long_question, max_tokens=900))
    await until_text(stream)

    await stream.aclose()

    assert await case.is_idle()


async def test_a_stream_closed_while_the_prompt_is_read_frees_the_engine(case: "Case") -> None:
    await case.engine.load(case.model)
    stream = case.engine.chat(case.request("word " * 800 + case.hanging_question))
    async for piece in stream:
        if isinstance(piece, Reading):
            break

    await stream.aclose()

    assert await case.is_idle()


async def test_after_a_closed_stream_the_next_answer_comes(case: "Case") -> None:
    stream = case.engine.chat(case.request(case.long_question, max_tokens=900))
    await until_text(stream)
    await stream.aclose()

    pieces = await ask(case.engine, case.request("Say hello."))

    assert isinstance(pieces[-1], Finished)


async def test_an_engine_silent_before_the_first_token_meets_a_deadline(
    case: "Case",
    deadlines_with: DeadlinesWith,
) -> None:
    # Ollama does not say when it has loaded: the two budgets are one there.
    load_seconds = 0.3 if case.kind == "ollama" else 60
    engine = await case.reopened(deadlines_with(load_seconds=load_seconds, read_seconds=0.3))
    await engine.load(case.model)
    case.signal(signal.SIGSTOP)

    with pytest.raises(EngineTimeout) as told:
        await ask(engine, case.request(case.hanging_question))

    assert told.value.fields["phase"] in {"load", "read", "answer"}


async def test_an_engine_silent_in_mid_answer_meets_a_deadline(
    case: "Case",
    deadlines_with: DeadlinesWith,
) -> None:
    engine = await case.reopened(deadlines_with(gap_seconds=1.0))
    async with aclosing(engine.chat(case.request(case.long_question, max_tokens=900))) as stream:
        await until_text(stream)
        case.signal(signal.SIGSTOP)

        with pytest.raises(EngineTimeout) as told:
            await all_of(stream)

    assert told.value.fields == {"phase": "gap", "seconds": 1.0}


async def test_an_answer_without_end_meets_the_last_deadline(
    case: "Case",
    deadlines_with: DeadlinesWith,
) -> None:
    engine = await case.reopened(deadlines_with(total_seconds=0.5))
    await engine.load(case.model)

    with pytest.raises(EngineTimeout) as told:
        await ask(engine, case.request(case.long_question, max_tokens=900))

    assert told.value.fields == {"phase": "total", "seconds": 0.5}
    assert await case.is_idle()


async def test_a_loaded_model_is_listed_once_however_often_it_was_loaded(case: "Case") -> None:
    await case.engine.load(case.model)
    pid = case.pid_of_server()
    await case.engine.load(case.model)

    loaded = await case.engine.loaded()

    assert [model.name for model in loaded] == [case.model]
    assert case.pid_of_server() == pid


async def test_a_model_can_be_dropped_twice(case: "Case") -> None:
    await case.engine.load(case.model)
    if not case.can_unload:
        with pytest.raises(EngineRejected):
            await case.engine.unload(case.model)
        return

    await case.engine.unload(case.model)
    await case.engine.unload(case.model)

    assert await case.engine.loaded() == []


async def test_a_longer_text_counts_more_tokens(case: "Case") -> None:
    texts = ["", "Bonjour", "Bonjour à toutes et à tous", "Bonjour à toutes et à tous. " * 20]
    messages = [PromptMessage("user", text) for text in texts]

    before_load = await case.engine.count_tokens(case.model, messages[1:])
    await case.engine.load(case.model)
    loaded = await case.engine.count_tokens(case.model, messages[1:])

    for counts in (before_load, loaded):
        assert len(counts) == 3
        assert min(counts) > 0
        assert counts[0] < counts[-1]
        assert counts[1] < counts[2]
    assert await case.engine.count_tokens(case.model, []) == []
    assert min(await case.engine.count_tokens(case.model, messages[:1])) >= 0


async def test_counting_never_loads_a_model(case: "Case") -> None:
    before = await case.engine.loaded()

    await case.engine.count_tokens(case.model, [PromptMessage("user", "Bonjour")])

    assert await case.engine.loaded() == before


async def test_an_answer_that_was_cut_is_gone_on_with(case: "Case") -> None:
    messages = (PromptMessage("user", "Count to ten"), PromptMessage("assistant", case.said))

    pieces = await ask(case.engine, case.request(messages=messages))

    assert text_of(pieces).lstrip().startswith(case.goes_on_with)


async def test_a_death_in_mid_answer_keeps_what_came_and_says_so(case: "Case") -> None:
    stream = case.engine.chat(case.request(case.long_question, max_tokens=900))
    assert await until_text(stream)
    case.signal(signal.SIGKILL)

    with pytest.raises(EngineError) as told:
        await all_of(stream)

    assert told.value.code in case.death_codes


async def test_an_engine_that_is_gone_never_makes_status_or_loaded_raise(case: "Case") -> None:
    await case.engine.load(case.model)
    case.signal(signal.SIGKILL)

    status = await case.engine.status()

    # The embedded engine starts another child at the next answer: it is not down.
    assert status.is_up is (case.kind == "embedded")
    assert await case.engine.loaded() == []


async def test_closing_twice_is_closing_once(case: "Case") -> None:
    await ask(case.engine, case.request())

    await case.engine.close()
    await case.engine.close()
