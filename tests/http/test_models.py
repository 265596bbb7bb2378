"""What is decided of a model reaches people at once, and the engine with the next answer."""

import sqlite3
from contextlib import closing
from typing import Any

from tests.conftest import FakeOllama
from tests.running_daemon import RunningDaemon, Socket

Json = dict[str, Any]


async def options_of(tab: Socket, ollama: FakeOllama, model: str) -> Json:
    """Return the options that the engine was sent with a question."""
    asked = await tab.ask("[[tokens=3]] Bonjour", model=model)
    await tab.ended(asked["answer"])
    options: Json = (await ollama.state())["last_body"]["options"]
    return options


def names(event: Json) -> list[str]:
    return [each["name"] for each in event["models"]]


async def test_a_hidden_model_is_offered_to_nobody_else_and_says_what_to_do_where_it_was_used(
    fresh: RunningDaemon,
) -> None:
    fresh.add_user("ada", "admin")
    async with (
        fresh.browser("claire") as browser,
        browser.ws() as tab,
        fresh.browser("ada") as hers,
        hers.ws() as admin,
    ):
        asked = await tab.ask("[[eof_after=3]] Bonjour", model="couac:1b")
        await tab.ended(asked["answer"])
        status, answer = fresh.control("POST", "/v1/models/couac:1b", {"visible_to": "admins"})
        told = await tab.next("engine", where=lambda event: "couac:1b" not in names(event))
        seen = await admin.request("model.list")
        listed = await tab.request("model.list")
        question = {"text": "x", "client_id": "1", "conversation": None, "parent": None}
        refused = [
            await tab.request("chat.ask", **question, model="couac:1b"),
            await tab.request("chat.regenerate", message=asked["answer"], model="couac:1b"),
            await tab.request("chat.continue", message=asked["answer"]),
        ]
        another = await tab.request("chat.regenerate", message=asked["answer"], model=None)
        turn = await tab.ended(another["answer"])
        fresh.restart()
    async with fresh.browser("claire") as browser, browser.ws() as tab:
        after = await tab.request("model.list")
        fresh.control("POST", "/v1/models/couac:1b", {"visible_to": "everyone"})
        await tab.next("engine", where=lambda event: "couac:1b" in names(event))

    assert status == 200
    assert {each["name"]: each["visible_to"] for each in answer["models"]}["couac:1b"] == "admins"
    assert told["default_model"] != "couac:1b"
    assert "couac:1b" in names(seen)
    assert "couac:1b" not in names(listed) + names(after)
    assert [each.get("code") for each in refused] == ["model_hidden"] * 3
    assert turn["model"] == told["default_model"]
    with closing(sqlite3.connect(fresh.data / "couachgpt.db")) as opened:
        audited = opened.execute("SELECT detail FROM audit WHERE verb = 'model.set'").fetchall()
    assert [row[0] for row in audited] == [
        '{"model":"couac:1b","visible_to":"admins"}',
        '{"model":"couac:1b","visible_to":"everyone"}',
    ]


async def test_the_options_of_a_model_are_in_its_next_answer(
    fresh: RunningDaemon, ollama: FakeOllama
) -> None:
    place = "/v1/models/couac:1b"
    async with fresh.browser("claire") as browser, browser.ws() as tab:
        before = await options_of(tab, ollama, "couac:1b")
        chosen = {"temperature": 1.2, "top_p": 0.9, "answer_tokens": 7, "context_tokens": 2048}
        fresh.control("POST", place, chosen)
        changed = await options_of(tab, ollama, "couac:1b")
        loads = (await ollama.state())["loads"]
        again = await options_of(tab, ollama, "couac:1b")
        other = await options_of(tab, ollama, "couac:3b")
        _, fit = fresh.control("GET", f"{place}/fit")
        fresh.control("POST", place, dict.fromkeys(chosen))
        reset = await options_of(tab, ollama, "couac:1b")

    assert changed == before | {"temperature": 1.2, "top_p": 0.9, "num_predict": 7, "num_ctx": 2048}
    assert again == changed
    assert loads == 2, "another context is one more load"
    assert other == before
    assert fit["context_tokens"] == 2048
    assert reset == before


async def test_what_is_out_of_bounds_or_of_no_model_changes_nothing(daemon: RunningDaemon) -> None:
    before = daemon.control("GET", "/v1/models")
    refused = [
        daemon.control("POST", "/v1/models/couac:1b", {"visible_to": "admins", "temperature": 3}),
        daemon.control("POST", "/v1/models/couac:1b", {"answer_tokens": 1025}),
        daemon.control("POST", "/v1/models/couac:1b", {"visible_to": "marc"}),
        daemon.control("POST", "/v1/models/absent", {"visible_to": "admins"}),
    ]

    assert [(status, answer["error"]["code"]) for status, answer in refused] == [
        (400, "option_invalid"),
        (400, "option_invalid"),
        (400, "bad_request"),
        (503, "model_missing"),
    ]
    assert refused[0][1]["error"]["fields"] == {"name": "temperature", "least": 0, "most": 2}
    assert daemon.control("GET", "/v1/models") == before
