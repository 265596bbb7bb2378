"""Bringing conversations in: all of a file or nothing, once, and as one's own."""

import asyncio
import json
import warnings
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FakeOllama
from tests.running_daemon import Browser, RunningDaemon

Json = dict[str, Any]
SAMPLES = Path(__file__).parents[1] / "fixtures" / "imports"


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.json").read_bytes()


async def brought(browser: Browser, data: Any, **headers: str) -> tuple[int, list[Json]]:
    """Send a file as the page does; return the status and each line of the answer."""
    own = {
        "Origin": browser.address,
        "X-Form-Token": await browser.token(),
        "Accept": "application/json",
        "Content-Type": "application/octet-stream",
    }
    async with browser.session.post("/import", data=data, headers=own | headers) as response:
        return response.status, [json.loads(line) for line in (await response.text()).splitlines()]


async def mine(browser: Browser) -> list[Json]:
    _, text = await browser.get("/export/json")
    found: list[Json] = json.loads(text)["conversations"]
    return found


def shape(conversation: Json) -> list[tuple[Any, str, str]]:
    place = {each["id"]: at for at, each in enumerate(conversation["messages"])}
    return [
        (place.get(each["parent"]), each["author"], each["text"])
        for each in conversation["messages"]
    ]


async def test_a_file_becomes_conversations_and_the_same_file_again_adds_nothing(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        status, lines = await brought(browser, sample("chatgpt"))

        assert status == 200
        assert lines[-1] == {
            "type": "done",
            "imported": 1,
            "known": 0,
            "skipped": 1,
            "reasons": [{"title": "Vide", "reason": "empty"}],
            "files": 1,
        }
        told = await tab.next("conversations")
        assert [each["title"] for each in told["conversations"]] == ["Cuire un œuf"]
        assert told["conversations"][0]["created_at"] == "2023-11-14T22:13:20.250Z"
        found = await tab.request("conversation.search", text="bouillante")
        assert len(found["messages"]) == 1

        _, again = await brought(browser, sample("chatgpt"))
        assert (again[-1]["imported"], again[-1]["known"]) == (0, 1)
        name = told["conversations"][0]["id"]
        await tab.request("conversation.delete", conversation=name)
        _, again = await brought(browser, sample("chatgpt"))
        assert (again[-1]["imported"], again[-1]["known"]) == (0, 1)
        await tab.request("conversation.purge", conversation=name)
        _, again = await brought(browser, sample("chatgpt"))
        assert (again[-1]["imported"], again[-1]["known"]) == (1, 0)


async def test_what_was_taken_away_comes_to_somebody_else_as_it_was(
    site: RunningDaemon, someone: str, another: str
) -> None:
    async with site.browser(someone) as browser:
        for name in ("chatgpt", "open-webui", "couachgpt"):
            await brought(browser, sample(name))
        _, text = await browser.get("/export/json")
        before = await mine(browser)
        _, lines = await brought(browser, text.encode())
        assert (lines[-1]["imported"], lines[-1]["known"]) == (0, 3)
    async with site.browser(another) as browser:
        _, lines = await brought(browser, text.encode())
        assert lines[-1]["imported"] == 3
        after = await mine(browser)

    for one, other in zip(before, after, strict=True):
        assert shape(one) == shape(other)
        same = ("title", "created_at", "updated_at", "is_pinned", "is_archived")
        assert [one[name] for name in same] == [other[name] for name in same]
        assert one["id"] != other["id"]
        for mine_, theirs in zip(one["messages"], other["messages"], strict=True):
            assert mine_["model"] == theirs["model"]
            assert mine_["thinking"] == theirs["thinking"]


async def test_what_was_in_the_bin_comes_to_the_bin_and_its_days_there_begin_again(
    site: RunningDaemon, someone: str
) -> None:
    value = json.loads(sample("couachgpt"))
    value["conversations"][0]["deleted_at"] = "2020-01-01T00:00:00.000Z"
    async with site.browser(someone) as browser, browser.ws() as tab:
        _, lines = await brought(browser, json.dumps(value).encode())

        assert lines[-1]["imported"] == 1
        assert await mine(browser) == []
        binned = await tab.request("conversation.bin")
        (kept,) = binned["conversations"]
        assert kept["title"] == value["conversations"][0]["title"]
        assert kept["deleted_at"] > "2026"


async def test_one_can_go_on_where_an_imported_conversation_ends(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser, browser.ws() as tab:
        await brought(browser, sample("couachgpt"))
        (kept,) = await mine(browser)
        asked = await tab.request(
            "chat.ask", conversation=kept["id"], client_id="on", text="[[tokens=2]] x",
            parent=None, model=None,
        )  # fmt: skip
        await tab.ended(asked["answer"])

        (kept,) = await mine(browser)
        assert kept["messages"][4]["parent"] == kept["messages"][3]["id"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "import_broken"),
        (b"PK\x03\x04", "import_broken"),
        (b"\xff\xfe[\x00", "import_broken"),
        (sample("chatgpt")[:-200], "import_broken"),
        (sample("chatgpt").replace(b'"parent": "sys"', b'"parent": sys'), "import_broken"),
        (sample("couachgpt")[:-30] + b"\xff" + sample("couachgpt")[-30:], "import_broken"),
        (b"[1, 2, [3]]", "import_unknown"),
        (b'{"a": {}}', "import_unknown"),
        (sample("couachgpt").replace(b'"version":1', b'"version":9'), "import_too_new"),
    ],
)
async def test_a_file_that_is_broken_anywhere_changes_nothing(
    site: RunningDaemon, someone: str, data: bytes, code: str
) -> None:
    async with site.browser(someone) as browser:
        _, lines = await brought(browser, data)

        assert lines[-1]["error"]["code"] == code
        assert await mine(browser) == []
        assert (await brought(browser, sample("couachgpt")))[1][-1]["imported"] == 1
    assert "fault of ours" not in site.log


