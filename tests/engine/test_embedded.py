"""Our own llama.cpp: switched, healed and counted as the port says."""

import asyncio
import gc
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from couachgptd import settings
from couachgptd.core.errors import (
    AnswerInterrupted,
    ContextExceeded,
    EngineKilled,
    EngineTimeout,
    ModelBroken,
    ModelMissing,
)
from couachgptd.core.models import (
    ChatRequest,
    Finished,
    Loading,
    PromptMessage,
    Reading,
    Speaker,
    Text,
)
from couachgptd.engine.embedded import EmbeddedEngine, default_threads

DEADLINES = settings.Deadlines(load_seconds=60, read_seconds=60, gap_seconds=30, total_seconds=120)
SECTION = settings.Engine(context_tokens=512, threads=1, slots=2)


@pytest.fixture
async def engine(starter_model: Path, tmp_path: Path) -> AsyncIterator[EmbeddedEngine]:
    (tmp_path / "un.gguf").symlink_to(starter_model)
    (tmp_path / "deux.gguf").symlink_to(starter_model)
    opened = EmbeddedEngine(SECTION, settings.Embedded(), DEADLINES, tmp_path)
    yield opened
    await opened.close()


def asked(text: str = "Say hello.", model: str = "un", max_tokens: int = 8) -> ChatRequest:
    return ChatRequest(
        model=model,
        messages=(PromptMessage("user", text),),
        max_tokens=max_tokens,
        temperature=0.0,
        seed=1,
    )


async def finished(engine: EmbeddedEngine, request: ChatRequest) -> Finished:
    pieces = [piece async for piece in engine.chat(request)]
    assert isinstance(pieces[-1], Finished)
    return pieces[-1]


async def test_another_model_takes_the_place_of_the_first(engine: EmbeddedEngine) -> None:
    await engine.load("un")
    first = engine.pid
    assert first is not None

    await finished(engine, asked(model="deux"))

    assert [model.name for model in await engine.loaded()] == ["deux"]
    assert not psutil.pid_exists(first)


async def test_another_context_of_the_loaded_model_is_told_as_the_load_that_it_is(
    starter_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "un.gguf").symlink_to(starter_model)
    chosen = [512]
    engine = EmbeddedEngine(
        SECTION, settings.Embedded(), DEADLINES, tmp_path, chosen_context=lambda _: chosen[0]
    )
    try:
        await engine.load("un")
        first = engine.pid
        chosen[0] = 640

        async with aclosing(engine.chat(asked())) as pieces:
            assert await anext(pieces) == Loading()
            assert engine.pid == first  # who leaves now has loaded nothing
            assert await anext(pieces) == Reading()

        assert engine.pid not in {None, first}
    finally:
        await engine.close()


