"""The control socket of the real daemon: its verbs, its privacy, what it refuses and records."""

import asyncio
import contextlib
import http.client
import json
import os
import socket
import sqlite3
import stat
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any, get_origin, get_type_hints

import pytest

from couachgptd.control import kept
from couachgptd.control.caller import Caller
from couachgptd.control.peer import (
    PATH_MAX_BYTES,
    Groups,
    Peer,
    SocketUnusable,
    bound_socket,
    peer_of,
)
from couachgptd.control.verbs import VERBS
from couachgptd.core import access
from couachgptd.core.access import Audience
from couachgptd.core.errors import NotAllowed
from tests.conftest import FakeOllama
from tests.daemon_fixtures import daemon, fresh, make_daemon, ollama, shared_ollama, site
from tests.running_daemon import PASSWORD, RunningDaemon, UnixConnection

__all__ = ["daemon", "fresh", "make_daemon", "ollama", "shared_ollama", "site"]
ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


@contextlib.contextmanager
def asking(
    daemon: RunningDaemon, method: str, path: str, body: bytes | None = None, **headers: str
) -> Iterator[http.client.HTTPResponse]:
    connection = UnixConnection(daemon.socket)
    try:
        connection.request(method, path, body, {n.replace("_", "-"): v for n, v in headers.items()})
        yield connection.getresponse()
    finally:
        connection.close()


def ask(daemon: RunningDaemon, text: str, **fields: Any) -> list[Json]:
    body = json.dumps({"text": text, **fields}).encode()
    with asking(daemon, "POST", "/v1/ask", body) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "application/x-ndjson"
        return [json.loads(line) for line in response]


# --- verbs -------------------------------------------------------------------------------------


def test_every_verb_of_the_table_is_documented_at_its_place() -> None:
    document = (ROOT / "docs" / "control.md").read_text(encoding="utf-8")

    for verb in VERBS:
        who = access.TABLE[verb.name].value
        assert f"| {verb.name} | {who} | `{verb.method} {verb.path}` |" in document


def test_status_has_the_documented_form(daemon: RunningDaemon) -> None:
    status, answer = daemon.control("GET", "/v1/status")

    assert status == 200
    assert {name: set(answer[name]) for name in ("engine", "turns", "users")} == {
        "engine": {
            "kind", "address", "is_up", "version", "detail", "model", "loaded", "state", "reason",
            "since", "cpu_cores", "memory_bytes",
        },
        "turns": {"queued", "running", "is_paused", "is_held"},
        "users": {"total", "pending", "online"},
    }  # fmt: skip
    assert answer["pid"] == daemon.pid
    assert answer["address"] == daemon.address
    assert answer["users"] == {"total": 5, "pending": 0, "online": 0}
    assert answer["turns"] == {"queued": 0, "running": 0, "is_paused": False, "is_held": False}
    assert answer["engine"]["reason"] is None
    assert answer["engine"]["since"].endswith("Z")
    assert answer["memory_bytes"] > 10_000_000
    assert answer["started_at"].endswith("Z")


def test_people_are_listed_with_their_state_and_without_any_hash(daemon: RunningDaemon) -> None:
    status, answer = daemon.control("GET", "/v1/users")

    assert status == 200
    assert [user["login"] for user in answer["users"]] == ["ada", "claire", "lea", "marc", "pia"]
    assert set(answer["users"][0]) == {
        "id", "login", "name", "role", "state", "language", "created_at",
    }  # fmt: skip


def test_models_are_listed_with_the_default(daemon: RunningDaemon) -> None:
    status, answer = daemon.control("GET", "/v1/models")

    assert status == 200
    assert [model["name"] for model in answer["models"]] == [
        "couac-pense:1b", "couac:1b", "couac:3b",
    ]  # fmt: skip
    assert answer["default"] == "couac-pense:1b"


def test_the_queue_of_nobody_is_empty(daemon: RunningDaemon) -> None:
    assert daemon.control("GET", "/v1/queue") == (
        200, {"paused": False, "is_held": False, "running": [], "waiting": []},
    )  # fmt: skip