def zipped(*members: tuple[str, bytes], packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip, also of two members with one name."""
    with warnings.catch_warnings(), zipfile.ZipFile(file := BytesIO(), "w", packing) as archive:
        warnings.simplefilter("ignore")
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def said_otherwise(data: bytes, at: int, value: int, size: int) -> bytes:
    """Change what a zip's list says of its one member."""
    place = data.rindex(b"PK\x01\x02") + at
    return data[:place] + value.to_bytes(size, "little") + data[place + size :]


OURS = zipped(("couachgpt.json", sample("couachgpt")))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (OURS[:-30], "import_broken"),
        (OURS[:60] + bytes(40) + OURS[100:], "import_broken"),
        (zipped(("../couachgpt.json", b"[]"), ("/etc/passwd", b"x")), "import_unknown"),
        (zipped(*[("couachgpt.json", sample("couachgpt"))] * 2), "import_broken"),
        (zipped(("couachgpt.json", b"[]"), packing=zipfile.ZIP_LZMA), "import_broken"),
        (said_otherwise(OURS, 8, 1, 2), "import_locked"),
        (said_otherwise(OURS, 24, 201 * 1024 * 1024, 4), "import_too_large"),
        (said_otherwise(OURS, 24, 300, 4), "import_broken"),
        (said_otherwise(OURS, 42, 2**31, 4), "import_broken"),
        (zipped(("couachgpt.json", b" " * 50_000_000)), "import_broken"),
        (zipped(*((f"{n:060}", b"") for n in range(21_000))), "import_broken"),
    ],
    ids=[
        "cut", "damaged", "elsewhere", "twice", "swells", "locked", "too long", "longer than said",
        "misplaced", "empty", "a long list",
    ],
)  # fmt: skip
async def test_a_zip_that_is_not_what_it_should_be_changes_nothing(
    site: RunningDaemon, someone: str, data: bytes, code: str
) -> None:
    async with site.browser(someone) as browser:
        _, lines = await brought(browser, BytesIO(data))

        assert lines[-1]["error"]["code"] == code
        assert await mine(browser) == []
    assert "fault of ours" not in site.log


async def test_a_zip_is_taken_for_the_conversations_in_it_also_one_of_elsewhere(
    site: RunningDaemon, someone: str
) -> None:
    elsewhere = zipped(("user.json", b"{}"), ("conversations.json", sample("chatgpt")))
    async with site.browser(someone) as browser:
        for data in (OURS, elsewhere):
            _, lines = await brought(browser, BytesIO(data))
            assert lines[-1]["imported"] == 1
        assert len(await mine(browser)) == 2


async def everything_of(browser: Browser) -> bytes:
    async with browser.session.get("/export/everything") as response:
        return await response.read()


