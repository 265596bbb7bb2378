"""Conversations renamed, pinned, archived, deleted and brought back, from several tabs at once."""

from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.running_daemon import RunningDaemon, Socket

Json = dict[str, Any]
ENDLESS = "[[rate=40 tokens=100000]] Explique."


async def begun(tab: Socket) -> str:
    """Ask something short and return its conversation, once it is answered."""
    asked = await tab.ask("[[tokens=2]] Bonjour")
    await tab.ended(asked["answer"])
    name: str = asked["conversation"]
    return name


async def listed(tab: Socket, verb: str = "list") -> list[str]:
    answer = await tab.request(f"conversation.{verb}")
    return [each["id"] for each in answer["conversations"]]


async def done(tab: Socket, verb: str, conversation: str, **fields: Any) -> None:
    answer = await tab.request(f"conversation.{verb}", conversation=conversation, **fields)
    assert answer["type"] == "ok", answer


async def told(tab: Socket, conversation: str) -> Json:
    """Return a conversation as the next event about it tells."""
    event = await tab.next(
        "conversation", where=lambda found: found["conversation"]["id"] == conversation
    )
    shape: Json = event["conversation"]
    return shape


@pytest.mark.parametrize(
    ("verb", "fields", "change"),
    [
        ("rename", {"title": " Infusion\nsous vide "}, {"title": "Infusion sous vide"}),
        ("pin", {"is_on": True}, {"is_pinned": True}),
        ("archive", {"is_on": True}, {"is_archived": True}),
    ],
)
async def test_a_change_is_told_to_every_tab_of_the_person_and_is_kept(
    daemon: RunningDaemon, verb: str, fields: Json, change: Json
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as one, browser.ws() as two:
        name = await begun(one)
        await told(two, name)

        await done(one, verb, name, **fields)

        assert change.items() <= (await told(two, name)).items()
        shelf = "archived" if verb == "archive" else "list"
        answer = await two.request(f"conversation.{shelf}")
        kept = next(each for each in answer["conversations"] if each["id"] == name)
        assert change.items() <= kept.items()


async def test_what_is_deleted_is_in_the_bin_can_be_read_there_and_comes_back(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as one, browser.ws() as two:
        name = await begun(one)
        await told(two, name)
        await done(one, "delete", name)

        assert (await told(two, name))["deleted_at"] is not None
        assert name not in await listed(two)
        bin_of = await two.request("conversation.bin")
        assert name in [each["id"] for each in bin_of["conversations"]]
        assert bin_of["days"] == 30
        watched = await two.watch(name)
        assert watched["conversation"]["deleted_at"] is not None
        refused = await two.request(
            "chat.ask", conversation=name, text="Encore", client_id="in-the-bin"
        )
        assert refused["code"] == "not_found"
        assert (await browser.get(f"/c/{name}"))[0] == 200

        await done(two, "restore", name)
        assert (await told(one, name))["deleted_at"] is None
        assert name in await listed(one)
        assert name not in await listed(one, "bin")


async def test_deleting_stops_what_is_being_answered_and_what_waits(
    fresh: RunningDaemon,
) -> None:
    async with fresh.browser("claire") as browser, browser.ws() as tab:
        running = await tab.ask(ENDLESS)
        await tab.until("writing", running["answer"])
        queued = await tab.ask(ENDLESS)

        await done(tab, "delete", queued["conversation"])
        await done(tab, "delete", running["conversation"])

        for asked in (queued, running):
            await tab.watch(asked["conversation"])
            snapshot = await tab.next("snapshot")
            assert snapshot["messages"][1]["turn"]["state"] == "stopped"
        after = await tab.ask("[[tokens=2]] Bonjour")
        assert (await tab.ended(after["answer"]))["state"] == "done"


async def test_what_is_purged_from_the_bin_is_gone_and_only_from_there(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as one, browser.ws() as two:
        name = await begun(one)
        early = await one.request("conversation.purge", conversation=name)
        assert early["code"] == "not_found"

        await done(one, "delete", name)
        await done(one, "purge", name)

        left = await two.next("conversations")
        assert name not in [each["id"] for each in left["conversations"]]
        assert name not in await listed(one, "bin")
        assert (await browser.get(f"/c/{name}"))[0] == 404


async def test_nobody_else_can_do_anything_with_it(daemon: RunningDaemon) -> None:
    async with AsyncExitStack() as stack:
        hers = await stack.enter_async_context(daemon.browser("claire"))
        his = await stack.enter_async_context(daemon.browser("marc"))
        tab = await stack.enter_async_context(hers.ws())
        other = await stack.enter_async_context(his.ws())
        name = await begun(tab)
        await done(tab, "delete", name)

        for verb, fields in (
            ("watch", {}), ("rename", {"title": "x"}), ("pin", {"is_on": True}),
            ("archive", {"is_on": True}), ("delete", {}), ("restore", {}), ("purge", {}),
        ):  # fmt: skip
            answer = await other.request(f"conversation.{verb}", conversation=name, **fields)
            assert answer["code"] == "not_found", verb
        for shelf in ("list", "archived", "bin"):
            assert name not in await listed(other, shelf)
        assert name in await listed(tab, "bin")


async def test_a_title_that_says_nothing_is_refused_with_what_it_may_be(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        name = await begun(tab)

        answer = await tab.request("conversation.rename", conversation=name, title=" ")

        assert (answer["code"], answer["fields"]) == ("title_invalid", {"max_length": 120})
