"""Every change by a verb leaves one entry in the audit: which verb, and whose uid, pid and name."""

import asyncio
import base64
import http.client
import itertools
import json
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import quote

import pytest

from couachgptd.control.routes import BEHALF_HEADER, ROUTES, place_of
from couachgptd.core.access import STREAMS, TABLE, is_dangerous
from tests.faults.service import Service
from tests.running_daemon import PASSWORD, Browser, RunningDaemon, UnixConnection
from tests.sandbox.test_logo import png
from tests.sandbox.test_walls import needs_bwrap

Json = dict[str, Any]
Asked = tuple[Json, Json | None]  # the names in a verb's path, and its body
numbers = itertools.count()
REFUSAL = re.compile('"error": ?{"code"')  # also as the last line of a stream


# --- what each verb is asked -------------------------------------------------------------------


def person(daemon: RunningDaemon) -> Json:
    return {"login": daemon.add_user(f"person{next(numbers)}")["login"]}


def invitation(daemon: RunningDaemon) -> Json:
    _, made = daemon.control("POST", "/v1/invitations", {"uses": 1, "days": 1})
    return {"invitation": made["invitation"]["id"]}


def backup(daemon: RunningDaemon) -> Json:
    return {"backup": daemon.control("POST", "/v1/db/backups")[1]["backup"]["name"]}


def turn(daemon: RunningDaemon) -> Json:
    """Have an answer that will not end by itself; who asked for it stays."""
    asking.append(UnixConnection(daemon.socket))
    body = json.dumps({"text": "[[hang_before_first]] Bonjour"})
    asking[-1].request("POST", "/v1/ask", body)
    event = json.loads(asking[-1].getresponse().readline())
    return {"turn": event["turn"]["id"]}


asking: list[UnixConnection] = []


def of(names: Json | None = None, body: Json | None = None) -> Callable[[RunningDaemon], Asked]:
    return lambda _daemon: (names or {}, body)


def of_person(body: Json | None = None) -> Callable[[RunningDaemon], Asked]:
    return lambda daemon: (person(daemon), body)


ONE = {"model": "couac:1b"}
LOGO = base64.b64encode(png()).decode()
CHANGES: dict[str, Callable[[RunningDaemon], Asked]] = {
    "control.user.add": lambda _: ({}, {"login": f"new{next(numbers)}", "password": PASSWORD}),
    "control.user.approve": of_person(),
    "control.user.state": of_person({"state": "suspended"}),
    "control.user.role": of_person({"role": "reader"}),
    "control.user.passwd": of_person({"password": PASSWORD * 2}),
    "control.user.rm": of_person({}),
    "control.user.reset-link": of_person(),
    "control.session.kick": lambda daemon: ({}, {"user": person(daemon)["login"]}),
    "control.invitation.add": of(body={"uses": 2, "days": 3}),
    "control.invitation.rm": lambda daemon: (invitation(daemon), None),
    "control.model.load": of(ONE),
    "control.model.unload": of(ONE),
    "control.model.default": of(ONE),
    "control.model.set": of(ONE, {"temperature": 0.3}),
    "control.model.rm": of({"model": "couac:3b"}),
    "control.model.pull": of({"model": "couac:3b"}),
    "control.queue.pause": of(body={"is_on": False}),
    "control.queue.cancel": lambda daemon: (turn(daemon), None),
    "control.engine.stop": of(),
    "control.engine.start": of(),
    "control.engine.restart": of(),
    "control.engine.unload": of(),
    "control.engine.reset": of(),
    "control.engine.maintenance": of(body={"is_on": False}),
    "control.conversation.purge": lambda daemon: ({}, {"user": person(daemon)["login"]}),
    "control.db.vacuum": of(),
    "control.db.clean": of(body={}),
    "control.db.backup.add": of(),
    "control.db.backup.rm": lambda daemon: (backup(daemon), None),
    "control.setting.change": of(body={"name": "brand.name", "value": "Canard"}),
    "control.banner.set": of(body={"text": "Bonjour"}),
    "control.logo.set": of(body={"data": LOGO}),
    "control.logo.rm": of(),
    "control.config.reload": of(body={}),
}
ENDS: dict[str, Callable[[RunningDaemon], Asked]] = {  # the daemon has to be started again
    "control.restart": of(body={}),
    "control.drain": of(body={}),
    "control.db.restore": lambda daemon: ({}, backup(daemon)),
}
NO_CHANGE = {
    "control.ask": "what is asked is nobody's business, and nothing is kept of it",
    "control.db.check": "it reads",
}
ELSEWHERE = {"control.starter.fetch": "it wants a source of models: its own tests have one"}
FIRST = "control.setup-link"  # only as long as there is no administrator


# --- how they are asked ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningDaemon]:
    """A daemon that may restart its engine, before it has an administrator."""
    folder = tmp_path_factory.mktemp("audit")
    service = Service(folder / "systemd")
    running = RunningDaemon(folder, service.url, "accounts.login_attempts=1000")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in service.environment.items():
            patched.setenv(name, value)
        asyncio.run(service.start("--rate=200"))
        try:
            yield running.start()
        finally:
            for connection in asking:
                connection.close()
            running.stop()
            service.end()


