"""Saved prompts: one's own, those that administrators share, and what is refused."""

import sqlite3
from contextlib import AsyncExitStack, closing
from typing import Any

import pytest

from couachgptd.core.saved_prompts import MOST, TEXT_MAX_LENGTH, TITLE_MAX_LENGTH
from tests.running_daemon import Browser, RunningDaemon

Json = dict[str, Any]


async def sent(browser: Browser, what: str, **form: str) -> tuple[int, Json]:
    response = await browser.post(f"/prompts/{what}", form, headers={"Accept": "application/json"})
    return response.status, await response.json()


async def listed(browser: Browser) -> list[tuple[str, bool]]:
    async with browser.session.get("/prompts") as response:
        prompts = (await response.json())["prompts"]
    return [(each["title"], each["is_shared"]) for each in prompts]


async def test_prompts_are_written_changed_and_deleted_by_their_owner_alone(
    daemon: RunningDaemon,
) -> None:
    async with AsyncExitStack() as stack:
        claire, marc, ada, lea = [
            await stack.enter_async_context(daemon.browser(each))
            for each in ("claire", "marc", "ada", "lea")
        ]
        status, answer = await sent(
            claire, "add", title=" Résumé\nbref ", text=" Résume {{texte}}\r\nen une phrase. "
        )
        assert status == 200
        own = answer["prompt"]
        assert (own["title"], own["text"]) == ("Résumé bref", "Résume {{texte}}\nen une phrase.")
        _, answer = await sent(ada, "add", title="Courriel", text="Écris à {{qui}}.", shared="1")
        shared = str(answer["prompt"]["id"])
        assert await listed(claire) == [("Résumé bref", False), ("Courriel", True)]
        assert await listed(marc) == await listed(lea) == [("Courriel", True)]

        mine = {"prompt": str(own["id"]), "title": "À moi", "text": "x"}
        assert (await sent(marc, "change", **mine))[0] == 404
        assert (await sent(ada, "change", **mine, shared="1"))[0] == 404
        assert (await sent(claire, "change", prompt=shared, title="x", text="x"))[0] == 404
        assert (await sent(claire, "delete", prompt=shared, shared="1"))[0] == 403
        assert (await sent(claire, "add", title="x", text="x", shared="1"))[0] == 403
        assert (await sent(lea, "add", title="x", text="x"))[0] == 403

        assert (await sent(claire, "change", **mine))[1]["prompt"]["title"] == "À moi"
        assert (await sent(claire, "delete", prompt=mine["prompt"]))[0] == 200
        assert (await sent(ada, "delete", prompt=shared, shared="1"))[0] == 200
        assert await listed(claire) == []


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"title": " ", "text": "x"}, "title_invalid"),
        ({"title": "x" * (TITLE_MAX_LENGTH + 1), "text": "x"}, "title_invalid"),
        ({"title": "x", "text": " \n"}, "prompt_invalid"),
        ({"title": "x", "text": "x" * (TEXT_MAX_LENGTH + 1)}, "prompt_invalid"),
        ({"title": "x"}, "prompt_invalid"),
    ],
)
async def test_what_says_nothing_or_too_much_is_refused(
    daemon: RunningDaemon, form: dict[str, str], code: str
) -> None:
    async with daemon.browser("marc") as browser:
        status, answer = await sent(browser, "add", **form)
        assert (status, answer["error"]["code"]) == (400, code)
        assert await listed(browser) == []


async def test_a_number_that_is_none_is_refused_and_one_of_nothing_is_not_found(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("marc") as browser:
        for given, status in (("", 400), ("-1", 400), ("9" * 30, 400), ("9" * 18, 404)):
            assert (await sent(browser, "delete", prompt=given))[0] == status


async def test_they_are_bounded_and_go_with_their_person(daemon: RunningDaemon) -> None:
    daemon.add_user("paul")
    async with daemon.browser("paul") as browser:
        token = await browser.token()

        async def add(number: int) -> tuple[int, Json]:
            form = {"csrf": token, "title": f"n° {number}", "text": "x"}
            headers = {"Origin": browser.address, "Accept": "application/json"}
            async with browser.session.post("/prompts/add", data=form, headers=headers) as each:
                return each.status, await each.json()

        for number in range(MOST):
            assert (await add(number))[0] == 200
        status, answer = await add(MOST)
        assert (status, answer["error"]["code"]) == (400, "prompts_full")
        assert answer["error"]["fields"] == {"most": MOST}
    status, _ = daemon.control("POST", "/v1/users/paul/remove", {})
    assert status == 200
    with closing(sqlite3.connect(daemon.data / "couachgpt.db")) as opened:
        assert opened.execute("SELECT count(*) FROM saved_prompts").fetchone() == (0,)