async def test_the_queue_tells_who_runs_and_who_waits_and_not_what_they_ask(
    site: RunningDaemon,
) -> None:
    async with (
        site.browser("claire") as claire,
        site.browser("marc") as marc,
        claire.ws() as hers,
        marc.ws() as his,
    ):
        first = await hers.ask("[[rate=20 tokens=5000]] Secret")
        await hers.until("writing", first["answer"])
        second = await his.ask("Secret aussi")
        await his.next("turn", where=lambda event: event["turn"]["place"] == 0)

        _status, queue = site.control("GET", "/v1/queue")

        await his.request("chat.stop", turn=queue["waiting"][0]["turn"])
        await hers.request("chat.stop", turn=queue["running"][0]["turn"])
    names = ("asker", "state", "attempt", "source", "place", "is_healing")
    assert [[line[name] for name in names] for line in queue["running"]] == [
        ["claire", "writing", 1, "chat", None, False]
    ]
    assert [[line[name] for name in names] for line in queue["waiting"]] == [
        ["marc", "queued", 1, "chat", 0, False]
    ]
    low, high = queue["waiting"][0]["wait_seconds"]
    assert 0 <= low <= high
    assert set(queue["running"][0]) == {*names, "turn", "model", "wait_seconds"}
    assert "ecret" not in json.dumps(queue)
    assert second["conversation"] not in json.dumps(queue)


async def test_under_maintenance_questions_are_kept_until_it_is_over(site: RunningDaemon) -> None:
    status, answer = site.control("POST", "/v1/engine/maintenance", {"is_on": True})
    assert status == 200
    assert set(answer["engine"]) == {"kind", "is_up", "detail", "state", "reason"}
    async with site.browser("claire") as browser, browser.ws() as socket:
        if socket.hello["engine"]["state"] != "maintenance":
            await socket.next(
                "engine", where=lambda event: event["engine"]["state"] == "maintenance"
            )
        asked = await socket.ask("[[tokens=5]] Bonjour")
        await socket.next("turn", where=lambda event: event["turn"]["place"] == 0)
        assert site.control("GET", "/v1/queue")[1]["paused"] is True
        assert site.control("GET", "/v1/status")[1]["turns"]["is_paused"] is True

        site.control("POST", "/v1/engine/maintenance", {"is_on": False})
        turn = await socket.ended(asked["answer"])

    assert turn["state"] == "done"
    _status, answer = site.control("GET", "/v1/engine/incidents?limit=2000")
    assert "maintenance" in {each["after"] for each in answer["incidents"]}
    assert all(set(each) == {"at", "before", "after", "evidence"} for each in answer["incidents"])
    assert len(site.control("GET", "/v1/engine/incidents?limit=1")[1]["incidents"]) == 1


def test_a_reset_tells_the_engine(site: RunningDaemon) -> None:
    site.control("GET", "/v1/status")  # which asks the engine, if nobody has yet
    status, answer = site.control("POST", "/v1/engine/reset")

    assert (status, answer["engine"]["kind"]) == (200, "ollama")
    assert answer["engine"]["reason"] is None


async def test_who_was_added_can_log_in_and_reset_and_log_in_again(site: RunningDaemon) -> None:
    status, answer = site.control(
        "POST", "/v1/users", {"login": "Zoé", "password": PASSWORD, "role": "reader"}
    )
    assert (status, answer["user"]["login"], answer["user"]["state"]) == (201, "zoé", "active")
    async with site.browser("zoé") as browser:
        status, _ = site.control(
            "POST", "/v1/users/zo%C3%A9/password", {"password": PASSWORD + "2"}
        )
        assert status == 200
        assert (await browser.get("/"))[0] == 303
        await browser.log_in("zoé", PASSWORD + "2")