async def test_everything_comes_to_somebody_else_with_its_files_and_its_bin(
    site: RunningDaemon, someone: str, another: str
) -> None:
    uploads = site.data / "uploads"
    async with site.browser(someone) as browser, browser.ws() as tab:
        files = [await browser.upload("devis.md", f"Total\u00a0: {n}".encode()) for n in (12, 13)]
        asked = await tab.ask("[[tokens=2]] Total ?", attachments=[each["id"] for _, each in files])
        await tab.ended(asked["answer"])
        part = {"unit": "character", "first": 1, "last": 5}
        _, alone = await browser.upload("seul.md", b"[[tokens=2]] Hibou")
        await tab.request("attachment.part", attachment=alone["id"], part=part)
        gone = await tab.ask("", attachments=[alone["id"]])
        await tab.ended(gone["answer"])
        await tab.request("conversation.delete", conversation=gone["conversation"])
        whole = await everything_of(browser)

    async with site.browser(another) as browser, browser.ws() as tab:
        _, lines = await brought(browser, BytesIO(whole))

        assert (lines[-1]["imported"], lines[-1]["files"]) == (2, 0), lines
        (kept,) = await mine(browser)
        assert kept["messages"][0]["text"] == "[[tokens=2]] Total ?"
        named = kept["messages"][0]["attachments"]
        assert [each["name"] for each in named] == ["devis.md"] * 2
        texts = [(await browser.get(f"/attachments/{each['id']}"))[1] for each in named]
        assert texts == ["Total\u00a0: 12", "Total\u00a0: 13"]
        (binned,) = (await tab.request("conversation.bin"))["conversations"]
        await tab.request("conversation.restore", conversation=binned["id"])
        back = next(each for each in await mine(browser) if each["id"] == binned["id"])
        assert back["messages"][0]["text"] == ""
        assert back["messages"][0]["attachments"][0]["part"] == part

        before = set(uploads.iterdir())
        _, lines = await brought(browser, BytesIO(whole))
        assert (lines[-1]["imported"], lines[-1]["known"], lines[-1]["files"]) == (0, 2, 0)
        assert set(uploads.iterdir()) == before


async def test_files_of_a_zip_that_cannot_be_taken_are_counted_and_the_rest_is_kept(
    site: RunningDaemon, someone: str
) -> None:
    named = [
        ("ok.txt", "files/ok.txt"),
        ("absent.txt", "files/absent.txt"),
        ("passwd", "/etc/passwd"),
        ("../evil.txt", "files/ok.txt"),
        ("vide.txt", "files/vide.txt"),
        ("faux.pdf", "files/ok.txt"),
        ("gros.txt", "files/gros.txt"),
        ("x.json", "couachgpt.json"),
        ("gone.txt", None),
    ]
    value = json.loads(sample("couachgpt"))
    value["conversations"][0]["messages"][0]["attachments"] = [
        {"name": name, "file": member} for name, member in named
    ]
    data = zipped(
        ("couachgpt.json", json.dumps(value).encode()),
        ("files/ok.txt", b"Hibou"),
        ("../../etc/passwd", b"x"),
        ("files/vide.txt", b""),
        ("files/gros.txt", b" " * 40_000_000),
    )
    before = set((site.data / "uploads").glob("*"))
    async with site.browser(someone) as browser:
        _, lines = await brought(browser, BytesIO(data))

        assert (lines[-1]["imported"], lines[-1]["files"]) == (1, 7), lines
        (kept,) = await mine(browser)
        assert [each["name"] for each in kept["messages"][0]["attachments"]] == ["ok.txt", "x.json"]
    assert len(set((site.data / "uploads").glob("*")) - before) == 2
    assert "fault of ours" not in site.log


async def brought_with(browser: Browser, *files: tuple[str, bytes]) -> Json:
    """Bring one conversation with these files; return what was said last."""
    value = json.loads(sample("couachgpt"))
    value["conversations"][0]["messages"][0]["attachments"] = [
        {"name": name, "file": f"files/{name}"} for name, _ in files
    ]
    members = [(f"files/{name}", data) for name, data in files]
    data = zipped(("couachgpt.json", json.dumps(value).encode()), *members)
    return (await brought(browser, BytesIO(data)))[1][-1]


async def test_a_smaller_file_is_taken_where_a_larger_one_has_no_room_and_no_more_is_read(
    shared_ollama: FakeOllama, tmp_path: Path
) -> None:
    text, junk = b"Hibou\n" * 100_000, bytes(600_000)
    site = RunningDaemon(tmp_path, shared_ollama.url, "files.person_mib=1").start()
    try:
        site.add_user("claire")
        site.add_user("marc")
        async with site.browser("claire") as browser:
            assert (await browser.upload("a.txt", text))[0] == 201
            done = await brought_with(browser, ("b.txt", text), ("c.txt", b"Hibou"))
            assert (done["imported"], done["files"]) == (1, 1)
            (kept,) = await mine(browser)
            assert [each["name"] for each in kept["messages"][0]["attachments"]] == ["c.txt"]
        async with site.browser("marc") as browser:
            # Refused, they take no room: else a small zip could have one file read without end.
            done = await brought_with(browser, ("x.bin", junk), ("a.txt", text))
            assert (done["imported"], done["files"]) == (1, 2)
    finally:
        site.stop()


