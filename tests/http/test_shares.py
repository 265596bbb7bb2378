"""Sharing a snapshot: who sees it, what they see, and that nobody does a moment after."""

import json
from typing import Any

import pytest

from tests.running_daemon import Browser, RunningDaemon, Socket

Json = dict[str, Any]
SECRET = "[[tokens=3]] le hérisson de claire"


async def begun(tab: Socket, question: str = SECRET) -> Json:
    asked = await tab.ask(question)
    await tab.ended(asked["answer"])
    return asked


async def shared(tab: Socket, conversation: str, login: str, **more: Any) -> Json:
    answer = await tab.request("share.add", conversation=conversation, login=login, **more)
    assert answer["type"] == "ok", answer
    share: Json = answer["share"]
    return share


async def content(browser: Browser, share: str) -> list[Json] | int:
    status, text = await browser.get(f"/s/{share}/content")
    if status != 200:
        return status
    found: list[Json] = json.loads(text)["conversations"][0]["messages"]
    return found


async def sees(browser: Browser, tab: Socket, share: str) -> set[bool]:
    """Say by each way there is whether somebody sees a share; all must say the same."""
    page, _ = await browser.get(f"/s/{share}")
    opened = await tab.request("share.open", share=share)
    listed = await tab.request("share.list")
    assert opened.get("code") in (None, "not_found")
    return {
        page == 200,
        opened["type"] == "ok",
        await content(browser, share) != 404,
        share in [each["id"] for each in listed["shared"]],
    }


