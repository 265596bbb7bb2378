"""One's own account: names, password, preferences, sessions, each over the real forms."""

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.running_daemon import PASSWORD, Browser, RunningDaemon, Socket

Json = dict[str, Any]
ANOTHER = "un autre mot de passe"


async def change(browser: Browser, what: str, **fields: str) -> tuple[int, Json]:
    response = await browser.post(
        f"/profile/{what}", fields, headers={"Accept": "application/json"}
    )
    answer: Json = await response.json()
    return response.status, answer


async def props(browser: Browser) -> Json:
    status, page = await browser.get("/profile")
    assert status == 200
    found = re.search(r'id="props">(.*?)</script>', page, re.DOTALL)
    assert found
    shown: Json = json.loads(found[1])
    return shown


async def signed_out(tab: Socket) -> None:
    """Wait until a page is closed, having been told why."""
    await tab.closed()
    assert tab.messages[-1] == {"type": "closing", "reason": "signed_out"}


def audited(site: RunningDaemon, verb: str, actor: str) -> list[Json]:
    _, answer = site.control("GET", "/v1/audit")
    return [
        each["detail"]
        for each in answer["entries"]
        if each["verb"] == verb and each["actor"] == actor
    ]


async def test_another_name_and_login_are_told_to_other_tabs_and_end_no_session(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        login = f"{someone}-Été"

        status, answer = await change(browser, "names", login=f" {login} ", name="Zoé\nLe Gall")

        assert status == 200
        told = await tab.next("user")
        assert told["user"] == answer["user"]
        assert (told["user"]["login"], told["user"]["name"]) == (login.casefold(), "Zoé Le Gall")
        assert (await tab.request("conversation.list"))["type"] == "ok"
        assert (await props(browser))["user"] == answer["user"]
    async with site.browser(login):
        pass  # is logged in under the new login
    assert audited(site, "account.rename", someone) == [
        {"user": login.casefold(), "name": "Zoé Le Gall"}
    ]


@pytest.mark.parametrize(
    ("login", "code"),
    [
        ("claire", "login_taken"),
        ("CLAIRE ", "login_taken"),
        ("a", "login_invalid"),
        ("a/b", "login_invalid"),
    ],
)
async def test_a_login_that_is_taken_or_none_changes_nothing(
    site: RunningDaemon, someone: str, login: str, code: str
) -> None:
    async with site.browser(someone) as browser:
        status, answer = await change(browser, "names", login=login, name="X")

        assert (status, answer["error"]["code"]) == (400, code)
        assert (await props(browser))["user"]["login"] == someone


async def test_another_password_ends_the_other_sessions_and_not_this_one(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as here, site.browser(someone) as there:
        async with here.ws() as stays, there.ws() as goes:
            status, answer = await change(
                here, "password", password=PASSWORD, new=ANOTHER, again=ANOTHER
            )

            assert status == 200
            assert [each["is_here"] for each in answer["sessions"]] == [True]
            await signed_out(goes)
            assert (await stays.request("conversation.list"))["type"] == "ok"
        assert (await there.get("/"))[0] == 303
    async with site.browser() as browser:
        await browser.log_in(someone, ANOTHER)
    assert audited(site, "account.password", someone) == [{}]
    assert ANOTHER not in site.log
    assert PASSWORD not in site.log


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"password": "faux", "new": ANOTHER, "again": ANOTHER}, "wrong_password"),
        ({"password": PASSWORD, "new": ANOTHER, "again": "x" * 20}, "passwords_differ"),
        ({"password": PASSWORD, "new": "court", "again": "court"}, "password_too_short"),
        ({}, "password_too_short"),
    ],
)
async def test_a_password_form_with_a_mistake_changes_nothing(
    site: RunningDaemon, someone: str, form: dict[str, str], code: str
) -> None:
    async with site.browser(someone) as here, site.browser(someone) as there:
        status, answer = await change(here, "password", **form)

        assert (status, answer["error"]["code"]) == (400, code)
        assert (await there.get("/"))[0] == 200
    async with site.browser(someone):
        pass  # the password is what it was