async def test_who_waits_is_approved_and_gets_in(site: RunningDaemon) -> None:
    form = {"login": "nina@x.org", "password": PASSWORD, "password_again": PASSWORD}
    async with site.browser() as browser:
        await browser.post("/register", form)
        assert site.control("GET", "/v1/status")[1]["users"]["pending"] == 1
        status, answer = site.control("POST", "/v1/users/nina%40x.org/approve")
        assert (status, answer["user"]["state"]) == (200, "active")
        await browser.log_in("nina@x.org")


async def test_a_setup_link_works_and_ends_the_one_before(fresh: RunningDaemon) -> None:
    status, old = fresh.control("POST", "/v1/setup-link")
    status, new = fresh.control("POST", "/v1/setup-link")
    assert status == 200
    form = {"login": "ada", "password": PASSWORD, "password_again": PASSWORD}
    async with fresh.browser() as browser:
        for answer, expected in ((old, 400), (new, 303)):
            path = answer["url"].removeprefix(fresh.address)
            assert (await browser.post(path, form)).status == expected

    status, answer = fresh.control("POST", "/v1/setup-link")
    assert (status, answer["error"]["code"]) == (409, "setup_done")


def test_an_answer_streams_line_by_line_and_ends_with_its_turn(daemon: RunningDaemon) -> None:
    events = ask(daemon, "[[tokens=20]] Bonjour", model="couac:1b")

    assert {event["type"] for event in events} == {"turn", "text"}
    text = "".join(event["d"] for event in events if event["type"] == "text")
    assert text.startswith("Bien sûr")
    assert events[-1]["turn"]["state"] == "done"
    assert events[-1]["turn"]["timings"]["answer_tokens"] == 20


def test_a_failed_answer_ends_with_its_error(daemon: RunningDaemon) -> None:
    events = ask(daemon, "[[eof_after=3]] Bonjour", model="couac:1b")

    assert events[-1]["turn"]["state"] == "interrupted"
    assert events[-1]["turn"]["error"]["code"] == "answer_interrupted"


def test_a_question_too_long_ends_with_its_size(daemon: RunningDaemon) -> None:
    events = ask(daemon, "mot " * 20_000, model="couac:1b")

    assert events[-1]["turn"]["state"] == "failed"
    assert events[-1]["turn"]["error"]["code"] == "message_too_long"


@pytest.mark.parametrize("words", ["hang", "rate=20 tokens=5000"])
async def test_closing_the_connection_stops_the_turn(
    daemon: RunningDaemon, shared_ollama: FakeOllama, words: str
) -> None:
    connection = UnixConnection(daemon.socket)
    body = json.dumps({"text": f"[[{words}]] Bonjour", "model": "couac:1b"})
    await asyncio.to_thread(connection.request, "POST", "/v1/ask", body)
    response = await asyncio.to_thread(connection.getresponse)
    await asyncio.to_thread(response.readline)
    async with asyncio.timeout(10):
        while not (await shared_ollama.state())["active"]:  # noqa: ASYNC110 -- another process
            await asyncio.sleep(0.02)
    connection.close()
    response.close()

    assert (await shared_ollama.state(wait_idle=10))["active"] == 0
    assert daemon.control("GET", "/v1/status")[1]["turns"]["running"] == 0


# --- what it refuses ---------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["Origin", "Referer"])
@pytest.mark.parametrize("value", ["http://localhost", "null", ""])
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_a_browser_is_refused_at_every_verb(
    daemon: RunningDaemon, verb: Any, header: str, value: str
) -> None:
    path = verb.path.replace("{login}", "claire")
    with asking(daemon, verb.method, path, b"{}", **{header: value}) as response:
        assert response.status == 403
        assert json.load(response)["error"]["code"] == "not_allowed"


@contextlib.contextmanager
def open_to_everybody(daemon: RunningDaemon) -> Iterator[None]:
    """Widen the socket's mode and the way to it: the peer still counts."""
    daemon.socket.chmod(0o666)
    modes = {each: stat.S_IMODE(each.stat().st_mode) for each in daemon.socket.parents}
    modes = {each: mode for each, mode in modes.items() if not mode & 0o001}
    for each, mode in modes.items():
        each.chmod(mode | 0o011)
    try:
        yield
    finally:
        daemon.socket.chmod(0o660)
        for each, mode in modes.items():
            each.chmod(mode)


