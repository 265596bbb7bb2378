"""Versions of questions and answers: nothing is overwritten, and one branch is read."""

from typing import Any

from tests.conftest import FakeOllama
from tests.http.test_turns import ENDLESS, end_of, snapshot_of, the_turn
from tests.running_daemon import RunningDaemon, Socket

Json = dict[str, Any]


async def told(tab: Socket, text: str, conversation: str | None = None, **fields: Any) -> Json:
    """Ask and wait for the end."""
    asked = await tab.ask(f"[[tokens=3]] {text}", conversation, **fields)
    await end_of(tab, asked["answer"])
    return asked


async def sent(ollama: FakeOllama) -> list[str]:
    """Return what the model was last given to read, without our system prompt and the answers."""
    messages = (await ollama.state())["last_body"]["messages"]
    return [
        each["content"].removeprefix("[[tokens=3]] ") for each in messages if each["role"] == "user"
    ]


async def test_an_edited_question_is_a_branch_of_its_own_and_the_model_reads_no_other(
    daemon: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        first = await told(tab, "un")
        inside = first["conversation"]
        second = await told(tab, "deux", inside, parent=first["answer"])

        edited = await told(tab, "deux bis", inside, edits=second["question"])
        assert await sent(shared_ollama) == ["un", "deux bis"]
        root = await told(tab, "un bis", inside, edits=first["question"])
        assert await sent(shared_ollama) == ["un bis"]
        # On from an older branch, although a newer one exists.
        await told(tab, "trois", inside, parent=second["answer"])
        assert await sent(shared_ollama) == ["un", "deux", "trois"]
        await told(tab, "trois", inside, parent=edited["answer"])
        assert await sent(shared_ollama) == ["un", "deux bis", "trois"]

        messages = {each["id"]: each for each in await snapshot_of(tab, inside)}
        assert len(messages) == 12
        assert messages[root["question"]]["parent"] is None
        assert messages[edited["question"]]["parent"] == first["answer"]
        assert messages[second["question"]]["text"] == "[[tokens=3]] deux"


async def test_an_older_answer_is_made_again_from_what_stood_above_it(
    daemon: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        first = await told(tab, "un")
        await told(tab, "deux", first["conversation"], parent=first["answer"])

        again = await tab.request("chat.regenerate", message=first["answer"], model="couac:3b")
        turn = await end_of(tab, again["answer"])

        assert turn["model"] == "couac:3b"
        assert await sent(shared_ollama) == ["un"]
        messages = {each["id"]: each for each in await snapshot_of(tab, first["conversation"])}
        assert messages[again["answer"]]["parent"] == first["question"]
        assert messages[first["answer"]]["text"] != ""


async def test_no_version_is_made_while_an_answer_is_written_and_nothing_is_kept_of_it(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        first = await told(tab, "un")
        asked = await tab.ask(ENDLESS, first["conversation"])
        refused = await tab.request(
            "chat.ask",
            conversation=first["conversation"],
            text="un bis",
            client_id="edited",
            edits=first["question"],
        )
        await tab.request("chat.stop", turn=(await the_turn(tab, asked["answer"]))["id"])
        await end_of(tab, asked["answer"])

        assert refused["code"] == "turn_running"
        assert len(await snapshot_of(tab, first["conversation"])) == 4
        # The same words may be sent again, with the same id.
        edited = await told(
            tab, "un bis", first["conversation"], client_id="edited", edits=first["question"]
        )
        again = await tab.ask(
            "un bis", first["conversation"], client_id="edited", edits=first["question"]
        )
        assert again["question"] == edited["question"]
