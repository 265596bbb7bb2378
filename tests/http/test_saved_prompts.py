"""Saved prompts: one's own, those that administrators share, and what is refused."""

from contextlib import AsyncExitStack

import pytest

from couachgptd.core.saved_prompts import MOST, TEXT_MAX_LENGTH, TITLE_MAX_LENGTH
from tests.http import kept_lists
from tests.http.kept_lists import Json
from tests.running_daemon import Browser, RunningDaemon


async def sent(browser: Browser, what: str, **form: str) -> tuple[int, Json]:
    return await kept_lists.sent(browser, f"/prompts/{what}", form)


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
    form = {"title": "n° {n}", "text": "x"}
    await kept_lists.require_bounded(
        daemon, "paul", "/prompts/add", form, most=MOST, code="prompts_full"
    )
    assert kept_lists.count(daemon, "saved_prompts") == 0
