"""The admin page's way to the control socket: for a person, from within the daemon alone."""

import asyncio
import contextlib
import os
import re
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from couachgptd.config import load
from couachgptd.control.aclient import OwnControlClient
from couachgptd.control.client import ControlClient
from couachgptd.control.routes import BEHALF_HEADER, ROUTES
from couachgptd.control.verb import Verb
from couachgptd.control.verbs import VERBS
from couachgptd.core.errors import (
    CouachError,
    LoginTaken,
    NotAllowed,
    PasswordTooShort,
    ServerStopping,
)
from couachgptd.core.ids import UserId
from couachgptd.daemon import run
from tests.conftest import FakeOllama
from tests.daemon_fixtures import ollama
from tests.running_daemon import PASSWORD, free_port

__all__ = ["ollama"]
NOBODY = UserId(4242)


class Daemon:
    """The daemon in this very process, which is what its socket believes."""

    def __init__(self, directory: Path, own: OwnControlClient, admin: UserId) -> None:
        self.directory = directory
        self.socket = directory / "control.sock"
        self.own = own
        self.admin = admin

    def audit(self) -> list[tuple[str, str]]:
        with contextlib.closing(sqlite3.connect(self.directory / "data/couachgpt.db")) as base:
            return base.execute("SELECT actor, verb FROM audit ORDER BY id").fetchall()


@pytest.fixture
async def daemon(tmp_path: Path, ollama: FakeOllama) -> AsyncIterator[Daemon]:
    socket = tmp_path / "control.sock"
    settings = (
        f"server.port={free_port()}", f"storage.data_dir={tmp_path / 'data'}",
        f"control.socket={socket}", "engine.kind=ollama", f"ollama.url={ollama.url}",
    )  # fmt: skip
    serving = asyncio.create_task(run(load(overrides=settings)))
    own = OwnControlClient(socket)
    client = ControlClient(socket, start_wait_seconds=10)
    new = {"login": "ada", "password": PASSWORD, "role": "admin"}
    try:
        user = (await asyncio.to_thread(client.call, "control.user.add", new))["user"]
        yield Daemon(tmp_path, own, UserId(user["id"]))
    finally:
        await own.close()
        serving.cancel()
        await asyncio.wait({serving})


async def ask(daemon: Daemon, verb: Verb, on_behalf: UserId) -> str:
    """Use a verb with nothing that it wants; return the code of what it says to that."""
    names = dict.fromkeys(re.findall(r"{(\w+)}", verb.path), "none")
    try:
        if verb.is_stream:
            async with aclosing(daemon.own.stream(verb.name, on_behalf, {}, **names)) as events:
                await anext(events)
        else:
            await daemon.own.call(verb.name, on_behalf, {}, **names)
    except CouachError as error:
        return error.code
    return "done"


def test_the_table_and_the_routes_name_the_same_verbs() -> None:
    assert sorted(verb.name for verb in VERBS) == sorted(ROUTES)


async def test_an_administrator_reaches_every_verb_and_nobody_else_any(daemon: Daemon) -> None:
    client = ControlClient(daemon.socket)
    member = await asyncio.to_thread(
        client.call, "control.user.add", {"login": "claire", "password": PASSWORD}
    )
    others = (UserId(member["user"]["id"]), NOBODY)
    for verb in sorted(VERBS, key=lambda verb: verb.name == "control.drain"):  # which ends it
        assert [await ask(daemon, verb, each) for each in others] == ["not_allowed"] * 2, verb.name
        assert await ask(daemon, verb, daemon.admin) not in {"not_allowed", "internal_error"}


async def second_administrator(daemon: Daemon) -> None:
    """The last one may not go."""
    new = {"login": "eva", "password": PASSWORD, "role": "admin"}
    await daemon.own.call("control.user.add", daemon.admin, new)


async def test_who_is_no_administrator_any_more_has_lost_the_right_at_once(daemon: Daemon) -> None:
    await second_administrator(daemon)
    await daemon.own.call("control.user.role", daemon.admin, {"role": "member"}, login="ada")

    with pytest.raises(NotAllowed):
        await daemon.own.call("control.status", daemon.admin)


async def test_a_suspended_administrator_has_no_right(daemon: Daemon) -> None:
    await second_administrator(daemon)
    await daemon.own.call("control.user.state", daemon.admin, {"state": "suspended"}, login="ada")

    with pytest.raises(NotAllowed):
        await daemon.own.call("control.user.list", daemon.admin)


async def test_the_audit_names_the_person_and_the_process(daemon: Daemon) -> None:
    await daemon.own.call("control.engine.reset", daemon.admin)

    assert daemon.audit()[-1] == (f"ada uid:{os.geteuid()} pid:{os.getpid()}", "engine.reset")


async def test_what_is_refused_is_the_error_of_its_code_with_its_fields(daemon: Daemon) -> None:
    with pytest.raises(LoginTaken):
        await daemon.own.call(
            "control.user.add", daemon.admin, {"login": "ada", "password": PASSWORD}
        )
    with pytest.raises(PasswordTooShort) as raised:
        await daemon.own.call(
            "control.user.add", daemon.admin, {"login": "lea", "password": "short"}
        )

    assert raised.value.fields == {"min_length": 10}


async def test_a_stream_comes_event_by_event(daemon: Daemon) -> None:
    question = {"text": "[[tokens=5]] Bonjour"}

    events = [each async for each in daemon.own.stream("control.ask", daemon.admin, question)]

    assert events[-1]["turn"]["state"] == "done"


async def test_a_daemon_that_is_gone_is_said_to_stop(tmp_path: Path) -> None:
    own = OwnControlClient(tmp_path / "none.sock")
    try:
        with pytest.raises(ServerStopping):
            await own.call("control.status", NOBODY)
    finally:
        await own.close()


async def test_another_process_may_speak_for_nobody(daemon: Daemon) -> None:
    """A process of the daemon's own user is an operator, and still is not the daemon."""
    program = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]);"
        "s.sendall(b'GET /v1/status HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n'"
        " + sys.argv[2].encode() + b'\\r\\n\\r\\n');"
        "print(s.recv(99).split()[1].decode())"
    )
    named = [f"{BEHALF_HEADER}: {each}" for each in ("1", "", "0", "-1", "x", "²", "9" * 30)]
    statuses = []
    for header in (*named, "X-Nothing: 1"):
        asking = await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, str(daemon.socket), header, stdout=PIPE
        )
        told, _ = await asking.communicate()
        statuses.append(told.decode().strip())

    assert statuses == [*["403"] * len(named), "200"]