async def test_a_zip_is_known_however_small_the_pieces_that_come(
    site: RunningDaemon, someone: str
) -> None:
    async def pieces() -> Any:
        for place in range(6):
            yield OURS[place : place + 1]
            await asyncio.sleep(0)
        yield OURS[6:]

    async with site.browser(someone) as browser:
        assert (await brought(browser, pieces()))[1][-1]["imported"] == 1


@pytest.mark.parametrize("how", ["remove", "suspend"])
async def test_an_import_with_files_ends_with_its_account_and_leaves_nothing(
    site: RunningDaemon, someone: str, how: str
) -> None:
    file = json.loads(sample("couachgpt"))
    (first, *_) = file["conversations"]
    first["messages"][0]["attachments"] = [
        {"name": f"{n}.txt", "file": "files/x.txt"} for n in range(10)
    ]
    file["conversations"] = [{**first, "id": f"c{n}", "title": f"{n}"} for n in range(50)]
    data = zipped(("couachgpt.json", json.dumps(file).encode()), ("files/x.txt", b"Hibou"))
    uploads = site.data / "uploads"
    before = set(uploads.glob("*"))

    async def came() -> set[Path]:
        await asyncio.sleep(0.02)
        return set(uploads.glob("*")) - before

    async with site.browser(someone) as browser:
        bringing = asyncio.create_task(brought(browser, BytesIO(data)))
        async with asyncio.timeout(30):
            while len(await came()) < 12:
                pass
        asked = {"remove": ("remove", {}), "suspend": ("state", {"state": "suspended"})}
        verb, fields = asked[how]
        await asyncio.to_thread(site.control, "POST", f"/v1/users/{someone}/{verb}", fields)
        _, lines = await bringing
        assert lines[-1]["error"]["code"] == "not_found"
        async with asyncio.timeout(30):  # what is gone is swept a little later
            while await came():
                pass
    assert "fault of ours" not in site.log