def test_another_user_of_the_machine_is_refused_at_every_verb(daemon: RunningDaemon) -> None:
    with open_to_everybody(daemon):
        codes = as_another_user(daemon)

    assert codes == [403] * len(VERBS)


def as_another_user(daemon: RunningDaemon) -> list[int]:
    """Ask everything as uid 12345."""

    def codes() -> Iterator[int]:
        for verb in VERBS:
            path = verb.path.replace("{login}", "claire")
            with asking(daemon, verb.method, path, b"{}") as response:
                yield response.status

    with told_by_another_user(lambda: list(codes())) as found:
        return found


@contextlib.contextmanager
def told_by_another_user(work: Callable[[], list[int]]) -> Iterator[list[int]]:
    """Return what uid 12345 finds, who lives on for as long as the block.

    It is a child of ours: the interpreter itself may be root's only.
    """
    reader, writer = os.pipe()
    waits, ends = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(ends)
            os.setgroups([])
            os.setgid(12345)
            os.setuid(12345)
            os.write(writer, json.dumps(work()).encode() + b"\n")
            os.close(writer)
            os.read(waits, 1)
        finally:
            os._exit(0)
    os.close(writer)
    os.close(waits)
    try:
        with os.fdopen(reader, "rb") as told:
            yield json.loads(told.readline() or b"[]")
    finally:
        os.close(ends)
        os.waitpid(child, 0)


def test_another_user_cannot_take_every_connection(daemon: RunningDaemon) -> None:
    held = []

    def crowd() -> list[int]:
        codes = []
        for _ in range(140):
            connection = UnixConnection(daemon.socket)
            held.append(connection)
            connection.request("GET", "/v1/status")
            response = connection.getresponse()
            codes.append(response.status)
            if response.read() and response.status == 503:
                connection.close()
        return codes

    with open_to_everybody(daemon), told_by_another_user(crowd) as codes:
        assert codes == [403] * 16 + [503] * 124
        assert daemon.control("GET", "/v1/status")[0] == 200


