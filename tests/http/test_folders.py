"""Folders from several tabs, the list beyond its first page, the bin that is emptied."""

from typing import Any

import pytest

from tests.http.test_conversations import begun, done, listed, told
from tests.running_daemon import RunningDaemon, Socket

Json = dict[str, Any]


async def made(tab: Socket, name: str) -> int:
    answer = await tab.request("folder.add", name=name)
    assert answer["type"] == "ok", answer
    folder: int = answer["folder"]
    return folder


async def test_a_folder_is_made_renamed_removed_and_back_in_every_tab_of_its_owner_alone(
    daemon: RunningDaemon,
) -> None:
    async with (
        daemon.browser("claire") as hers,
        hers.ws() as one,
        hers.ws() as two,
        daemon.browser("marc") as his,
        his.ws() as other,
    ):
        folder = await made(one, " Recettes ")
        assert (await two.next("folders"))["folders"] == [{"id": folder, "name": "Recettes"}]
        name = await begun(one)
        await told(two, name)

        await done(one, "move", name, folder=folder)
        assert (await told(two, name))["folder"] == folder
        await one.request("folder.rename", folder=folder, name="Cuisine")
        assert (await two.next("folders"))["folders"][0]["name"] == "Cuisine"
        await one.request("folder.remove", folder=folder)
        assert (await two.next("folders"))["folders"] == []
        assert name in await listed(two)
        await two.request("folder.restore", folder=folder)
        assert (await one.next("folders", where=lambda told: told["folders"]))["folders"] == [
            {"id": folder, "name": "Cuisine"}
        ]
        async with hers.ws() as three:
            assert three.hello["folders"] == [{"id": folder, "name": "Cuisine"}]

        for verb in ("rename", "remove", "restore"):
            refused = await other.request(f"folder.{verb}", folder=folder, name="à moi")
            assert refused["code"] == "not_found"
        assert not any(message["type"] == "folders" for message in other.messages)


@pytest.mark.parametrize(
    ("verb", "fields", "code"),
    [
        ("folder.add", {"name": " "}, "folder_name_invalid"),
        ("folder.add", {"name": "x" * 61}, "folder_name_invalid"),
        ("folder.add", {"name": 7}, "bad_request"),
        ("folder.rename", {"folder": "1", "name": "x"}, "bad_request"),
        ("conversation.move", {"conversation": "x", "folder": -1}, "bad_request"),
        ("conversation.move", {"conversation": "x", "folder": 1}, "not_found"),
        ("conversation.list", {"before": 7}, "bad_request"),
        ("conversation.list", {"before": {"at": "hier", "id": "x", "is_pinned": True}},
         "bad_request"),
        ("conversation.list", {"before": {"at": "0001-01-01T00:00:00+23:59", "id": "x",
         "is_pinned": True}}, "bad_request"),
        ("conversation.empty_bin", {}, "bad_request"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_request_is_told(
    daemon: RunningDaemon, verb: str, fields: Json, code: str
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        assert (await tab.request(verb, **fields))["code"] == code


async def test_a_reader_has_no_folders(daemon: RunningDaemon) -> None:
    async with daemon.browser("lea") as browser, browser.ws() as tab:
        assert tab.hello["folders"] == []
        assert (await tab.request("folder.add", name="x"))["code"] == "not_allowed"


async def test_what_comes_after_a_conversation_is_listed_and_a_folders_alone(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("marc") as browser, browser.ws() as tab:
        names = [await begun(tab) for _ in range(3)]
        folder = await made(tab, "page")
        await done(tab, "move", names[0], folder=folder)
        whole = (await tab.request("conversation.list"))["conversations"]
        place = {"at": whole[0]["updated_at"], "id": whole[0]["id"], "is_pinned": False}

        rest = await tab.request("conversation.list", before=place)

        assert rest["conversations"] == whole[1:]
        assert rest["has_more"] is False
        inside = await tab.request("conversation.list", folder=folder)
        assert [each["id"] for each in inside["conversations"]] == names[:1]


async def test_an_emptied_bin_is_empty_in_every_tab(daemon: RunningDaemon) -> None:
    async with daemon.browser("ada") as browser, browser.ws() as one, browser.ws() as two:
        kept, *gone = [await begun(one) for _ in range(3)]
        for name in gone:
            await done(one, "delete", name)
        binned = await one.request("conversation.bin")
        assert binned["count"] == 2

        answer = await one.request(
            "conversation.empty_bin", until=binned["conversations"][0]["deleted_at"]
        )

        assert answer["count"] == 2
        assert [each["id"] for each in (await two.next("conversations"))["conversations"]] == [kept]
        assert (await one.request("conversation.bin"))["count"] == 0