async def test_a_colleague_sees_the_branch_as_it_was_and_makes_it_their_own(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await begun(tab)
        name = asked["conversation"]
        await tab.request("conversation.rename", conversation=name, title="<b>Hérisson</b>")
        share = await shared(tab, name, "marc")
        assert share["people"] == [{"login": "marc", "name": "marc"}]
        assert share["messages"] == 2
        later = await tab.request(
            "chat.ask", conversation=name, client_id="later", text="[[tokens=2]] plus tard",
            parent=None, model=None,
        )  # fmt: skip
        await tab.ended(later["answer"])

        async with daemon.browser("marc") as other, other.ws() as his:
            assert await sees(other, his, share["id"]) == {True}
            opened = (await his.request("share.open", share=share["id"]))["shared"]
            assert opened["title"] == "<b>Hérisson</b>"
            assert opened["owner"] == {"login": "claire", "name": "claire"}
            messages = await content(other, share["id"])
            assert isinstance(messages, list)
            assert [each["author"] for each in messages] == ["person", "model"]
            assert messages[0]["text"] == SECRET
            assert [each["thinking"] for each in messages] == ["", ""]

            # It is in nothing of his that he did not ask for.
            found = await his.request("conversation.search", text="hérisson de claire")
            assert found["messages"] == []
            assert (await other.get(f"/c/{name}"))[0] == 404
            assert "hérisson de claire" not in (await other.get("/export/json"))[1]

            await tab.request("share.renew", conversation=name)
            messages = await content(other, share["id"])
            assert isinstance(messages, list)
            assert len(messages) == 4

            made = (await his.request("share.fork", share=share["id"]))["conversation"]
            assert made["title"] == "<b>Hérisson</b>"
            on = await his.request(
                "chat.ask", conversation=made["id"], client_id="on", text="[[tokens=2]] et moi",
                parent=None, model=None,
            )  # fmt: skip
            await his.ended(on["answer"])
            _, text = await other.get(f"/c/{made['id']}/export/md")
            assert text.count("\n## ") == 6
            assert "plus tard" in text
        _, text = await browser.get(f"/c/{name}/export/md")
        assert "et moi" not in text


async def test_who_is_shut_out_is_told_at_once_and_sees_nothing_more(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        name = (await begun(tab))["conversation"]
        share = await shared(tab, name, "marc")
        await shared(tab, name, "ada")
        async with daemon.browser("marc") as other, other.ws() as his:
            assert await sees(other, his, share["id"]) == {True}
            left = await tab.request("share.remove", conversation=name, login="marc")
            assert [each["login"] for each in left["share"]["people"]] == ["ada"]
            await his.next("shares")
            assert await sees(other, his, share["id"]) == {False}
            assert (await his.request("share.fork", share=share["id"]))["code"] == "not_found"

        gone = await tab.request("share.remove", conversation=name, login=None)
        assert gone["share"] is None
        again = await shared(tab, name, "marc")
        assert again["id"] != share["id"]  # an address that was taken back stays so


async def test_what_is_in_the_bin_is_seen_by_nobody_until_it_is_restored(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        name = (await begun(tab))["conversation"]
        share = await shared(tab, name, "marc")
        async with daemon.browser("marc") as other, other.ws() as his:
            await tab.request("conversation.delete", conversation=name)
            await his.next("shares")
            assert await sees(other, his, share["id"]) == {False}
            for verb in ("show", "add", "renew", "remove"):
                refused = await tab.request(f"share.{verb}", conversation=name, login="ada")
                assert refused["code"] == "not_found"
            await tab.request("conversation.restore", conversation=name)
            assert await sees(other, his, share["id"]) == {True}
            await tab.request("conversation.delete", conversation=name)
            await tab.request("conversation.purge", conversation=name)
            assert await sees(other, his, share["id"]) == {False}


async def test_an_account_that_goes_takes_its_shares_along_or_hands_them_on(
    site: RunningDaemon, someone: str, another: str
) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        share = await shared(tab, (await begun(tab))["conversation"], "marc")
    async with site.browser(another) as browser, browser.ws() as tab:
        lost = await shared(tab, (await begun(tab))["conversation"], "marc")
    async with site.browser("marc") as other, other.ws() as his:
        assert site.control("POST", f"/v1/users/{someone}/remove", {"heir": "claire"})[0] == 200
        assert site.control("POST", f"/v1/users/{another}/remove", {})[0] == 200
        await his.next("shares")
        assert await sees(other, his, lost["id"]) == {False}
        assert await sees(other, his, share["id"]) == {True}
        opened = await his.request("share.open", share=share["id"])
        assert opened["shared"]["owner"]["login"] == "claire"


async def test_one_who_is_suspended_sees_nothing_and_is_not_offered(
    site: RunningDaemon, someone: str, another: str
) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        name = (await begun(tab))["conversation"]
        share = await shared(tab, name, another)
        async with site.browser(another) as other, other.ws() as theirs:
            status, _ = site.control("POST", f"/v1/users/{another}/state", {"state": "suspended"})
            assert status == 200
            await theirs.closed()
            assert (await other.get(f"/s/{share['id']}"))[0] == 303
            assert await content(other, share["id"]) == 303
        offered = await tab.request("share.people", text=another)
        assert offered["people"] == []
        assert (await tab.request("share.add", conversation=name, login=another))[
            "code"
        ] == "person_unknown"


async def test_colleagues_are_found_by_what_their_names_begin_with_and_nothing_else_is_told(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        found = await tab.request("share.people", text="MÀ")
        assert found["people"] == [{"login": "marc", "name": "marc"}]
        everybody = (await tab.request("share.people", text=""))["people"]
        assert {"marc", "ada", "lea"} <= {each["login"] for each in everybody}
        assert "claire" not in {each["login"] for each in everybody}
        assert {frozenset(each) for each in everybody} == {frozenset({"login", "name"})}
        assert (await tab.request("share.people", text="%"))["people"] == []


@pytest.mark.parametrize("login", ["claire", "nobody-at-all", "", "a/b", "\0"])
async def test_it_is_shared_with_nobody_who_is_not_there(daemon: RunningDaemon, login: str) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        name = (await begun(tab))["conversation"]

        answer = await tab.request("share.add", conversation=name, login=login)

        assert answer["code"] in ("person_unknown", "login_invalid")
        assert (await tab.request("share.show", conversation=name))["share"] is None


async def test_a_branch_of_another_conversation_is_not_shared_along(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        one, other = await begun(tab), await begun(tab, "[[tokens=2]] autre")

        answer = await tab.request(
            "share.add", conversation=one["conversation"], login="marc", leaf=other["answer"]
        )

        assert answer["code"] == "not_found"
        shown = await tab.request("share.show", conversation=one["conversation"])
        assert shown["share"] is None


async def test_a_reader_reads_what_is_shared_and_makes_nothing_of_it(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        share = await shared(tab, (await begun(tab))["conversation"], "lea")
    async with daemon.browser("lea") as browser, browser.ws() as tab:
        assert await sees(browser, tab, share["id"]) == {True}
        assert (await tab.request("share.fork", share=share["id"]))["code"] == "not_allowed"
