"""The WebSocket under attack: nothing that a page sends ends the socket's loop or the daemon."""

import asyncio
import contextlib
import json
import os
import socket
import struct
from typing import Any

import aiohttp
import pytest

from tests.running_daemon import RunningDaemon, Socket

Json = dict[str, Any]
VERBS = {
    "conversation.watch": ("conversation",),
    "conversation.unwatch": ("conversation",),
    "conversation.search": ("text", "before"),
    "chat.ask": ("conversation", "text", "client_id", "parent", "edits", "model"),
    "chat.stop": ("turn",),
    "chat.regenerate": ("message", "model"),
    "chat.continue": ("message",),
    "chat.rate": ("message", "value", "word"),
    "conversation.rename": ("conversation", "title"),
    "conversation.pin": ("conversation", "is_on"),
    "conversation.archive": ("conversation", "is_on"),
    "conversation.restore": ("conversation",),
}
ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**63, -(2**63), 10**400, "", "x", "\0", "\ud800", "é" * 5000,
    "../../etc", "1", [], [1], {}, {"a": 1}, [[[[]]]], float("nan"),
]  # fmt: skip


async def alive(tab: Socket) -> bool:
    answer = await tab.request("model.list")
    return bool(answer["type"] == "ok")


@pytest.mark.parametrize("verb", VERBS)
async def test_a_field_of_any_kind_gets_an_answer_and_the_socket_goes_on(
    daemon: RunningDaemon, verb: str
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[tokens=2]] Bonjour")
        await tab.ended(asked["answer"])
        good: Json = {
            "conversation": asked["conversation"],
            "text": "[[tokens=2]] x",
            "client_id": "fuzz",
            "parent": None,
            "edits": None,
            "model": None,
            "turn": 1,
            "before": None,
            "message": asked["answer"],
            "title": "x",
            "is_on": False,
            "value": 1,
            "word": "x",
        }
        for field in VERBS[verb]:
            for value in ODD:
                fields = {name: good[name] for name in VERBS[verb]} | {field: value}
                answer = await tab.request(verb, **fields)
                assert answer.get("code") != "internal_error", (field, value)
                if answer["type"] == "ok" and "answer" in answer:
                    await asyncio.wait_for(end_seen(tab, answer["answer"]), 20)

        assert await alive(tab)
    assert "fault of ours" not in daemon.log


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "null",
        "[]",
        "{}",
        '"chat.ask"',
        "{",
        '{"type":null,"id":1}',
        '{"type":"","id":1}',
        '{"type":"__init__","id":1}',
        '{"type":"run","id":1}',
        '{"type":["chat.ask"],"id":1}',
        '{"type":"model.list","id":"1"}',
        '{"type":"model.list","id":1.5}',
        '{"type":"model.list","id":true}',
        '{"type":"model.list","id":[]}',
        '{"type":"control.status","id":1}',
        '{"type":"page.chat","id":1}',
        '{"type":"hello","id":1}',
        '{"id":1}',
        '{"type":"chat.ask"}',
        '{"type":"\\ud800","id":1}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"type":"model.list","id":' + "9" * 5000 + "}",
        "\ufeff{}",
        "NaN",
    ],
)
async def test_what_is_not_of_the_protocols_form_gets_an_error(
    daemon: RunningDaemon, text: str
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        await tab.ws.send_str(text)

        answer = await tab.next("error")
        assert answer["code"] in ("bad_request", "not_allowed")
        assert answer["id"] in (None, 1)
        assert await alive(tab)


async def test_a_request_without_an_id_is_answered_without_one(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        await tab.ws.send_str('{"type":"model.list"}')

        assert (await tab.next("ok"))["id"] is None


async def test_a_huge_number_comes_back_as_it_was(daemon: RunningDaemon) -> None:
    number = 10**300
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        await tab.ws.send_str(json.dumps({"type": "model.list", "id": number}))

        assert (await tab.next("ok"))["id"] == number


@pytest.mark.parametrize("data", [b"", b"{}", b'{"type":"model.list","id":1}', os.urandom(5000)])
async def test_binary_messages_change_nothing(daemon: RunningDaemon, data: bytes) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        await tab.ws.send_bytes(data)

        assert await alive(tab)


async def test_a_message_of_five_megabytes_ends_that_socket_and_nothing_else(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab, browser.ws() as other:
        # The server stops reading at its bound; what it has to say may come too late for a reader.
        with contextlib.suppress(ConnectionError):
            await tab.ws.send_str("x" * 5_000_000)
            assert await tab.closed() in (aiohttp.WSCloseCode.MESSAGE_TOO_BIG, 1006)

        assert await alive(other)


@pytest.mark.parametrize(
    "frame",
    [
        b"\xff" * 50,
        b"\x81\xfe\xff\xff",
        b"\x81\xff" + b"\xff" * 8,  # longer than any message
        b"\x81\x82\0\0\0\0\xff\xfe",  # not UTF-8
        b"\x89\xfe\x10\x00" + b"\0" * 4100,  # a ping too long
        b"\x88\x81\0\0\0\0\x01",  # a closing of one byte
        b"\xc1\x80\0\0\0\0",  # compressed although nobody agreed
    ],
)
async def test_a_broken_frame_ends_that_socket_and_nothing_else(
    daemon: RunningDaemon, frame: bytes
) -> None:
    is_half = frame == b"\x81\xfe\xff\xff"  # the rest never comes
    async with daemon.browser("claire") as browser, browser.ws() as other:
        cookie = browser.cookies["couachgpt"]
        reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
        writer.write(handshake(daemon, cookie))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame)
        await writer.drain()
        if not is_half:
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(10):
                    await reader.read()
        writer.close()

        assert await alive(other)
    assert "fault of ours" not in daemon.log


async def test_a_browser_that_leaves_before_its_socket_is_accepted_is_no_fault(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as other:
        cookie = browser.cookies["couachgpt"]
        for _ in range(20):
            _reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
            reset = struct.pack("ii", 1, 0)  # close by RST, as a browser that is killed
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            writer.write(handshake(daemon, cookie))
            writer.close()

        assert await alive(other)
    assert "ERROR" not in daemon.log


def handshake(daemon: RunningDaemon, cookie: str, origin: str | None = None) -> bytes:
    return (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nOrigin: {origin or daemon.address}\r\n"
        f"Cookie: couachgpt={cookie}\r\n\r\n"
    ).encode()


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://[", "", "http://127.0.0.1", "NONE"]
)
async def test_a_socket_opened_by_another_site_is_refused(
    daemon: RunningDaemon, origin: str
) -> None:
    async with daemon.browser("claire") as browser:
        headers = {} if origin == "NONE" else {"Origin": origin}
        ws = await browser.session.ws_connect("/ws", headers=headers)
        tab = Socket(ws)

        assert await tab.closed() == 4403
        assert tab.messages == []


async def test_who_is_not_logged_in_is_told_so_and_no_more(daemon: RunningDaemon) -> None:
    async with daemon.browser() as browser:
        tab = await browser.open()

        assert await tab.closed() == 4401
        assert tab.messages == [{"type": "closing", "reason": "signed_out"}]


async def test_another_site_learns_not_even_whether_somebody_is_logged_in(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser() as browser:
        ws = await browser.session.ws_connect("/ws", headers={"Origin": "http://evil.example"})

        assert await Socket(ws).closed() == 4403


async def test_a_plain_request_for_the_socket_is_refused(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser:
        assert (await browser.get("/ws"))[0] in (400, 426)
        assert (await browser.get("/ws", headers={"Upgrade": "websocket"}))[0] in (400, 426)
    async with daemon.browser() as browser:
        assert (await browser.get("/ws", headers={"Upgrade": "h2c"}))[0] in (400, 426)


async def test_hello_is_first_and_once_and_of_the_documented_form(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        fixture = json.loads(
            (daemon_root() / "fixtures" / "protocol" / "hello.json").read_text(encoding="utf-8")
        )

        assert tab.messages == [tab.hello]
        assert set(tab.hello) == set(fixture)
        assert set(tab.hello["models"][0]) == set(fixture["models"][0])
        assert tab.hello["user"]["login"] == "claire"
        assert tab.hello["protocol"] == 1


def daemon_root() -> Any:
    from pathlib import Path

    return Path(__file__).parents[1]


async def test_an_answer_keeps_growing_while_others_send_garbage(daemon: RunningDaemon) -> None:
    async with (
        daemon.browser("claire") as hers,
        hers.ws() as tab,
        daemon.browser("marc") as his,
        his.ws() as noisy,
    ):
        asked = await tab.ask("[[rate=100 tokens=80]] Explique.")
        for number in range(300):
            await noisy.ws.send_str("{" * (number % 50))
        turn = await tab.ended(asked["answer"])

        assert turn["state"] == "done"
        assert turn["timings"]["answer_tokens"] == 80


async def test_fifty_sockets_of_one_person_all_see_one_answer(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser:
        tabs = [await browser.open() for _ in range(50)]
        asked = await tabs[0].ask("[[rate=100 tokens=20]] Explique.")
        for tab in tabs[1:]:
            await tab.watch(asked["conversation"])
        ends = [await end_seen(tab, asked["answer"]) for tab in tabs]
        for tab in tabs:
            await tab.close()

        assert {each["state"] for each in ends} == {"done"}


async def end_seen(tab: Socket, answer: int) -> Json:
    """Return the turn of an answer at its end, from an event or from a snapshot."""
    seen = 0
    async with asyncio.timeout(30):
        while True:
            for found in tab.messages[seen:]:
                messages = found["messages"] if found["type"] == "snapshot" else []
                turns: list[Json] = [each["turn"] for each in messages if each["id"] == answer]
                if found["type"] == "turn" and found["message"] == answer:
                    turns = [found["turn"]]
                for turn in turns:
                    if turn["finished_at"]:
                        return turn
            seen = len(tab.messages)
            await tab.receive()


async def test_a_page_that_reads_nothing_is_cut_off_before_it_fills_the_memory(
    fresh: RunningDaemon,
) -> None:
    async with fresh.browser("claire") as browser:
        async with browser.ws() as tab:
            asked = await tab.ask("[[tokens=2]] " + "mot " * 1700)
            await tab.ended(asked["answer"])
        before = fresh.control("GET", "/v1/status")[1]["memory_bytes"]
        deaf = await browser.open()
        request = {"type": "conversation.watch", "conversation": asked["conversation"], "id": 1}
        with contextlib.suppress(ConnectionError):
            for _ in range(3000):
                await deaf.ws.send_json(request)
        async with asyncio.timeout(20):
            while (status := fresh.control("GET", "/v1/status")[1])["sockets"]:  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.1)
        await deaf.close()

    assert status["memory_bytes"] < before + 60_000_000