def test_another_user_of_the_machine_cannot_even_connect(daemon: RunningDaemon) -> None:
    assert stat.S_IMODE(daemon.socket.stat().st_mode) == 0o660


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/v1/nowhere", None, 404, "not_found"),
        ("GET", "/", None, 404, "not_found"),
        ("DELETE", "/v1/users", None, 405, "bad_request"),
        ("POST", "/v1/users", b"", 400, "bad_request"),
        ("POST", "/v1/users", b"{", 400, "bad_request"),
        ("POST", "/v1/users", b"[]", 400, "bad_request"),
        ("POST", "/v1/users", b"\xff\xfe", 400, "bad_request"),
        ("POST", "/v1/users", b"[" * 100_000, 400, "bad_request"),
        ("POST", "/v1/users", b"{}", 400, "bad_request"),
        ("POST", "/v1/users", b'{"login": 1, "password": "x"}', 400, "bad_request"),
        ("POST", "/v1/users", b'{"login": "\\ud800\\ud800", "password": "x"}', 400, "bad_request"),
        ("POST", "/v1/users", {"login": "nn", "name": "\ud800"}, 400, "bad_request"),
        ("POST", "/v1/users", {"login": "nn", "password": "\ud800" * 20}, 400, "bad_request"),
        ("POST", "/v1/users", {"login": "nn", "name": None}, 400, "bad_request"),
        ("POST", "/v1/users", {"login": "nn", "role": "god"}, 400, "bad_request"),
        ("POST", "/v1/users", {"login": "nn", "role": []}, 400, "bad_request"),
        ("POST", "/v1/users", {"login": "nn", "role": None}, 400, "bad_request"),
        ("POST", "/v1/users", {"login": "nn", "language": "xx"}, 400, "bad_request"),
        ("POST", "/v1/users", {"login": "nn", "language": []}, 400, "bad_request"),
        ("POST", "/v1/users", {"login": "nn", "password": "court"}, 400, "password_too_short"),
        ("POST", "/v1/users", {"login": "n"}, 400, "login_invalid"),
        ("POST", "/v1/users", {"login": "../x"}, 400, "login_invalid"),
        ("POST", "/v1/users", {"login": "claire"}, 409, "login_taken"),
        ("POST", "/v1/users", b"x" * 5_000_000, 413, "bad_request"),
        ("POST", "/v1/users/inconnue/approve", None, 404, "not_found"),
        ("POST", "/v1/users/x/approve", None, 400, "login_invalid"),
        ("POST", "/v1/users/%ff%fe%00/approve", None, 400, "login_invalid"),
        ("POST", "/v1/users/a%2Fb/approve", None, 400, "login_invalid"),
        ("POST", "/v1/users/inconnue/password", {}, 404, "not_found"),
        ("POST", "/v1/users/claire/password", b"{}", 400, "bad_request"),
        ("POST", "/v1/users/claire/state", b'{"state": "pending"}', 400, "bad_request"),
        ("POST", "/v1/users/claire/state", b"{}", 400, "bad_request"),
        ("POST", "/v1/users/claire/state", b'{"state": "active", "x": 1}', 400, "bad_request"),
        ("POST", "/v1/drain", b'{"is_dry_run": true}', 400, "bad_request"),
        ("DELETE", "/v1/db/backups/none", b'{"is_dry_run": true}', 400, "bad_request"),
        ("POST", "/v1/users/inconnue/state", {"state": "active"}, 404, "not_found"),
        ("POST", "/v1/users/claire/role", b'{"role": "root"}', 400, "bad_request"),
        ("POST", "/v1/users/claire/role", b"{}", 400, "bad_request"),
        ("GET", "/v1/engine/incidents?limit=0", None, 400, "bad_request"),
        ("GET", "/v1/engine/incidents?limit=-1", None, 400, "bad_request"),
        ("GET", "/v1/engine/incidents?limit=many", None, 400, "bad_request"),
        ("GET", "/v1/engine/incidents?limit=2001", None, 400, "bad_request"),
        ("GET", f"/v1/engine/incidents?limit={'9' * 5000}", None, 400, "bad_request"),
        ("GET", "/v1/engine/reset", None, 405, "bad_request"),
        ("POST", "/v1/engine/maintenance", b"", 400, "bad_request"),
        ("POST", "/v1/engine/maintenance", b"{}", 400, "bad_request"),
        ("POST", "/v1/engine/maintenance", b'{"is_on": 1}', 400, "bad_request"),
        ("POST", "/v1/engine/maintenance", b'{"is_on": "on"}', 400, "bad_request"),
        ("POST", "/v1/ask", b"{}", 400, "bad_request"),
        ("POST", "/v1/ask", b'{"text": " "}', 400, "message_empty"),
        ("POST", "/v1/ask", b'{"text": "x", "model": 1}', 400, "bad_request"),
        ("POST", "/v1/ask", b'{"text": "x", "model": "absent"}', 503, "model_missing"),
        ("POST", "/v1/ask", b'{"text": "\\ud800"}', 400, "bad_request"),
        ("POST", "/v1/ask", b'{"text": "x", "model": "\\ud800"}', 400, "bad_request"),
    ],
)
def test_what_is_wrong_is_refused_with_a_code_and_never_a_fault_of_ours(
    daemon: RunningDaemon, method: str, path: str, body: Any, status: int, code: str
) -> None:
    if isinstance(body, dict):
        more = {"password": PASSWORD} if path.endswith(("/users", "/password")) else {}
        body = json.dumps({**more, **body}).encode()
    with asking(daemon, method, path, body) as response:
        answer = json.load(response)

        assert (response.status, answer["error"]["code"]) == (status, code)
        assert set(answer["error"]) == {"code", "fields"}
        assert response.headers["X-Couachgpt-Api"] == "1"
    assert "fault of ours" not in daemon.log


