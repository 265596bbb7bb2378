"""The life of a question, from a browser to the engine and back, whatever happens between."""

import asyncio
import contextlib
import secrets
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import FakeOllama
from tests.daemon_fixtures import MakeDaemon
from tests.running_daemon import PASSWORD, RunningDaemon, Socket, positions, text_of

SLOW = "[[rate=40 tokens=60]] Explique."
ENDLESS = "[[rate=40 tokens=100000]] Explique."
Json = dict[str, Any]


async def snapshot_of(socket: Socket, conversation: str) -> list[Json]:
    """Return the messages of a conversation as a page sees them that has seen nothing."""
    await socket.watch(conversation)
    found = socket.messages[-1]
    if found["type"] != "snapshot":
        found = await socket.next("snapshot")
    messages: list[Json] = found["messages"]
    return messages


async def some_text(socket: Socket, message: int) -> Json:
    return await socket.next("text", where=lambda found: found["message"] == message)


async def grown_for(socket: Socket, message: int, seconds: float) -> list[tuple[float, int]]:
    """Watch an answer grow for a while; return when it had which length."""
    time = asyncio.get_running_loop().time
    began = time()
    seen: list[tuple[float, int]] = []
    while time() < began + seconds:
        await some_text(socket, message)
        seen.append((time(), len(text_of(message, socket.messages))))
    return seen


async def end_of(socket: Socket, message: int) -> Json:
    """Return the turn of an answer at its end, which may have been told already."""
    for found in socket.messages:
        if found["type"] == "turn" and found["message"] == message:
            turn: Json = found["turn"]
            if turn["finished_at"]:
                return turn
    return await socket.ended(message)


# --- one question ------------------------------------------------------------------------------


async def test_a_question_goes_through_its_stages_to_a_kept_answer(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[tokens=30 rate=100]] Bonjour ?")
        turn = await tab.ended(asked["answer"])

        assert turn["state"] == "done"
        assert turn["timings"]["answer_tokens"] == 30
        assert turn["error"] is None
        kinds = [found["type"] for found in tab.messages]
        first = kinds.index("ok")
        assert kinds[first : first + 3] == ["ok", "snapshot", "messages"]
        assert "text" in kinds
        events = [found for found in tab.messages if "n" in found]
        assert positions(events) == list(range(1, len(events) + 1))
        text = text_of(asked["answer"], tab.messages)
        assert text.startswith("Bien sûr ! Voici")
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        question, answer = await snapshot_of(tab, asked["conversation"])
        assert question["text"] == "[[tokens=30 rate=100]] Bonjour ?"
        assert (answer["text"], answer["parent"]) == (text, question["id"])
        assert answer["turn"] == turn


async def test_the_list_of_conversations_tells_of_a_new_one_in_every_tab(
    daemon: RunningDaemon,
) -> None:
    async with (
        daemon.browser("claire") as browser,
        browser.ws() as tab,
        browser.ws() as other,
        daemon.browser("marc") as stranger,
        stranger.ws() as theirs,
    ):
        asked = await tab.ask("[[tokens=3]] Un titre")

        told = await other.next("conversation")
        assert told["conversation"]["id"] == asked["conversation"]
        assert told["conversation"]["title"] == "[[tokens=3]] Un titre"
        listed = await other.request("conversation.list")
        assert listed["conversations"][0] == told["conversation"]
        await tab.ended(asked["answer"])
        await theirs.request("conversation.list")
        assert not [each for each in theirs.messages if each["type"] == "conversation"]