async def test_what_one_prefers_is_kept_and_answers(site: RunningDaemon, someone: str) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        server = tab.hello["default_model"]
        wished = next(each["name"] for each in tab.hello["models"] if each["name"] != server)

        await change(browser, "preferences", zone="America/Argentina/Buenos_Aires")
        await change(browser, "preferences", model=wished)

        told = await tab.next("engine")
        assert told["default_model"] == server  # after the zone
        assert (await tab.next("engine"))["default_model"] == wished
        asked = await tab.ask("[[tokens=2]] Bonjour")
        assert (await tab.ended(asked["answer"]))["model"] == wished
        user = (await props(browser))["user"]
        assert (user["zone"], user["model"]) == ("America/Argentina/Buenos_Aires", wished)

        # One that is offered no more is said to be so, and the server's answers.
        await change(browser, "preferences", model="gone:7b")
        assert (await props(browser))["user"]["model"] == "gone:7b"
        asked = await tab.ask("[[tokens=2]] Bonjour")
        assert (await tab.ended(asked["answer"]))["model"] == server


@pytest.mark.parametrize(
    "zone", ["../../etc", "Europe/Pa ris", "<b>", "x" * 65, "/Europe", "Europe/Paris\n"]
)
async def test_a_time_zone_that_is_none_is_refused(site: RunningDaemon, zone: str) -> None:
    async with site.browser("claire") as browser:
        status, answer = await change(browser, "preferences", zone=zone)

        assert (status, answer["error"]["code"]) == (400, "bad_request")


async def test_one_session_or_all_of_ones_own_can_be_ended(
    site: RunningDaemon, someone: str, another: str
) -> None:
    async with (
        site.browser(someone) as here,
        site.browser(someone) as there,
        site.browser(another) as stranger,
        there.ws() as goes,
    ):
        sessions = (await props(here))["sessions"]
        (theirs,) = (await props(stranger))["sessions"]
        assert sorted(each["is_here"] for each in sessions) == [False, True]
        assert all("aiohttp" in each["agent"] and each["address"] for each in sessions)
        (other,) = [each["id"] for each in sessions if not each["is_here"]]

        assert (await change(here, "sessions/end", session=theirs["id"]))[0] == 404
        assert (await change(here, "sessions/end", session="%"))[0] == 404
        assert (await change(here, "sessions/end", session=other))[0] == 200
        await signed_out(goes)
        assert (await stranger.get("/"))[0] == 200

        await there.log_in(someone)
        async with there.ws() as tab, here.ws() as own:
            assert (await change(here, "sessions/end"))[0] == 200
            await asyncio.gather(signed_out(tab), signed_out(own))
        assert (await here.get("/profile"))[0] == 303


async def test_a_reader_may_change_their_own_account(daemon: RunningDaemon) -> None:
    async with daemon.browser("lea") as browser:
        status, _ = await change(browser, "names", login="lea", name="Léa")

        assert status == 200


async def test_who_leaves_takes_all_that_is_theirs_and_only_that(
    site: RunningDaemon, someone: str, another: str
) -> None:
    async with site.browser(someone) as browser, site.browser(another) as stranger:
        async with browser.ws() as tab, stranger.ws() as stays:
            for each in (tab, stays):
                asked = await each.ask("[[tokens=2]] Bonjour")
                await each.ended(asked["answer"])
            user = tab.hello["user"]["id"]

            status, answer = await change(browser, "leave", password="faux")
            assert (status, answer["error"]["code"]) == (400, "wrong_password")
            assert (await change(browser, "leave", password=PASSWORD))[0] == 200

            await signed_out(tab)
            assert (await stays.request("conversation.list"))["conversations"]
        response = await browser.post("/login", {"login": someone, "password": PASSWORD})
        assert response.status == 400
    with closing(sqlite3.connect(f"file:{site.data / 'couachgpt.db'}?mode=ro", uri=True)) as opened:
        for table, column in (
            ("users", "id"),
            ("conversations", "owner_id"),
            ("messages", "author_id"),
            ("turns", "asker_id"),
            ("sessions", "user_id"),
        ):
            found = opened.execute(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?", (user,))  # noqa: S608 -- names of ours
            assert found.fetchone() == (0,), table


async def test_the_last_administrator_cannot_leave(daemon: RunningDaemon) -> None:
    async with daemon.browser("ada") as browser:
        status, answer = await change(browser, "leave", password=PASSWORD)

        assert (status, answer["error"]["code"]) == (400, "last_administrator")
        assert (await browser.get("/profile"))[0] == 200