def test_a_body_that_does_not_come_is_not_waited_for(daemon: RunningDaemon) -> None:
    connection = UnixConnection(daemon.socket)
    with contextlib.closing(connection):
        connection.putrequest("POST", "/v1/users")
        connection.putheader("Content-Length", "10")
        connection.endheaders()
        connection.sock.settimeout(20)
        response = connection.getresponse()

        assert response.status == 400
        assert json.load(response)["error"] == {"code": "bad_request", "fields": {"reason": "body"}}


def test_the_table_says_what_streams_and_what_is_a_file() -> None:
    streams = {
        verb.name
        for verb in VERBS
        if get_origin(get_type_hints(verb.run)["return"]) is AsyncGenerator
    }
    assert streams == access.STREAMS
    assert {verb.name for verb in VERBS if verb.answer is kept.File} == access.FILES
    assert {verb.name for verb in VERBS if "is_dry_run" in verb.keys} == access.DRY_RUNS


def test_an_unknown_charset_is_refused(daemon: RunningDaemon) -> None:
    kind = "application/json; charset=bogus"
    with asking(daemon, "POST", "/v1/users", b"{}", Content_Type=kind) as response:
        assert response.status == 400


# --- the audit ---------------------------------------------------------------------------------


def test_what_an_operator_did_is_written_down_without_passwords(fresh: RunningDaemon) -> None:
    fresh.control("POST", "/v1/users/claire/password", {"password": PASSWORD + "2"})
    fresh.control("POST", "/v1/users/marc/approve")
    fresh.control("POST", "/v1/users/marc/role", {"role": "reader"})
    fresh.control("POST", "/v1/users/marc/state", {"state": "suspended"})
    fresh.control("POST", "/v1/users", {"login": "claire", "password": PASSWORD})  # refused
    fresh.control("POST", "/v1/engine/maintenance", {"is_on": False})
    fresh.control("POST", "/v1/engine/reset")

    with contextlib.closing(sqlite3.connect(fresh.data / "couachgpt.db")) as base:
        rows = base.execute("SELECT actor, verb, detail FROM audit ORDER BY id").fetchall()
    rows = [(actor.partition(" ")[0], *more) for actor, *more in rows if " pid:" in actor]
    added = [("uid:0", "user.add", f'{{"user":"{n}","role":"member"}}') for n in ("claire", "marc")]
    assert rows[-8:] == [
        *added,
        ("uid:0", "user.passwd", '{"user":"claire"}'),
        ("uid:0", "user.approve", '{"user":"marc"}'),
        ("uid:0", "user.role", '{"user":"marc","role":"reader"}'),
        ("uid:0", "user.state", '{"user":"marc","state":"suspended"}'),
        ("uid:0", "engine.maintenance", '{"is_on":false}'),
        ("uid:0", "engine.reset", "{}"),
    ]
    assert PASSWORD not in str(rows)


def test_what_fails_is_not_written_down_as_done(fresh: RunningDaemon) -> None:
    refused = [
        fresh.control("DELETE", "/v1/models/nope")[0],
        fresh.control("POST", "/v1/engine/stop")[0],
        fresh.control("POST", "/v1/models/nope/default")[0],
    ]

    with contextlib.closing(sqlite3.connect(fresh.data / "couachgpt.db")) as base:
        rows = base.execute("SELECT verb, detail FROM audit ORDER BY id DESC LIMIT 3").fetchall()
    assert refused == [503] * 3
    assert [(verb, json.loads(detail)) for verb, detail in reversed(rows)] == [
        ("model.rm", {"model": "nope", "error": "model_missing"}),
        ("engine.stop", {"error": "engine_not_controlled"}),
        ("model.default", {"model": "nope", "error": "model_missing"}),
    ]


