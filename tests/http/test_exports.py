"""Taking conversations away: one or all, whole, one's own only."""

import asyncio
import io
import json
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientError

from tests.http.test_imports import brought
from tests.running_daemon import Browser, RunningDaemon, Socket

Json = dict[str, Any]


def unpacked(body: bytes) -> Json:
    """Return what the zip of everything says of itself."""
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        found: Json = json.loads(archive.read("couachgpt.json"))
        return found


async def begun(tab: Socket, question: str = "[[tokens=3]] Bonjour") -> Json:
    asked = await tab.ask(question)
    await tab.ended(asked["answer"])
    return asked


async def fetched(browser: Browser, path: str) -> tuple[int, dict[str, str], bytes]:
    async with browser.session.get(path, allow_redirects=False) as response:
        return response.status, dict(response.headers), await response.read()


async def test_one_is_taken_away_as_json_with_its_branches_and_as_markdown_of_the_one_shown(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        first = await begun(tab, "[[tokens=3]] Où dort le hérisson ?")
        name = first["conversation"]
        again = await tab.request("chat.regenerate", message=first["answer"], model=None)
        await tab.ended(again["answer"])
        await tab.request("conversation.rename", conversation=name, title='Été "<b>"')

        status, headers, body = await fetched(browser, f"/c/{name}/export/json")
        assert status == 200
        assert headers["Content-Disposition"].startswith('attachment; filename="2')
        assert "%C3%89t%C3%A9%20b.json" in headers["Content-Disposition"]
        assert "sandbox" in headers["Content-Security-Policy"]
        (kept,) = json.loads(body)["conversations"]
        assert kept["title"] == 'Été "<b>"'
        question, one, two = kept["messages"]
        assert (question["parent"], one["parent"], two["parent"]) == (None, *[question["id"]] * 2)
        assert (question["author"], one["author"]) == ("person", "model")
        assert one["model"]
        assert question["text"] == "[[tokens=3]] Où dort le hérisson ?"

        _, _, shown = await fetched(browser, f"/c/{name}/export/md")
        _, headers, other = await fetched(browser, f"/c/{name}/export/md?leaf={first['answer']}")
        assert headers["Content-Type"] == "text/markdown; charset=utf-8"
        assert shown.decode().count("\n## ") == other.decode().count("\n## ") == 2
        assert shown.decode().startswith('# Été "\\<b\\>"\n')
        assert two["text"] in shown.decode()


async def test_the_files_of_a_question_are_named_where_they_cannot_be_taken_along(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        _, file = await browser.upload("devis_2.md", b"Total : 12")
        asked = await tab.ask("[[tokens=2]] Combien ?", attachments=[file["id"]])
        await tab.ended(asked["answer"])
        one = f"/c/{asked['conversation']}/export"

        _, _, text = await fetched(browser, f"{one}/md")
        assert (
            "\n\n- Fichier joint\u00a0: devis\\_2.md\n\n[[tokens=2]] Combien ?\n" in text.decode()
        )
        _, _, body = await fetched(browser, f"{one}/json")
        (kept,) = json.loads(body)["conversations"]
        assert [each["attachments"] for each in kept["messages"]] == [[file], []]

    # What an import cannot bring is counted, as it is from elsewhere.
    async with daemon.browser("marc") as other:
        done = (await brought(other, body))[1][-1]
    assert (done["imported"], done["files"]) == (1, 1), done


@pytest.mark.parametrize(
    "path",
    [
        "export/json?leaf=1",
        "export/md?leaf=99999999",
        "export/md?leaf=-1",
        "export/md?leaf=²",
        "export/md?leaf=" + "9" * 40,
        "export/pdf",
        "export/..%2fmd",
    ],
)
async def test_a_branch_or_a_form_that_is_not_there_is_not_found(
    daemon: RunningDaemon, path: str
) -> None:
    async with daemon.browser("marc") as browser, browser.ws() as tab:
        await begun(tab)  # whose messages are not those of the next
        asked = await begun(tab)

        status, _, _ = await fetched(browser, f"/c/{asked['conversation']}/{path}")
        assert status == 404


async def test_another_persons_conversation_is_not_found_and_not_among_all(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("marc") as browser, browser.ws() as tab:
        secret = await begun(tab, "[[tokens=3]] le secret de marc")
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        await begun(tab, "[[tokens=3]] à claire")
        for form in ("json", "md"):
            theirs, _, _ = await fetched(browser, f"/c/{secret['conversation']}/export/{form}")
            assert theirs == 404
        _, _, body = await fetched(browser, "/export/json")
        assert "à claire" in body.decode()
        assert "le secret de marc" not in body.decode()
        _, headers, packed = await fetched(browser, "/export/md")
        assert headers["Content-Type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            assert archive.testzip() is None
            texts = [archive.read(name).decode() for name in archive.namelist()]
        assert len(texts) == len(json.loads(body)["conversations"])
        assert sum("à claire" in text for text in texts) == 1
        assert not any("le secret de marc" in text for text in texts)


async def test_what_is_in_the_bin_is_not_among_all(daemon: RunningDaemon) -> None:
    async with daemon.browser("ada") as browser, browser.ws() as tab:
        gone, kept = await begun(tab), await begun(tab)
        await tab.request("conversation.delete", conversation=gone["conversation"])
        await tab.request("conversation.archive", conversation=kept["conversation"], is_on=True)

        _, _, body = await fetched(browser, "/export/json")

        ids = [each["id"] for each in json.loads(body)["conversations"]]
        assert kept["conversation"] in ids
        assert gone["conversation"] not in ids


async def test_everything_is_all_that_one_wrote_and_keeps(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("ada") as chief:
        shared = {"title": "Partagé", "text": "de tous", "shared": "1"}
        assert (await chief.post("/prompts/add", shared)).status == 200
    async with daemon.browser("marc") as browser, browser.ws() as tab:
        asked = await begun(tab, "[[tokens=3]] rangé")
        loose = await begun(tab, "[[tokens=3]] pas rangé")
        added = await tab.request("folder.add", name="Été")
        await tab.request(
            "conversation.move", conversation=asked["conversation"], folder=added["folder"]
        )
        own = {"title": "À moi", "text": "Résume {{texte}}", "shared": ""}
        assert (await browser.post("/prompts/add", own)).status == 200
        preset = {"name": "Net", "choices": '{"temperature": 0}', "shared": ""}
        assert (await browser.post("/presets/add", preset)).status == 200

        status, headers, body = await fetched(browser, "/export/everything")

        assert status == 200
        assert headers["Content-Disposition"].startswith("attachment;")
        assert headers["Content-Type"] == "application/zip"
        found = unpacked(body)
        assert (found["profile"]["login"], found["profile"]["role"]) == ("marc", "member")
        assert found["folders"] == ["Été"]
        assert found["prompts"] == [{"title": "À moi", "text": "Résume {{texte}}"}]
        assert found["presets"] == [{"name": "Net", "temperature": 0}]
        folders = {each["id"]: each["folder"] for each in found["conversations"]}
        assert folders[asked["conversation"]] == "Été"
        assert folders[loose["conversation"]] is None


async def test_everything_has_the_bytes_of_files_under_names_of_ours_and_what_is_in_the_bin(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        files = [
            (await browser.upload(name, text))[1]
            for name, text in (("..devis.md", b"Total : 12"), ("..devis.md", b"Total : 13"))
        ]
        both = [each["id"] for each in files]
        first = await tab.ask("[[tokens=2]] Combien ?", attachments=both)
        await tab.ended(first["answer"])
        again = await tab.ask("[[tokens=2]] Et ?", attachments=both[:1])
        await tab.ended(again["answer"])
        await tab.request("conversation.delete", conversation=first["conversation"])
        _, unsent = await browser.upload("brouillon", b"plus tard")

        _, _, body = await fetched(browser, "/export/everything")

    found = unpacked(body)
    binned, kept = found["conversations"]
    assert binned["id"] == first["conversation"]
    assert binned["deleted_at"].endswith("Z")
    assert kept["deleted_at"] is None
    named = [each["file"] for each in binned["messages"][0]["attachments"]]
    assert [each["file"] for each in kept["messages"][0]["attachments"]] == named[:1]
    (waiting,) = found["unsent"]
    assert waiting["id"] == unsent["id"]
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert set(archive.namelist()) == {*named, waiting["file"], "couachgpt.json"}
        assert [archive.read(name) for name in named] == [b"Total : 12", b"Total : 13"]
        assert archive.read(waiting["file"]) == b"plus tard"
    day = kept["created_at"][:10]
    assert named == [f"files/{day} devis.md", f"files/{day} devis (2).md"]
    assert waiting["file"] == f"files/{day} brouillon.txt"


async def test_a_file_whose_bytes_are_gone_is_said_and_everything_else_is_there(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        before = set((site.data / "uploads").glob("*"))
        _, file = await browser.upload("perdu.md", b"Total : 12")
        (stored,) = set((site.data / "uploads").glob("*")) - before
        asked = await tab.ask("[[tokens=2]] Combien ?", attachments=[file["id"]])
        await tab.ended(asked["answer"])
        stored.unlink()

        status, _, body = await fetched(browser, "/export/everything")

    assert status == 200
    (kept,) = unpacked(body)["conversations"]
    assert kept["messages"][0]["attachments"] == [{**file, "file": None}]
    assert "fault of ours" not in site.log


async def test_everything_is_sent_as_it_is_read_and_ends_with_who_goes_away(
    site: RunningDaemon, someone: str
) -> None:
    """Nobody reads it, so it stops at what the network holds: far less than there is."""
    async with site.browser(someone) as browser:
        for number in range(3):
            status, _ = await browser.upload(f"{number}.txt", io.BytesIO(b"hibou\n" * 3_000_000))
            assert status == 201

        before = resident_kilobytes(site)
        async with browser.session.get("/export/everything") as response:
            assert (await response.content.readexactly(4)) == b"PK\x03\x04"
            assert resident_kilobytes(site) - before < 15_000
            assert opened_uploads(site) == 1
            response.close()
        async with asyncio.timeout(20):
            while opened_uploads(site):
                await browser.get("/export/json")
        _, _, body = await fetched(browser, "/export/everything")
    assert len(unpacked(body)["unsent"]) == 3
    assert "fault of ours" not in site.log


def resident_kilobytes(site: RunningDaemon) -> int:
    status = Path(f"/proc/{site.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def opened_uploads(site: RunningDaemon) -> int:
    found = 0
    for each in Path(f"/proc/{site.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            found += "/uploads/" in str(each.readlink())
    return found


async def test_what_is_dated_after_all_that_a_zip_knows_is_taken_away(
    site: RunningDaemon, someone: str
) -> None:
    late = "2200-01-01T00:00:00.000Z"
    message = {"id": 1, "parent": None, "author": "person", "text": "Hibou", "created_at": late}
    file = {"format": "couachgpt.conversations", "version": 1, "conversations": [
        {"title": "Tard", "updated_at": late, "messages": [message]}]}  # fmt: skip
    async with site.browser(someone) as browser:
        assert (await brought(browser, json.dumps(file).encode()))[1][-1]["imported"] == 1
        status, _, body = await fetched(browser, "/export/md")

    assert status == 200
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        assert [each.date_time[0] for each in archive.infolist()] == [2107]


async def test_a_fault_of_ours_in_the_midst_of_a_file_cuts_it(
    site: RunningDaemon, someone: str
) -> None:
    uploads = site.data / "uploads"
    before = set(uploads.glob("*"))
    async with site.browser(someone) as browser:
        await browser.upload("a.txt", b"Hibou")
        (stored,) = set(uploads.glob("*")) - before
        stored.unlink()
        stored.mkdir()  # which no code of ours expects

        with pytest.raises(ClientError):
            await asyncio.wait_for(fetched(browser, "/export/everything"), 20)
    stored.rmdir()
    assert "fault of ours" in site.log