async def test_a_file_without_our_token_or_from_elsewhere_is_refused(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser:
        for headers in (
            {"X-Form-Token": ""},
            {"X-Form-Token": "é"},
            {"Origin": "http://evil.test"},
        ):
            status, lines = await brought(browser, sample("couachgpt"), **headers)
            assert status == 403
            assert lines[-1]["error"]["code"] == "form_expired"
        assert await mine(browser) == []


async def test_a_file_that_is_too_large_is_refused_before_it_comes_and_one_who_leaves_is_no_fault(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser:
        head = (
            f"POST /import HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nOrigin: {site.address}\r\n"
            f"Cookie: couachgpt={browser.cookies['couachgpt']}\r\nAccept: application/json\r\n"
            f"X-Form-Token: {await browser.token()}\r\nContent-Length: "
        )
        for length, expected in ((300_000_000, b"413"), (100_000_000, b"")):
            reader, writer = await asyncio.open_connection("127.0.0.1", site.port)
            writer.write(f"{head}{length}\r\n\r\n[".encode())
            await writer.drain()
            if expected:
                assert expected in await reader.readline()
            writer.close()

        async with asyncio.timeout(20):  # until it was seen that nobody is there any more
            while "error" in (told := (await brought(browser, sample("couachgpt")))[1][-1]):
                assert told["error"]["code"] == "import_running"
        assert told["imported"] == 1
    assert "fault of ours" not in site.log


async def test_a_file_that_stops_coming_is_let_go_with_all_that_it_held(
    shared_ollama: FakeOllama, tmp_path: Path
) -> None:
    running = RunningDaemon(tmp_path, shared_ollama.url, "server.stalled_seconds=1").start()
    try:
        running.add_user("claire")
        async with running.browser("claire") as browser:
            reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
            head = (
                f"POST /import HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n"
                f"Origin: {running.address}\r\nAccept: application/json\r\n"
                f"Cookie: couachgpt={browser.cookies['couachgpt']}\r\n"
                f"X-Form-Token: {await browser.token()}\r\nContent-Length: 100000\r\n\r\n["
            )
            writer.write(head.encode())
            async with asyncio.timeout(20):
                answer = await reader.readuntil(b"}}}")
            assert b"400" in answer.splitlines()[0]
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"] == {
                "code": "import_stalled", "fields": {"seconds": 1},
            }  # fmt: skip
            opened = {str(each.readlink()) for each in Path(f"/proc/{running.pid}/fd").iterdir()}
            assert not [each for each in opened if each.endswith("(deleted)")]
            _, lines = await brought(browser, sample("couachgpt"))
            assert lines[-1]["imported"] == 1
            writer.close()
    finally:
        running.stop()


async def test_a_reader_may_take_away_but_not_bring(daemon: RunningDaemon) -> None:
    async with daemon.browser("lea") as browser:
        status, lines = await brought(browser, sample("couachgpt"))
        assert (status, lines[-1]["error"]["code"]) == (403, "not_allowed")
        assert await mine(browser) == []


async def test_a_title_and_a_text_stay_what_they_are(site: RunningDaemon, someone: str) -> None:
    markup = "<script>alert(1)</script>'; DROP TABLE users; --"
    value = [{"title": f"a\n{markup}\u202e", "history": {"messages": {
        "1": {"role": "user", "content": markup}}}}]  # fmt: skip
    async with site.browser(someone) as browser:
        await brought(browser, json.dumps(value).encode())

        (kept,) = await mine(browser)
        assert kept["title"] == f"a {markup}"
        assert kept["messages"][0]["text"] == markup


async def test_a_large_file_neither_holds_up_others_nor_stays_in_memory(
    site: RunningDaemon, someone: str, another: str
) -> None:
    words = "Le hérisson dort sous les feuilles. " * 40
    one = json.loads(sample("open-webui"))[0]

    def conversation(number: int) -> str:
        history = {"messages": {"q": {"role": "user", "content": f"{number} {words}"},
            "a": {"parentId": "q", "role": "assistant", "content": words * 4}}}  # fmt: skip
        return json.dumps({**one, "id": str(number), "chat": {"history": history}})

    async def pieces() -> Any:
        yield b"["
        for number in range(600):
            yield f"{',' * bool(number)}{conversation(number)}".encode()
        yield b"]"

    def resident_kilobytes() -> int:
        status = Path(f"/proc/{site.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])

    async with site.browser(someone) as browser, site.browser(another) as other:
        before = resident_kilobytes()
        _, lines = await brought(browser, pieces())
        after = resident_kilobytes()

        assert lines[-1]["imported"] == 600
        assert {line["stage"] for line in lines[:-1]} == {"reading", "keeping"}
        assert after - before < 30_000
        async with other.ws() as tab:
            asked = await tab.ask("[[tokens=2]] x")
            await tab.ended(asked["answer"])
        assert await mine(other) != []


async def test_a_file_of_many_things_that_are_no_conversation_is_given_up_soon(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser:
        _, lines = await brought(browser, BytesIO(b"[" + b"{}," * 500_000 + b"{}]"))

    assert lines[-1]["error"]["code"] == "import_unknown"
    assert len(lines) < 20


def novel() -> BytesIO:
    """Return a file with about the longest conversation that is taken."""
    messages = [
        {"id": number, "parent": number - 1, "author": "person", "text": "x" * 4000}
        for number in range(1, 2001)
    ]
    file = {"format": "couachgpt.conversations", "version": 1, "conversations": [
        {"title": "Roman", "messages": messages}]}  # fmt: skip
    return BytesIO(json.dumps(file).encode())


async def test_the_longest_conversation_is_opened_and_a_page_that_never_reads_it_cut_off(
    site: RunningDaemon, someone: str
) -> None:
    async with site.browser(someone) as browser:
        _, lines = await brought(browser, novel())
        assert lines[-1]["imported"] == 1
        async with browser.ws() as tab:
            (conversation,) = tab.hello["conversations"]
            await tab.watch(conversation["id"])
            assert len((await tab.next("snapshot"))["messages"]) == 2000
        async with browser.ws() as tab:
            connection = tab.ws._response.connection
            assert connection is not None
            assert connection.transport is not None
            connection.transport.pause_reading()

            async def ask_for_it_again_and_again() -> None:
                while True:
                    await tab.ws.send_json(
                        {"type": "conversation.watch", "conversation": conversation["id"]}
                    )

            with pytest.raises(ConnectionError):
                await ask_for_it_again_and_again()


async def test_an_import_ends_when_its_account_has_gone_meanwhile(
    site: RunningDaemon, someone: str
) -> None:
    async def pieces() -> Any:
        yield sample("chatgpt")
        await asyncio.to_thread(site.control, "POST", f"/v1/users/{someone}/remove", {})
        yield b"\n"

    async with site.browser(someone) as browser:
        _, lines = await brought(browser, pieces())

    assert lines[-1]["error"]["code"] == "not_found"
    assert "fault of ours" not in site.log