# --- the socket itself -------------------------------------------------------------------------


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_the_socket_is_for_its_owner_and_group_from_birth(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "s"
    before = os.umask(umask)
    try:
        with bound_socket(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o660
            assert os.umask(umask) == umask
            assert stat.S_IMODE((tmp_path / "s.lock").stat().st_mode) == 0o600
    finally:
        os.umask(before)

    assert not path.exists()


def test_a_path_too_long_for_a_socket_is_told_before_anything_is_made(tmp_path: Path) -> None:
    path = tmp_path / ("x" * PATH_MAX_BYTES)

    with pytest.raises(SocketUnusable, match="longer than 107 bytes"), bound_socket(path):
        pass

    assert list(tmp_path.iterdir()) == []


def test_the_longest_path_that_fits_works() -> None:
    path = Path("/tmp") / ("s" * (PATH_MAX_BYTES - 5))  # noqa: S108 -- the length is the test
    try:
        with bound_socket(path):
            assert path.is_socket()
    finally:
        path.with_name(path.name + ".lock").unlink()


def test_who_only_listens_does_not_hold_up_the_end(fresh: RunningDaemon) -> None:
    connection = UnixConnection(fresh.socket)
    connection.request("GET", "/v1/logs?follow=1&lines=1")
    response = connection.getresponse()
    response.readline()

    fresh.stop()

    last = json.loads(response.read().splitlines()[-1])
    connection.close()
    assert last["error"]["code"] == "server_stopping", "a client is told, and not cut off"


def test_a_socket_that_a_crash_left_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))

    with bound_socket(path) as listener:
        listener.listen()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


def test_a_live_socket_is_not_stolen(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with bound_socket(path) as listener:
        listener.listen()
        with pytest.raises(SocketUnusable, match="another daemon"), bound_socket(path):
            pass
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


@pytest.mark.parametrize("kind", ["file", "directory", "link"])
def test_what_is_no_socket_is_left_alone(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "s"
    if kind == "directory":
        path.mkdir()
    elif kind == "file":
        path.write_text("mine")
    else:
        (tmp_path / "target").write_text("mine")
        path.symlink_to(tmp_path / "target")

    with pytest.raises(SocketUnusable, match="no socket"), bound_socket(path):
        pass

    assert path.exists()


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        peer = peer_of(one)

    assert (peer.pid, peer.uid, peer.is_ourselves) == (os.getpid(), os.geteuid(), True)
    assert peer.groups == {os.getegid(), *os.getgroups()}
    assert str(peer) == f"uid:{os.geteuid()} pid:{os.getpid()}"


def peer_with(tmp_path: Path, groups: list[int]) -> Peer:
    """Return what the kernel says of another user with these groups, the last not its first."""
    with bound_socket(tmp_path / "s") as listener:
        listener.listen()
        listener.settimeout(10)
        tmp_path.chmod(0o711)
        (tmp_path / "s").chmod(0o666)
        child = os.fork()
        if child == 0:
            try:
                os.chdir(tmp_path)  # while one may: the folders above are root's
                os.setgroups(groups)
                os.setgid(12345)
                os.setuid(12345)
                with socket.socket(socket.AF_UNIX) as caller:
                    caller.connect("s")
            finally:
                os._exit(0)
        connection, _address = listener.accept()
        os.waitpid(child, 0)
        with connection:
            return peer_of(connection)


def test_a_group_among_many_gives_its_rights_and_no_others(tmp_path: Path) -> None:
    groups = Groups(admin=777, monitor=778)

    rights = [
        groups.rights_of(peer_with(tmp_path, [*range(100, 150), mine])) for mine in (776, 777, 778)
    ]

    look, act = Audience.MONITOR, Audience.OPERATOR
    assert rights == [frozenset(), {look, act}, {look}]


def test_a_group_that_the_machine_does_not_have_gives_nothing() -> None:
    assert Groups().rights_of(Peer(1, 12345, frozenset({0, 5}))) == frozenset()


async def test_who_may_look_is_refused_what_changes() -> None:
    looker = Caller(Peer(7, 12345, frozenset({778})), frozenset({Audience.MONITOR}))
    store: Any = None  # nobody is looked up for who speaks for themselves

    assert await looker.actor(store, "control.queue") == "uid:12345 pid:7"
    for verb in VERBS:
        if verb.method != "GET":
            with pytest.raises(NotAllowed):
                await looker.actor(store, verb.name)