async def test_its_address_is_the_folder_of_its_models_loaded_or_not(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    before = await engine.status()
    await engine.load("un")

    assert before.address == (await engine.status()).address == str(tmp_path)


async def test_loads_at_the_same_time_make_one_child(engine: EmbeddedEngine) -> None:
    await asyncio.gather(*(engine.load("un") for _ in range(4)))

    assert len(psutil.Process().children()) == 1


async def test_a_child_that_died_is_started_again_at_the_next_answer(
    engine: EmbeddedEngine,
) -> None:
    await engine.load("un")
    pid = engine.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while engine.pid is not None:  # noqa: ASYNC110 -- it offers no event, nor need it
        await asyncio.sleep(0.01)

    pieces = [piece async for piece in engine.chat(asked())]

    assert pieces[0] == Loading()
    assert isinstance(pieces[-1], Finished)
    assert engine.pid not in {None, pid}


async def test_an_answer_cut_by_a_switch_is_interrupted_not_killed(
    engine: EmbeddedEngine,
) -> None:
    stream = engine.chat(asked("Write a very long story about a dog.", max_tokens=400))
    async for piece in stream:
        if isinstance(piece, Text):
            break
    await engine.unload("un")

    with pytest.raises(AnswerInterrupted):
        async for _ in stream:
            pass


async def test_the_prompt_is_read_with_progress(engine: EmbeddedEngine) -> None:
    await engine.load("un")

    pieces = [piece async for piece in engine.chat(asked("one two three " * 130))]

    steps = [piece.tokens for piece in pieces if isinstance(piece, Reading)]
    assert steps == sorted(steps)
    last = [piece for piece in pieces if isinstance(piece, Reading)][-1]
    assert last.tokens == last.total_tokens > 300
    assert len(set(steps)) >= 3


async def test_a_prompt_that_does_not_fit_tells_both_numbers(engine: EmbeddedEngine) -> None:
    with pytest.raises(ContextExceeded) as told:
        await finished(engine, asked("word " * 2000))

    assert told.value.fields["limit_tokens"] == 512
    assert told.value.fields["tokens"] > 2000


async def test_counts_are_what_the_engine_then_reads(engine: EmbeddedEngine) -> None:
    await engine.load("un")
    turns: list[tuple[Speaker, str]] = [
        ("system", "You help."),
        ("user", "Bonjour à tous, l'été arrive !"),
        ("assistant", "Oui."),
        ("user", "def f(x): return x ** 2"),
    ]
    for start in (0, 1):
        messages = tuple(PromptMessage(speaker, text) for speaker, text in turns[start:])
        request = ChatRequest(model="un", messages=messages, max_tokens=2)

        counted = sum(await engine.count_tokens("un", messages))
        read = (await finished(engine, request)).timings.prompt_tokens

        assert read is not None
        assert read <= counted <= read + len(messages)


async def test_the_same_beginning_is_not_read_twice(engine: EmbeddedEngine) -> None:
    await finished(engine, asked("Say hello. " * 20))

    again = await finished(engine, asked("Say hello. " * 20))

    assert again.timings.cached_tokens
    assert again.timings.cached_tokens > 50


async def test_answers_run_side_by_side_on_their_slots(engine: EmbeddedEngine) -> None:
    messages = asked("Write a long story about a dog.").messages
    requests = [
        ChatRequest(model="un", messages=messages, max_tokens=30, slot=slot) for slot in (0, 1)
    ]

    ends = await asyncio.gather(*(finished(engine, request) for request in requests))

    assert [end.timings.answer_tokens for end in ends] == [30, 30]


async def test_a_deleted_model_is_stopped_and_gone(
    engine: EmbeddedEngine, tmp_path: Path, starter_model: Path
) -> None:
    shutil.copy(starter_model, tmp_path / "trois.gguf")
    await engine.load("trois")

    await engine.delete("trois")

    assert engine.pid is None
    assert not (tmp_path / "trois.gguf").exists()
    assert [model.name for model in await engine.models()] == ["deux", "un"]
    with pytest.raises(ModelMissing):
        await engine.delete("trois")


async def test_a_folder_without_models_lists_none(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("rien", encoding="utf-8")
    (tmp_path / "dossier.gguf").mkdir()
    for folder in (tmp_path, tmp_path / "absent"):
        engine = EmbeddedEngine(SECTION, settings.Embedded(), DEADLINES, folder)

        assert await engine.models() == []
        assert (await engine.status()).is_up


async def test_a_broken_file_is_listed_and_its_answer_says_so(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    (tmp_path / "casse.gguf").write_bytes(b"GGUF" + b"\0" * 100)

    assert "casse" in [model.name for model in await engine.models()]
    with pytest.raises(ModelBroken):
        await finished(engine, asked(model="casse"))


@pytest.mark.usefixtures("engine")
async def test_a_load_too_slow_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    hasty = EmbeddedEngine(
        SECTION, settings.Embedded(), settings.Deadlines(load_seconds=0.1), tmp_path
    )

    with pytest.raises(EngineTimeout):
        await hasty.load("un")

    assert hasty.pid is None
    await hasty.close()


def test_one_core_is_left_to_the_others() -> None:
    assert default_threads() == max(1, len(os.sched_getaffinity(0)) - 1)


async def test_a_model_that_is_loaded_stays_when_a_broken_one_is_asked_for(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    (tmp_path / "abime.gguf").write_bytes(b"not a model")
    await engine.load("un")

    with pytest.raises(ModelBroken):
        await finished(engine, asked(model="abime"))

    assert [model.name for model in await engine.loaded()] == ["un"]
    assert [model.name for model in await engine.models() if model.is_broken] == ["abime"]


async def test_a_file_that_could_not_be_loaded_is_broken_until_it_changes(
    engine: EmbeddedEngine, starter_model: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "coupe.gguf"
    cut.write_bytes(starter_model.read_bytes()[: 1 << 20])
    assert not (await engine.model("coupe")).is_broken, "its header is whole"
    with pytest.raises(ModelBroken):
        await engine.load("coupe")
    assert (await engine.model("coupe")).is_broken
    assert engine.child is None, "an end that needs no cure"

    shutil.copy(starter_model, cut)

    assert not (await engine.model("coupe")).is_broken


async def test_a_file_replaced_by_one_of_the_same_size_is_another(
    engine: EmbeddedEngine, tmp_path: Path
) -> None:
    file = tmp_path / "abime.gguf"
    file.write_bytes(b"not a model")
    before = (await engine.model("abime")).fingerprint
    file.write_bytes(b"nor a model")

    assert (await engine.model("abime")).fingerprint != before


async def test_an_unload_that_is_cut_leaves_no_connection_open(engine: EmbeddedEngine) -> None:
    await finished(engine, asked())
    pid, told = engine.pid, []
    assert pid is not None
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    os.kill(pid, signal.SIGSTOP)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await engine.unload("un")
    os.kill(pid, signal.SIGCONT)
    gc.collect()
    await asyncio.sleep(0)

    assert told == []


async def test_a_restart_loads_again_what_was_loaded(engine: EmbeddedEngine) -> None:
    await engine.load("deux")
    before = engine.pid
    assert before is not None
    os.kill(before, signal.SIGSTOP)

    assert await engine.restart()

    assert engine.pid not in {None, before}
    assert [model.name for model in await engine.loaded()] == ["deux"]
    assert not psutil.pid_exists(before)


async def test_a_restart_ends_a_load_that_hangs_and_leaves_it_to_who_wants_it(
    engine: EmbeddedEngine,
) -> None:
    loading = asyncio.create_task(engine.load("un"))
    while engine.child is None:  # noqa: ASYNC110 -- it offers no event, nor need it
        await asyncio.sleep(0)
    os.kill(engine.child.pid, signal.SIGSTOP)

    assert await engine.restart()

    with pytest.raises(AnswerInterrupted):
        await loading
    assert engine.pid is None
    await finished(engine, asked())


async def test_a_model_asked_for_during_a_restart_is_the_one_that_stays(
    engine: EmbeddedEngine,
) -> None:
    await engine.load("un")

    restarting = asyncio.create_task(engine.restart())
    await asyncio.sleep(0)  # the child is being killed
    await asyncio.gather(finished(engine, asked(model="deux")), restarting)

    assert [model.name for model in await engine.loaded()] == ["deux"]


async def test_a_child_killed_while_it_loads_is_dead_until_a_restart(
    engine: EmbeddedEngine,
) -> None:
    loading = asyncio.create_task(engine.load("un"))
    while engine.child is None:  # noqa: ASYNC110 -- it offers no event, nor need it
        await asyncio.sleep(0)
    os.kill(engine.child.pid, signal.SIGKILL)

    with pytest.raises(EngineKilled):
        await loading
    dead = engine.child
    assert dead.was_killed

    assert await engine.restart()
    assert engine.child is not dead, "nothing more is to be cured"
    await finished(engine, asked())


async def test_a_restart_without_a_child_is_nothing(engine: EmbeddedEngine) -> None:
    assert await engine.restart()
    assert engine.pid is None
