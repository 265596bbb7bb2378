"""Presets: one's own, those that administrators offer to everybody, and what is refused."""

import json
from contextlib import AsyncExitStack
from typing import Any

import pytest

from couachgptd.core.presets import MOST, NAME_MAX_LENGTH
from tests.http import kept_lists
from tests.http.kept_lists import Json
from tests.running_daemon import Browser, RunningDaemon

CHOSEN = {
    "model": "couac:3b",
    "system_prompt": "Réponds en vers.",
    "temperature": 0,
    "answer_tokens": 9,
    "exchanges": 0,
    "think": False,
}


async def sent(browser: Browser, what: str, chosen: Any = None, **form: str) -> tuple[int, Json]:
    if chosen is not None:
        form["choices"] = json.dumps(chosen)
    return await kept_lists.sent(browser, f"/presets/{what}", form)


async def listed(browser: Browser) -> list[Json]:
    async with browser.session.get("/presets") as response:
        found: list[Json] = (await response.json())["presets"]
    return found


async def names(browser: Browser) -> list[tuple[str, bool]]:
    return [(each["name"], each["is_shared"]) for each in await listed(browser)]


async def test_presets_are_kept_renamed_and_deleted_by_their_owner_alone(
    daemon: RunningDaemon,
) -> None:
    async with AsyncExitStack() as stack:
        claire, marc, ada, lea = [
            await stack.enter_async_context(daemon.browser(each))
            for each in ("claire", "marc", "ada", "lea")
        ]
        status, answer = await sent(claire, "add", CHOSEN, name=" En\nvers ")
        own = answer["preset"]
        assert (status, own["name"], own["choices"]) == (200, "En vers", CHOSEN)
        _, answer = await sent(ada, "add", {"temperature": 1.5}, name="Fantaisie", shared="1")
        shared = str(answer["preset"]["id"])
        assert await names(claire) == [("En vers", False), ("Fantaisie", True)]
        assert await names(marc) == await names(lea) == [("Fantaisie", True)]

        mine = {"preset": str(own["id"]), "name": "Rimes"}
        assert (await sent(marc, "change", **mine))[0] == 404
        assert (await sent(ada, "change", **mine, shared="1"))[0] == 404
        assert (await sent(claire, "change", preset=shared, name="x"))[0] == 404
        assert (await sent(claire, "delete", preset=shared, shared="1"))[0] == 403
        assert (await sent(claire, "add", CHOSEN, name="x", shared="1"))[0] == 403
        assert (await sent(lea, "add", CHOSEN, name="x"))[0] == 403

        assert (await sent(claire, "change", **mine))[1]["preset"]["choices"] == CHOSEN
        _, answer = await sent(claire, "change", {"think": True}, **mine)
        assert answer["preset"]["choices"] == {**dict.fromkeys(CHOSEN), "think": True}
        assert (await sent(claire, "delete", preset=mine["preset"]))[0] == 200
        assert (await sent(ada, "delete", preset=shared, shared="1"))[0] == 200
        assert await names(claire) == []


async def test_what_a_conversation_took_from_a_preset_stays_when_the_preset_goes(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("marc") as browser, browser.ws() as tab:
        _, answer = await sent(browser, "add", CHOSEN, name="Copié")
        preset = answer["preset"]
        asked = await tab.ask("[[tokens=2]] x", choices=preset["choices"])
        await tab.ended(asked["answer"])
        number = str(preset["id"])
        await sent(browser, "change", {"temperature": 2}, preset=number, name="Copié")
        await sent(browser, "delete", preset=number)
        kept = await tab.request("conversation.choices", conversation=asked["conversation"])

        assert kept["choices"] == CHOSEN


async def test_open_pages_are_told_each_of_their_own_and_all_of_everybodys(
    daemon: RunningDaemon,
) -> None:
    async with AsyncExitStack() as stack:
        claire = await stack.enter_async_context(daemon.browser("claire"))
        ada = await stack.enter_async_context(daemon.browser("ada"))
        own = await stack.enter_async_context(claire.ws())
        others = await stack.enter_async_context(ada.ws())

        _, answer = await sent(claire, "add", CHOSEN, name="À moi")
        await own.next("presets")
        _, shared = await sent(ada, "add", CHOSEN, name="À tous", shared="1")
        await own.next("presets")
        await others.request("model.list")
        assert [each["type"] for each in others.messages].count("presets") == 1
        await sent(claire, "delete", preset=str(answer["preset"]["id"]))
        await own.next("presets")
        await sent(ada, "delete", preset=str(shared["preset"]["id"]), shared="1")
        await own.next("presets")


@pytest.mark.parametrize(
    ("form", "choices", "code"),
    [
        ({"name": " "}, CHOSEN, "preset_name_invalid"),
        ({"name": "x" * (NAME_MAX_LENGTH + 1)}, CHOSEN, "preset_name_invalid"),
        ({}, CHOSEN, "preset_name_invalid"),
        ({"name": "x"}, {}, "preset_empty"),
        ({"name": "x"}, {"system_prompt": " "}, "preset_empty"),
        ({"name": "x"}, {"temperature": 9}, "option_invalid"),
        ({"name": "x"}, {"system_prompt": "x" * 8001}, "system_prompt_too_long"),
        ({"name": "x"}, {"other": 1}, "bad_request"),
        ({"name": "x"}, None, "bad_request"),
        ({"name": "x", "choices": "{"}, None, "bad_request"),
        ({"name": "x", "choices": "[" * 99_999}, None, "bad_request"),
    ],
)
async def test_what_cannot_be_kept_is_refused(
    daemon: RunningDaemon, form: dict[str, str], choices: Any, code: str
) -> None:
    async with daemon.browser("marc") as browser:
        status, answer = await sent(browser, "add", choices, **form)
        assert (status, answer["error"]["code"]) == (400, code)
        assert await listed(browser) == []


async def test_a_name_that_is_taken_is_told_as_it_is_there(daemon: RunningDaemon) -> None:
    async with daemon.browser("pia") as browser:
        _, answer = await sent(browser, "add", CHOSEN, name="Été")
        status, refused = await sent(browser, "add", CHOSEN, name="ÉTÉ")
        assert (status, refused["error"]["code"]) == (400, "preset_taken")
        assert refused["error"]["fields"] == {"name": "Été"}
        assert (await sent(browser, "delete", preset=str(answer["preset"]["id"])))[0] == 200


async def test_they_are_bounded_and_go_with_their_person(daemon: RunningDaemon) -> None:
    form = {"name": "n° {n}", "choices": '{"exchanges": 1}'}
    await kept_lists.require_bounded(
        daemon, "paula", "/presets/add", form, most=MOST, code="presets_full"
    )
    assert kept_lists.count(daemon, "presets") == 0
