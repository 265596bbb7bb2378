"""The control client against a real server on a real Unix socket."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from couachgptd.control.client import (
    BadAnswer,
    ControlClient,
    ControlError,
    DaemonNotRunning,
    DaemonSilent,
    PermissionRefused,
)
from tests.control.peer import (
    ENGINE,
    INCIDENT,
    MODEL,
    QUEUE,
    STATUS,
    USER,
    Peer,
    listening,
    text,
    turn,
)


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    async with listening(tmp_path / "control.sock") as peer:
        yield peer


@pytest.fixture
def client(peer: Peer) -> ControlClient:
    return ControlClient(peer.socket, timeout_seconds=10)


async def test_each_verb_asks_what_the_contract_says(peer: Peer, client: ControlClient) -> None:
    added = {"login": "zoe", "password": "a password", "role": "admin", "language": "fr"}

    def everything() -> list[object]:
        return [
            client.call("control.status"),
            client.call("control.user.list"),
            client.call("control.user.add", added),
            client.call("control.user.approve", login="zoe"),
            client.call("control.user.passwd", {"password": "another one"}, login="zoe"),
            client.call("control.setup-link")["url"],
            client.call("control.model.list"),
            client.call("control.queue"),
            client.call("control.engine.incidents"),
            client.call("control.engine.incidents", limit=7),
            client.call("control.engine.reset"),
            client.call("control.engine.maintenance", {"is_on": True}),
        ]

    answers = await asyncio.to_thread(everything)

    link = "http://127.0.0.1:8294/setup/abc"
    models = {"models": [MODEL], "default": "qwen"}
    user, engine = {"user": USER}, {"engine": ENGINE}
    incidents = {"incidents": [INCIDENT]}
    people = [STATUS, {"users": [USER]}, user, user, user, link, models]
    assert answers == [*people, QUEUE, incidents, incidents, engine, engine]
    assert peer.requests == [
        ("GET", "/v1/status", None),
        ("GET", "/v1/users", None),
        ("POST", "/v1/users", added),
        ("POST", "/v1/users/zoe/approve", None),
        ("POST", "/v1/users/zoe/password", {"password": "another one"}),
        ("POST", "/v1/setup-link", None),
        ("GET", "/v1/models", None),
        ("GET", "/v1/queue", None),
        ("GET", "/v1/engine/incidents", None),
        ("GET", "/v1/engine/incidents?limit=7", None),
        ("POST", "/v1/engine/reset", None),
        ("POST", "/v1/engine/maintenance", {"is_on": True}),
    ]
    assert peer.headers["X-Couachgpt-Api"] == "1"
    assert "Origin" not in peer.headers


async def test_a_login_cannot_leave_its_place_in_the_path(
    peer: Peer, client: ControlClient
) -> None:
    await asyncio.to_thread(client.call, "control.user.approve", login="../é?")

    assert peer.requests[0][1] == "/v1/users/..%2F%C3%A9%3F/approve"


async def test_an_answer_comes_event_by_event(peer: Peer, client: ControlClient) -> None:
    events = await asyncio.to_thread(lambda: list(client.ask("Bonjour", model="qwen")))

    assert events == peer.events
    assert peer.requests == [("POST", "/v1/ask", {"text": "Bonjour", "model": "qwen"})]


async def test_closing_the_iterator_closes_the_connection(
    peer: Peer, client: ControlClient
) -> None:
    peer.events = [turn("writing"), text("a")]
    peer.goes_on = True

    def read_three() -> None:
        events = client.ask("Bonjour")
        for _ in range(3):
            next(events)
        events.close()

    await asyncio.to_thread(read_three)

    await asyncio.wait_for(peer.stopped.wait(), 5)


async def test_an_answer_without_its_last_event_is_an_error(
    peer: Peer, client: ControlClient
) -> None:
    peer.events = [turn("writing"), text("a")]

    with pytest.raises(BadAnswer):
        await asyncio.to_thread(lambda: list(client.ask("Bonjour")))


async def test_a_refusal_has_its_code_and_fields(peer: Peer, client: ControlClient) -> None:
    peer.refusal = (400, "password_too_short", {"min_length": 10})

    with pytest.raises(ControlError) as caught:
        await asyncio.to_thread(client.call, "control.user.add", {"login": "zoe"})
    with pytest.raises(ControlError) as caught_before_the_stream:
        await asyncio.to_thread(lambda: list(client.ask("Bonjour")))

    assert (caught.value.code, caught.value.fields) == ("password_too_short", {"min_length": 10})
    assert (caught.value.status, caught_before_the_stream.value.status) == (400, 400)


async def test_a_peer_that_is_no_operator_is_told_apart(peer: Peer, client: ControlClient) -> None:
    peer.refusal = (403, "not_allowed", {})

    with pytest.raises(PermissionRefused):
        await asyncio.to_thread(client.call, "control.status")


@pytest.mark.parametrize("raw", [b"<html>", b"[]", b"{}", b"\xff"])
async def test_what_is_not_of_the_contract_is_a_bad_answer(
    peer: Peer, client: ControlClient, raw: bytes
) -> None:
    peer.raw = raw

    with pytest.raises(BadAnswer):
        await asyncio.to_thread(lambda: client.call("control.user.list")["users"])


async def test_a_silent_daemon_is_given_up_in_time(peer: Peer) -> None:
    peer.is_silent = True
    client = ControlClient(peer.socket, timeout_seconds=0.2)

    with pytest.raises(DaemonSilent):
        await asyncio.to_thread(client.call, "control.status")
    with pytest.raises(DaemonSilent):
        await asyncio.to_thread(lambda: list(client.ask("Bonjour", silence_seconds=0.2)))


async def test_another_version_of_the_contract_is_noted(peer: Peer, client: ControlClient) -> None:
    await asyncio.to_thread(client.call, "control.status")
    assert client.other_api is None
    peer.api = "2"

    await asyncio.to_thread(client.call, "control.status")

    assert client.other_api == "2"


async def test_a_daemon_that_is_still_starting_is_waited_for(tmp_path: Path) -> None:
    client = ControlClient(tmp_path / "late.sock", start_wait_seconds=5)
    call = asyncio.create_task(asyncio.to_thread(client.call, "control.status"))
    await asyncio.sleep(0.3)

    async with listening(client.path):
        status = await call

    assert status["pid"] == 42


async def test_a_path_too_long_for_an_address_works(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    here = Path.cwd()
    os.chdir(folder)
    try:
        async with listening(Path("control.sock")):
            os.chdir(here)
            status = await asyncio.to_thread(
                ControlClient(folder / "control.sock").call, "control.status"
            )
            os.chdir(folder)
    finally:
        os.chdir(here)

    assert status["pid"] == 42


def test_no_socket_and_a_dead_socket_mean_not_running(tmp_path: Path) -> None:
    dead = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(dead))

    for path in (tmp_path / "none.sock", dead):
        with pytest.raises(DaemonNotRunning):
            ControlClient(path).call("control.status")


def test_the_wait_for_a_start_ends(tmp_path: Path) -> None:
    began = time.monotonic()

    with pytest.raises(DaemonNotRunning):
        ControlClient(tmp_path / "none.sock", start_wait_seconds=0.3).call("control.status")

    assert 0.3 <= time.monotonic() - began < 3


def test_a_socket_that_one_may_not_open_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        path.chmod(0)

        assert _as_nobody(path) == "PermissionRefused"


def _as_nobody(path: Path) -> str:
    """Return the error that a user without rights gets; root has them all, so it steps down."""
    outcome: list[str] = []

    def call() -> None:
        # The bare system call steps down this thread alone, which ends with it.
        if os.geteuid() == 0:
            import ctypes

            setresuid = {"x86_64": 117, "aarch64": 147}[os.uname().machine]
            nobody = 65534
            assert ctypes.CDLL(None).syscall(setresuid, -1, nobody, -1) == 0
        try:
            ControlClient(path).call("control.status")
        except Exception as error:  # noqa: BLE001 - its name is what is asked
            outcome.append(type(error).__name__)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    return outcome[0]