@pytest.fixture(scope="module")
def administered(daemon: RunningDaemon) -> RunningDaemon:
    daemon.add_user("ada", "admin")
    return daemon


def entries(daemon: RunningDaemon, after: int = 0) -> list[tuple[int, str, str]]:
    with closing(sqlite3.connect(daemon.data / "couachgpt.db")) as opened:
        query = "SELECT id, actor, verb FROM audit WHERE id > ? ORDER BY id"
        return opened.execute(query, (after,)).fetchall()


def new(daemon: RunningDaemon, after: int) -> list[tuple[str, str]]:
    return [(actor, verb) for _, actor, verb in entries(daemon, after)]


def at_socket(daemon: RunningDaemon, verb: str, asked: Asked) -> int:
    """Use a verb as couachgptctl does, to its end; return the status."""
    names, body = asked
    method, path = place_of(verb, names)
    with closing(UnixConnection(daemon.socket)) as connection:
        text = None if body is None else json.dumps(body)
        connection.request(method, path, text, {"Content-Type": "application/json"})
        response: http.client.HTTPResponse = connection.getresponse()
        assert not REFUSAL.search(response.read().decode())
        return response.status


async def on_page(browser: Browser, verb: str, asked: Asked) -> int:
    """Use a verb as the admin page does, to its end; return the status."""
    names, body = asked
    kind = "stream" if verb in STREAMS else "call"
    form = {"names": json.dumps(names)}
    if body is not None:
        form["body"] = json.dumps(body)
    response = await browser.post(f"/admin/{kind}/{quote(verb)}", form)
    assert not REFUSAL.search(await response.text())
    return response.status


OURS = f"uid:{os.geteuid()} pid:{os.getpid()}"


def test_no_verb_is_forgotten() -> None:
    verbs = {verb for verb in TABLE if verb.startswith("control.") and ROUTES[verb][0] != "GET"}

    assert {*CHANGES, *ENDS, *NO_CHANGE, *ELSEWHERE, FIRST} == verbs


def test_the_link_of_the_first_administrator_is_audited(daemon: RunningDaemon) -> None:
    last = max((number for number, *_ in entries(daemon)), default=0)

    assert at_socket(daemon, FIRST, ({}, None)) == 200

    assert new(daemon, last) == [(OURS, "setup-link")]


@needs_bwrap
@pytest.mark.parametrize("verb", CHANGES)
def test_a_change_at_the_socket_names_the_process(administered: RunningDaemon, verb: str) -> None:
    asked = CHANGES[verb](administered)
    last = entries(administered)[-1][0]

    assert at_socket(administered, verb, asked) in {200, 201}

    assert new(administered, last) == [(OURS, verb.removeprefix("control."))]


@needs_bwrap
async def test_a_change_on_the_page_names_the_person_too(administered: RunningDaemon) -> None:
    daemon = administered
    async with daemon.browser("ada") as browser:
        for verb, ask in {**CHANGES, **ENDS}.items():
            asked = ask(daemon)
            if is_dangerous(verb, asked[1] or {}):
                await browser.post("/admin/confirm", {"password": PASSWORD})
            last, pid = entries(daemon)[-1][0], daemon.pid

            assert await on_page(browser, verb, asked) == 200, verb

            whose = f"ada uid:{os.geteuid()} pid:{pid}"
            assert new(daemon, last) == [(whose, verb.removeprefix("control."))]
            if verb in ENDS:
                await asyncio.to_thread(daemon.ended)
                await asyncio.to_thread(daemon.start)


@pytest.mark.parametrize("verb", NO_CHANGE)
def test_what_changes_nothing_is_not_audited(administered: RunningDaemon, verb: str) -> None:
    last = entries(administered)[-1][0]

    body = {"text": "[[tokens=1]] Bonjour"} if verb == "control.ask" else None
    assert at_socket(administered, verb, ({}, body)) == 200

    assert new(administered, last) == []


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["load", "unload", "default", "rm"])
def test_an_order_that_came_to_nothing_is_audited_with_why(
    administered: RunningDaemon, verb: str
) -> None:
    method, path = place_of(f"control.model.{verb}", {"model": "none"})

    answer = administered.control(method, path)[1]

    _, found = administered.control("GET", f"/v1/audit?verb=model.{verb}&limit=1")
    (entry,) = found["entries"]
    assert entry["actor"] == OURS
    assert entry["detail"] == {"model": "none", "error": answer["error"]["code"]}


def test_who_may_not_is_told_in_the_log(administered: RunningDaemon) -> None:
    last = entries(administered)[-1][0]
    with closing(UnixConnection(administered.socket)) as connection:
        connection.request("POST", "/v1/engine/reset", headers={BEHALF_HEADER: "1"})
        assert connection.getresponse().status == 403

    assert new(administered, last) == []
    (line,) = [each for each in administered.log.splitlines() if "engine/reset" in each]
    assert f"uid={os.geteuid()} pid={os.getpid()}" in line
