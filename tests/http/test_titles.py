"""Titles by the model: while nobody wants the engine, and never in anybody's way."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from typing import Any

import pytest

from tests.conftest import FakeOllama
from tests.daemon_fixtures import MakeDaemon
from tests.running_daemon import RunningDaemon, Socket

Json = dict[str, Any]
QUESTION = "Comment faire une bonne pâte à crêpes [[tokens=3]]"
TITLE = "Recette de la pâte à crêpes"
IDLE = "chat.title_idle_seconds=0.2"


@pytest.fixture(scope="module")
def resting(
    shared_ollama: FakeOllama, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningDaemon]:
    """Return a daemon that asks for a title after a fifth of a second."""
    running = RunningDaemon(tmp_path_factory.mktemp("resting"), shared_ollama.url, IDLE).start()
    running.add_user("claire")
    running.add_user("marc")
    yield running
    running.stop()


@pytest.fixture(autouse=True)
async def _engine_as_it_was(shared_ollama: FakeOllama) -> None:
    await shared_ollama.script(says="", hang_before_first=False, first_token_delay=0)


@asynccontextmanager
async def tab_of(daemon: RunningDaemon, login: str = "claire") -> AsyncIterator[Socket]:
    async with daemon.browser(login) as browser, browser.ws() as tab:
        yield tab


async def answered(tab: Socket, text: str = QUESTION, **fields: Any) -> str:
    """Ask, and return the conversation once it is answered."""
    asked = await tab.ask(text, **fields)
    await tab.ended(asked["answer"])
    name: str = asked["conversation"]
    return name


async def titled(tab: Socket, title: str) -> Json:
    event = await tab.next(
        "conversation", where=lambda found: found["conversation"]["title"] == title
    )
    conversation: Json = event["conversation"]
    return conversation


async def title_of(tab: Socket, conversation: str) -> str:
    found = await tab.request("conversation.list")
    (title,) = [each["title"] for each in found["conversations"] if each["id"] == conversation]
    return str(title)


async def asked_for(ollama: FakeOllama, total: int) -> None:
    """Return once the engine is at that answer, counted from its start."""
    async with asyncio.timeout(20):
        while (await ollama.state())["total"] < total:  # noqa: ASYNC110 -- another program's count
            await asyncio.sleep(0.02)


async def tried(daemon: RunningDaemon, conversation: str) -> None:
    """Return once it is kept that a title was asked for."""
    query = "SELECT is_title_tried FROM conversations WHERE id = ?"
    with closing(sqlite3.connect(daemon.data / "couachgpt.db")) as database:
        async with asyncio.timeout(20):
            while database.execute(query, (conversation,)).fetchone() != (1,):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


async def test_a_better_title_reaches_every_tab_and_moves_nothing(
    resting: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with resting.browser("claire") as browser, browser.ws() as tab, browser.ws() as other:
        asked = await tab.ask(QUESTION)
        first = await tab.ended(asked["answer"])
        await shared_ollama.script(says=f"**Titre :** « {TITLE} »\n\nVoilà.")

        told, same = await titled(tab, TITLE), await titled(other, TITLE)

        assert told == same
        assert told["updated_at"] <= first["finished_at"]
        assert await title_of(tab, asked["conversation"]) == TITLE
        body = (await shared_ollama.state())["last_body"]
        roles = [each["role"] for each in body["messages"]]
        assert roles == ["system", "user", "assistant", "user"]  # what was read, and a line
        assert body["options"]["num_predict"] <= 24
        found = await tab.request("conversation.search", text="recette")
        assert asked["conversation"] in [each["conversation"]["id"] for each in found["titles"]]
        assert TITLE not in resting.log


async def test_whoever_asks_meanwhile_does_not_wait_and_the_title_comes_later(
    resting: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with tab_of(resting) as tab, tab_of(resting, "marc") as his:
        await answered(tab)
        before = await shared_ollama.state()
        await shared_ollama.script(hang_before_first=True, says=TITLE)
        await asked_for(shared_ollama, before["total"] + 1)
        await shared_ollama.script(hang_before_first=False)

        asked = await his.ask("Bonjour")
        await his.next("text", where=lambda found: found["message"] == asked["answer"], seconds=2)

        assert (await shared_ollama.state())["cancelled"] == before["cancelled"] + 1
        await titled(tab, TITLE)
        # A hang that was let go of is no fault of the engine's.
        _, found = resting.control("GET", "/v1/engine/incidents")
        assert found == {"incidents": []}


async def test_a_title_that_a_person_wrote_meanwhile_stands(
    resting: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with tab_of(resting) as tab:
        name = await answered(tab)
        total = (await shared_ollama.state())["total"]
        await shared_ollama.script(first_token_delay=0.5, says=TITLE)
        await asked_for(shared_ollama, total + 1)

        await tab.request("conversation.rename", conversation=name, title="Mes crêpes")
        await shared_ollama.state(wait_idle=20)
        await answered(tab, "[[tokens=3]] Encore", conversation=name)

        assert await title_of(tab, name) == "Mes crêpes"
        assert (await shared_ollama.state())["total"] == total + 2


async def test_what_is_no_title_leaves_the_rules_and_is_asked_for_once(
    resting: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with tab_of(resting) as tab:
        total = (await shared_ollama.state())["total"]
        await shared_ollama.script(says="Je suis désolé, je ne peux pas vous aider.")
        first = await answered(tab)
        await tried(resting, first)

        second = await answered(tab, "Une autre pâte à crêpes ?")
        await tried(resting, second)

        assert await title_of(tab, first) == QUESTION
        assert await title_of(tab, second) == "Une autre pâte à crêpes ?"
        assert (await shared_ollama.state())["total"] == total + 4


async def test_no_model_is_loaded_for_a_title(
    resting: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with tab_of(resting) as tab:
        first = await answered(tab, model="couac:1b")
        # Before its time has come: another model takes its place in the engine's memory.
        second = await answered(tab, model="couac:3b")

        await tried(resting, second)

        found = await shared_ollama.state()
        assert found["loaded"] == ["couac:3b"]
        assert await title_of(tab, first) == QUESTION
        await tab.request("conversation.delete", conversation=first)


async def test_a_title_cut_by_a_stop_holds_it_up_for_nothing_and_comes_after_the_start(
    make_daemon: MakeDaemon, shared_ollama: FakeOllama
) -> None:
    daemon = make_daemon(IDLE).start()
    daemon.add_user("claire")
    async with tab_of(daemon) as tab:
        await answered(tab)
        total = (await shared_ollama.state())["total"]
        await shared_ollama.script(hang_before_first=True, says=TITLE)
        await asked_for(shared_ollama, total + 1)
    assert daemon.stop() == 0
    assert (await shared_ollama.state())["active"] == 0
    await shared_ollama.script(hang_before_first=False)

    daemon.start()

    async with tab_of(daemon) as tab:
        await titled(tab, TITLE)


async def test_with_zero_no_title_is_asked_for(
    make_daemon: MakeDaemon, resting: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    never = make_daemon("chat.title_idle_seconds=0").start()
    never.add_user("claire")
    total = (await shared_ollama.state())["total"]
    async with tab_of(never) as hers, tab_of(resting) as tab:
        name = await answered(hers)
        await answered(tab)
        await shared_ollama.script(says=TITLE)
        await titled(tab, TITLE)  # which was asked later, and has waited its time

        assert await title_of(hers, name) == QUESTION
    assert (await shared_ollama.state())["total"] == total + 3