async def test_a_follow_up_stands_below_the_answer_and_sends_what_came_before(
    daemon: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        first = await tab.ask("[[tokens=5]] Je m'appelle Claire")
        await tab.ended(first["answer"])
        second = await tab.ask("[[tokens=5]] Et moi ?", first["conversation"])
        await tab.ended(second["answer"])

        messages = (await shared_ollama.state())["last_body"]["messages"]
        assert [each["role"] for each in messages] == ["system", "user", "assistant", "user"]
        assert messages[1]["content"] == "[[tokens=5]] Je m'appelle Claire"
        assert second["conversation"] == first["conversation"]


async def test_a_question_sent_twice_is_one_question(daemon: RunningDaemon) -> None:
    client_id = secrets.token_hex(8)
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        first = await tab.ask(SLOW, client_id=client_id)
        again = await tab.ask(SLOW, client_id=client_id)

        assert {**again, "id": 0} == {**first, "id": 0}
        await tab.ended(first["answer"])
        assert len(await snapshot_of(tab, first["conversation"])) == 2


async def test_a_question_sent_again_from_a_new_socket_is_watched_there(
    daemon: RunningDaemon,
) -> None:
    client_id = secrets.token_hex(8)
    async with daemon.browser("claire") as browser:
        async with browser.ws() as tab:
            first = await tab.ask(SLOW, client_id=client_id)
        async with browser.ws() as tab:
            again = await tab.ask(SLOW, client_id=client_id)
            turn = await tab.ended(again["answer"])

            assert turn["state"] == "done"
            assert again["answer"] == first["answer"]
            assert text_of(first["answer"], tab.messages).count("Bien sûr") == 1


async def test_who_asks_in_a_conversation_not_yet_watched_watches_it(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser:
        async with browser.ws() as tab:
            first = await tab.ask("[[tokens=3]] Bonjour")
            await tab.ended(first["answer"])
        async with browser.ws() as tab:
            second = await tab.ask("[[tokens=3]] Encore", first["conversation"])

            turn = await tab.ended(second["answer"])
            assert turn["state"] == "done"


async def test_a_question_too_long_is_refused_with_its_size(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        answer = await tab.request(
            "chat.ask",
            text="mot " * 20_000,
            conversation=None,
            client_id=secrets.token_hex(8),
        )

        assert answer["code"] == "message_too_long"
        assert answer["fields"]["tokens"] > answer["fields"]["limit_tokens"] > 1000
        assert (await tab.ask("[[tokens=3]] plus court"))["type"] == "ok"


@pytest.mark.parametrize("text", ["", "  \n\t"])
async def test_a_question_without_a_word_is_refused(daemon: RunningDaemon, text: str) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        answer = await tab.request("chat.ask", text=text, conversation=None, client_id="a")

        assert answer["code"] == "message_empty"


async def test_a_conversation_answers_one_question_at_a_time(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask(ENDLESS)
        busy = await tab.request(
            "chat.ask", text="Autre", conversation=asked["conversation"], client_id="b"
        )
        again = await tab.request("chat.regenerate", message=asked["answer"])
        more = await tab.request("chat.continue", message=asked["answer"])
        await tab.request("chat.stop", turn=(await the_turn(tab, asked["answer"]))["id"])

        assert [busy["code"], again["code"], more["code"]] == ["turn_running"] * 3


async def the_turn(tab: Socket, answer: int) -> Json:
    """Return the turn of an answer, as the newest event that the tab has seen tells it."""
    turns = [
        found["turn"]
        for found in tab.messages
        if found["type"] == "turn" and found["message"] == answer
    ]
    if not turns:
        turns = [(await tab.next("turn", where=lambda e: e["message"] == answer))["turn"]]
    turn: Json = turns[-1]
    return turn


# --- leaving and coming back -------------------------------------------------------------------


async def test_a_page_reloaded_in_mid_answer_sees_the_rest_without_gap_or_repeat(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser:
        async with browser.ws() as tab:
            asked = await tab.ask(SLOW)
            for _ in range(5):
                await some_text(tab, asked["answer"])
            seen = list(tab.messages)
            epoch = tab.hello["epoch"]
        last = positions(seen)[-1]
        async with browser.ws() as tab:
            await tab.watch(asked["conversation"], {"epoch": epoch, "n": last})
            await tab.ended(asked["answer"])

            rest = [found for found in tab.messages if "n" in found]
            assert not [found for found in tab.messages if found["type"] == "snapshot"]
            assert positions(rest) == list(range(last + 1, last + 1 + len(rest)))
            text = text_of(asked["answer"], [*seen, *rest])
        async with browser.ws() as tab:
            assert (await snapshot_of(tab, asked["conversation"]))[1]["text"] == text


@pytest.mark.parametrize(
    "position",
    [
        None,
        {"epoch": "another", "n": 1},
        {"epoch": None, "n": 1},
        {"n": 1},
        {},
        [],
        "x",
        1,
        {"epoch": "SAME", "n": -1},
        {"epoch": "SAME", "n": 10**30},
        {"epoch": "SAME", "n": 1.0},
        {"epoch": "SAME", "n": True},
        {"epoch": "SAME", "n": "1"},
        {"epoch": "SAME"},
    ],
)
async def test_a_position_that_is_not_known_gets_a_snapshot_and_what_follows_it(
    daemon: RunningDaemon, position: Any
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[rate=60 tokens=25]] Explique.")
        await some_text(tab, asked["answer"])
        async with browser.ws() as other:
            if isinstance(position, dict) and position.get("epoch") == "SAME":
                position = {**position, "epoch": other.hello["epoch"]}
            await other.watch(asked["conversation"], position)
            await other.ended(asked["answer"])
            await tab.ended(asked["answer"])

            found = [each for each in other.messages if each["type"] == "snapshot"]
            assert len(found) == 1
            after = [each for each in other.messages if "n" in each]
            start = found[0]["position"]["n"]
            assert positions(after) == list(range(start + 1, start + 1 + len(after)))
            assert text_of(asked["answer"], other.messages) == text_of(
                asked["answer"], tab.messages
            )


async def test_two_tabs_on_one_conversation_see_the_same_events(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab, browser.ws() as other:
        first = await tab.ask("[[tokens=3]] Bonjour")
        await tab.ended(first["answer"])
        await other.watch(first["conversation"])
        asked = await tab.ask(SLOW, first["conversation"])
        await tab.ended(asked["answer"])
        await other.ended(asked["answer"])

        def events(socket: Socket) -> list[Json]:
            return [each for each in socket.messages if each.get("n", 0) > last]

        last = next(each["position"]["n"] for each in other.messages if each["type"] == "snapshot")
        assert events(other) == events(tab)


async def test_after_unwatch_nothing_more_comes(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab, browser.ws() as other:
        asked = await tab.ask(SLOW)
        await other.watch(asked["conversation"])
        await other.request("conversation.unwatch", conversation=asked["conversation"])
        before = len([each for each in other.messages if "n" in each])
        await tab.ended(asked["answer"])
        await other.request("conversation.list")

        assert len([each for each in other.messages if "n" in each]) == before


async def test_a_closed_tab_neither_stops_nor_loses_the_answer(
    daemon: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with daemon.browser("claire") as browser:
        async with browser.ws() as tab:
            asked = await tab.ask(SLOW)
            await some_text(tab, asked["answer"])
        state = await shared_ollama.state(wait_idle=20)
        async with browser.ws() as tab:
            messages = await snapshot_of(tab, asked["conversation"])
            if messages[1]["turn"]["state"] != "done":
                await tab.ended(asked["answer"])

            assert state["active"] == 0
            assert len(text_of(asked["answer"], tab.messages)) > 100


# --- stop, again, go on ------------------------------------------------------------------------


async def test_a_stopped_answer_keeps_what_was_written_and_frees_the_engine(
    daemon: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    before = (await shared_ollama.state())["cancelled"]
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask(ENDLESS)
        for _ in range(4):
            await some_text(tab, asked["answer"])
        turn = await the_turn(tab, asked["answer"])
        assert (await tab.request("chat.stop", turn=turn["id"]))["type"] == "ok"

        state = await shared_ollama.state(wait_idle=10)
        messages = await snapshot_of(tab, asked["conversation"])
        assert (state["active"], state["cancelled"]) == (0, before + 1)
        assert messages[1]["turn"]["state"] == "stopped"
        assert messages[1]["text"].startswith("Bien")
        timings = messages[1]["turn"]["timings"]
        assert timings["answer_tokens"] >= 4
        assert timings["tokens_per_second"] > 0
        assert (await tab.request("chat.stop", turn=turn["id"]))["type"] == "ok"


async def test_an_answer_is_stopped_before_its_first_word(
    daemon: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[hang]] Explique.")
        turn = await the_turn(tab, asked["answer"])
        assert (await tab.request("chat.stop", turn=turn["id"]))["type"] == "ok"

        assert (await shared_ollama.state(wait_idle=10))["active"] == 0
        again = await tab.ask("[[tokens=3]] Suite", asked["conversation"])
        assert (await tab.ended(again["answer"]))["state"] == "done"


async def test_another_answer_is_a_sibling_and_the_first_one_stays(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[tokens=3]] Bonjour")
        await tab.ended(asked["answer"])
        again = await tab.request("chat.regenerate", message=asked["answer"], model="couac:3b")
        assert again["type"] == "ok"
        turn = await end_of(tab, again["answer"])

        assert turn["model"] == "couac:3b"
        _, first, second = await snapshot_of(tab, asked["conversation"])
        assert first["parent"] == second["parent"] == asked["question"]
        assert (first["id"], second["id"]) == (asked["answer"], again["answer"])


async def test_going_on_appends_to_the_answer_that_was_cut(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[rate=60 tokens=60]] Explique.")
        for _ in range(4):
            await some_text(tab, asked["answer"])
        await tab.request("chat.stop", turn=(await the_turn(tab, asked["answer"]))["id"])
        cut = (await snapshot_of(tab, asked["conversation"]))[1]["text"]
        tab.messages.clear()
        more = await tab.request("chat.continue", message=asked["answer"])
        assert more["answer"] == asked["answer"]
        await tab.ended(asked["answer"])

        answer = (await snapshot_of(tab, asked["conversation"]))[1]
        assert answer["turn"]["state"] == "done"
        assert answer["turn"]["attempt"] == 2
        assert answer["text"].startswith(cut)
        assert len(answer["text"]) > len(cut)
        assert answer["text"].startswith("Bien sûr ! Voici une réponse **claire** et structurée.")


# --- the queue ---------------------------------------------------------------------------------


async def test_turns_wait_for_a_slot_in_order_and_know_their_place(
    site: RunningDaemon, someone: str, another: str
) -> None:
    async with (
        site.browser(someone) as hers,
        hers.ws() as tab,
        site.browser(another) as his,
        his.ws() as other,
    ):
        first = await tab.ask(ENDLESS)
        second = await other.ask("[[tokens=3]] deux")
        third = await tab.ask("[[tokens=3]] trois")
        assert (await other.until("queued", second["answer"]))["turn"]["place"] == 0
        assert (await tab.until("queued", third["answer"]))["turn"]["place"] == 1
        await tab.request("chat.stop", turn=(await the_turn(tab, first["answer"]))["id"])

        two = await other.ended(second["answer"])
        three = await tab.ended(third["answer"])
        assert two["state"] == three["state"] == "done"
        assert two["finished_at"] <= three["started_at"]


async def test_a_queue_that_is_full_says_so_and_takes_again_what_it_had_taken(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon("chat.waiting_per_person=2", "chat.waiting_in_all=3").start()
    daemon.add_user("claire")
    daemon.add_user("marc")
    async with (
        daemon.browser("claire") as hers,
        hers.ws() as tab,
        daemon.browser("marc") as his,
        his.ws() as other,
    ):
        await tab.ask(ENDLESS)
        await tab.ask("deux")
        accepted = await tab.ask("trois", client_id="three")
        refused = await tab.request("chat.ask", text="quatre", conversation=None, client_id="f")
        await other.ask("un")
        full = await other.request("chat.ask", text="deux", conversation=None, client_id="g")
        again = await tab.ask("trois", client_id="three")

        assert (refused["code"], refused["fields"]) == ("queue_full", {"waiting": 2})
        assert (full["code"], full["fields"]) == ("queue_full", {"waiting": 3})
        assert again["answer"] == accepted["answer"]


async def test_many_questions_at_once_do_not_pass_the_bound_of_one_person(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon("chat.waiting_per_person=2").start()
    daemon.add_user("claire")
    async with daemon.browser("claire") as browser, contextlib.AsyncExitStack() as stack:
        tabs = [await stack.enter_async_context(browser.ws()) for _ in range(12)]
        await tabs[0].ask(ENDLESS)
        answers = await asyncio.gather(
            *(
                tab.request("chat.ask", text="x", conversation=None, client_id=str(number))
                for number, tab in enumerate(tabs)
            )
        )

        assert sum(each["type"] == "ok" for each in answers) == 2
        assert {each["code"] for each in answers if each["type"] == "error"} == {"queue_full"}


async def test_an_answer_that_is_whole_cannot_be_continued(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[tokens=3]] Bonjour")
        assert (await tab.ended(asked["answer"]))["state"] == "done"

        refused = await tab.request("chat.continue", message=asked["answer"])

        assert (refused["type"], refused["code"]) == ("error", "bad_request")


# --- when the engine fails ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "state", "code"),
    [
        ("eof_after=5", "interrupted", "answer_interrupted"),
        ("error_after=5", "interrupted", "answer_interrupted"),
        ("malformed_after=5", "interrupted", "answer_interrupted"),
        ("status=500", "failed", "engine_rejected"),
    ],
)
async def test_a_failing_engine_ends_the_turn_with_a_code_and_keeps_the_question(
    daemon: RunningDaemon, words: str, state: str, code: str
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask(f"[[{words}]] Explique.")
        turn = await tab.ended(asked["answer"])

        assert (turn["state"], turn["error"]["code"]) == (state, code)
        question, answer = await snapshot_of(tab, asked["conversation"])
        assert question["text"] == f"[[{words}]] Explique."
        if "after" in words:
            assert answer["text"].startswith("Bien")
        second = await tab.ask("[[tokens=3]] Suite", asked["conversation"])
        assert (await tab.ended(second["answer"]))["state"] == "done"


async def test_a_question_waits_for_an_engine_that_went_away_and_can_be_stopped(
    fresh: RunningDaemon, ollama: FakeOllama
) -> None:
    async with fresh.browser("claire") as browser, browser.ws() as tab:
        while not (await tab.request("model.list"))["models"]:  # noqa: ASYNC110 -- no event tells
            await asyncio.sleep(0.02)
        ollama.process.kill()
        ollama.process.wait()
        asked = await tab.ask("Bonjour ?")
        async with asyncio.timeout(30):
            while (await tab.next("engine"))["engine"]["state"] != "unreachable":
                pass

        question, answer = await snapshot_of(tab, asked["conversation"])
        assert question["text"] == "Bonjour ?"
        assert (answer["turn"]["state"], answer["turn"]["attempt"]) == ("queued", 1)
        assert fresh.control("GET", "/v1/status")[1]["turns"]["is_paused"]
        await tab.request("chat.stop", turn=answer["turn"]["id"])
        _, answer = await snapshot_of(tab, asked["conversation"])
        assert answer["turn"]["state"] == "stopped"


async def test_an_engine_that_was_never_there_is_told_as_that_and_not_as_a_missing_model(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon(url="http://127.0.0.1:9").start()
    daemon.add_user("claire")
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        answer = await tab.request("chat.ask", text="x", conversation=None, client_id="a")

        assert answer["code"] == "engine_unavailable"
        assert tab.hello["engine"]["is_up"] is False


async def test_a_model_that_is_not_there_is_told_by_its_name(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        answer = await tab.request(
            "chat.ask", text="x", conversation=None, client_id="m", model="absent:1b"
        )

        assert (answer["code"], answer["fields"]) == ("model_missing", {"model": "absent:1b"})


# --- when the daemon ends ----------------------------------------------------------------------


def checked(daemon: RunningDaemon) -> str:
    with contextlib.closing(sqlite3.connect(daemon.data / "couachgpt.db")) as connection:
        (found,) = connection.execute("PRAGMA integrity_check").fetchone()
    return str(found)


async def test_kill_9_in_mid_answer_keeps_the_question_and_all_but_the_last_second(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon("server.drain_seconds=0.2").start()
    daemon.add_user("claire")
    async with daemon.browser("claire") as browser:
        async with browser.ws() as tab:
            asked = await tab.ask(ENDLESS)
            seen = await grown_for(tab, asked["answer"], 3.0)
            daemon.kill()
            killed = asyncio.get_running_loop().time()
            position = {"epoch": tab.hello["epoch"], "n": positions(tab.messages)[-1]}
        old_enough = [length for at, length in seen if at < killed - 1.1]
        daemon.start()
        async with browser.ws() as tab:
            await tab.watch(asked["conversation"], position)
            question, answer = (await tab.next("snapshot"))["messages"]

            assert question["text"] == ENDLESS
            assert answer["turn"]["state"] == "interrupted"
            assert answer["turn"]["error"]["code"] == "daemon_restarted"
            assert len(answer["text"]) >= old_enough[-1] > 0
            more = await tab.request("chat.continue", message=asked["answer"])
            assert more["type"] == "ok"
            await tab.request("chat.stop", turn=(await the_turn(tab, asked["answer"]))["id"])
            again = await tab.request("chat.regenerate", message=asked["answer"])
            assert again["type"] == "ok"
    daemon.stop()
    assert checked(daemon) == "ok"


@pytest.mark.parametrize("hard", [True, False])
async def test_queued_turns_survive_a_restart_and_run_in_their_order(
    make_daemon: MakeDaemon, *, hard: bool
) -> None:
    daemon = make_daemon("server.drain_seconds=0.2").start()
    daemon.add_user("claire")
    async with daemon.browser("claire") as browser:
        async with browser.ws() as tab:
            first = await tab.ask(ENDLESS)
            await grown_for(tab, first["answer"], 1.5)  # the store knows that it runs
            waiting = [await tab.ask(f"[[tokens={n + 3}]] numéro {n}") for n in range(4)]
        if hard:
            daemon.kill()
        else:
            assert daemon.stop() == 0
        daemon.start()
        async with browser.ws() as tab:
            started = []
            for asked in waiting:
                messages = await snapshot_of(tab, asked["conversation"])
                turn = messages[1]["turn"]
                if turn["state"] != "done":
                    turn = await tab.ended(asked["answer"])
                assert turn["state"] == "done"
                started.append(turn["started_at"])
            assert started == sorted(started)
            cut = await snapshot_of(tab, first["conversation"])
            assert cut[1]["turn"]["state"] == "interrupted"
            assert cut[1]["text"].startswith("Bien")
    daemon.stop()
    assert checked(daemon) == "ok"


async def test_sigterm_lets_an_answer_come_to_its_end_and_takes_no_other(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon("server.drain_seconds=20").start()
    daemon.add_user("claire")
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask(SLOW)
        await some_text(tab, asked["answer"])
        assert daemon.process is not None
        daemon.process.terminate()
        while "stopping" not in daemon.log:
            await some_text(tab, asked["answer"])
        refused = await tab.request("chat.ask", text="x", conversation=None, client_id="a")
        turn = await tab.ended(asked["answer"])
        warned = [each["reason"] for each in tab.messages if each["type"] == "closing"]

        assert refused["code"] == "server_stopping"
        assert turn["state"] == "done"
        assert warned == ["server_restarting"]  # as long as there is something to say it about
        assert await tab.closed() == 1012
    assert await asyncio.to_thread(daemon.process.wait, 20) == 0
    assert not daemon.socket.exists()
    assert "Traceback" not in daemon.log


async def test_sigterm_gives_up_an_answer_that_takes_too_long_and_keeps_it(
    make_daemon: MakeDaemon, ollama: FakeOllama
) -> None:
    daemon = make_daemon("server.drain_seconds=0.5").start()
    daemon.add_user("claire")
    async with daemon.browser("claire") as browser:
        async with browser.ws() as tab:
            asked = await tab.ask(ENDLESS)
            await some_text(tab, asked["answer"])
            assert daemon.process is not None
            daemon.process.terminate()
            turn = await tab.ended(asked["answer"])
            seen = text_of(asked["answer"], tab.messages)
            assert (turn["state"], turn["error"]["code"]) == ("interrupted", "daemon_restarted")
        assert await asyncio.to_thread(daemon.process.wait, 20) == 0
        assert (await ollama.state(wait_idle=5))["active"] == 0
        daemon.start()
        async with browser.ws() as tab:
            assert (await snapshot_of(tab, asked["conversation"]))[1]["text"] == seen


async def test_a_page_that_does_not_answer_holds_up_the_end_for_seconds_only(
    fresh: RunningDaemon,
) -> None:
    reader, writer = await raw_socket(fresh)
    began = datetime.now(UTC)
    status = await asyncio.to_thread(fresh.stop)

    assert status == 0
    assert datetime.now(UTC) - began < timedelta(seconds=7)
    writer.close()
    del reader


async def raw_socket(
    daemon: RunningDaemon,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a WebSocket by hand that reads no more than the answer to its handshake."""
    async with daemon.browser("claire") as browser:
        cookie = browser.cookies["couachgpt"]
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port, limit=1024)
    writer.write(
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nOrigin: {daemon.address}\r\n"
        f"Cookie: couachgpt={cookie}\r\n\r\n".encode()
    )
    assert (await reader.readline()).startswith(b"HTTP/1.1 101")
    return reader, writer


# --- rights that change ------------------------------------------------------------------------


async def test_a_new_password_closes_the_persons_sockets_within_a_second(
    site: RunningDaemon,
    someone: str,
    another: str,
) -> None:
    async with (
        site.browser(someone) as hers,
        hers.ws() as tab,
        site.browser(another) as his,
        his.ws() as other,
    ):
        status, _ = site.control(
            "POST", f"/v1/users/{someone}/password", {"password": PASSWORD + " neuf"}
        )
        assert status == 200
        assert (await tab.next("closing", seconds=1))["reason"] == "signed_out"
        assert await tab.closed(1) == 4401
        assert (await hers.get("/"))[0] == 303
        assert (await other.request("conversation.list"))["type"] == "ok"


async def test_logging_out_in_one_tab_closes_the_sockets_of_that_session_only(
    site: RunningDaemon,
    someone: str,
) -> None:
    async with (
        site.browser(someone) as here,
        here.ws() as tab,
        site.browser(someone) as elsewhere,
        elsewhere.ws() as other,
    ):
        await here.post("/logout")

        assert await tab.closed(1) == 4401
        assert (await other.request("conversation.list"))["type"] == "ok"


async def test_who_is_suspended_is_signed_out_of_open_sockets_and_may_come_back(
    site: RunningDaemon,
    someone: str,
) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        status, answer = site.control("POST", f"/v1/users/{someone}/state", {"state": "suspended"})
        await tab.ws.send_json({"type": "conversation.list", "id": 1})

        assert (status, answer["user"]["state"]) == (200, "suspended")
        assert await tab.closed(1) == 4401
        assert not [each for each in tab.messages if each["type"] == "ok"]
        assert (await browser.get("/"))[0] == 303
        site.control("POST", f"/v1/users/{someone}/state", {"state": "active"})
        assert (await browser.get("/"))[0] == 303  # the old cookie may be in other hands
        await browser.log_in(someone)
        assert (await browser.get("/"))[0] == 200


async def test_the_turns_of_who_is_suspended_end_and_the_engine_is_free(
    site: RunningDaemon,
    someone: str,
    another: str,
) -> None:
    async with (
        site.browser(someone) as hers,
        hers.ws() as tab,
        site.browser(another) as his,
        his.ws() as other,
    ):
        running = await tab.ask(SLOW)
        await some_text(tab, running["answer"])
        await tab.ask("Et puis ?")
        site.control("POST", f"/v1/users/{someone}/state", {"state": "suspended"})

        asked = await other.ask("Bonjour ?")
        assert (await other.ended(asked["answer"]))["state"] == "done"
        turns = site.control("GET", "/v1/status")[1]["turns"]
        assert (turns["running"], turns["queued"]) == (0, 0)


async def test_who_became_a_reader_gets_the_page_of_one_and_writes_nothing_more(
    site: RunningDaemon,
    someone: str,
) -> None:
    async with site.browser(someone) as browser:
        async with browser.ws() as tab:
            site.control("POST", f"/v1/users/{someone}/role", {"role": "reader"})
            assert await tab.closed(1) == 4401
        assert (await browser.get("/login"))[0] == 303  # still logged in: back to a new page
        async with browser.ws() as tab:
            refused = await tab.request("chat.ask", text="x", conversation=None, client_id="a")
            assert refused["code"] == "not_allowed"
            assert (await tab.request("conversation.list"))["type"] == "ok"


async def test_who_comes_with_an_ended_session_is_told_to_log_in_again(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser:
        cookie = browser.cookies["couachgpt"]
        await browser.post("/logout")
        tab = await browser.open(Cookie=f"couachgpt={cookie}")

        assert await tab.closed(5) == 4401
        assert tab.messages in ([], [{"type": "closing", "reason": "signed_out"}])
