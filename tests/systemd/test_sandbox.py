"""The sandbox's units under a real systemd: work is done, and whoever takes it over is shut in.

Our worker has no job that misbehaves, so a drop-in runs another program behind the same wall.
"""

import asyncio
import base64
from typing import Any

import pytest

from couachgptd.core.errors import SandboxFailed
from couachgptd.sandbox.walls import Unit
from tests.sandbox.test_logo import png, svg
from tests.systemd.sandboxed import eventually
from tests.systemd.service import (
    CONFIG,
    CONTROL_SOCKET,
    DATA,
    PROGRAM,
    PYTHON,
    SANDBOX,
    UNITS,
    Site,
)
from tests.systemd.service import WORKER as TEMPLATE

PLACE = "/v1/settings/logo"
DATABASE = DATA / "couachgpt.db"
BOX = "/run/couachgpt-sandbox.sock"


def send(site: Site, data: bytes) -> tuple[int, dict[str, Any]]:
    return site.control("POST", PLACE, {"data": base64.b64encode(data).decode()})


def behind(site: Site, program: str, **settings: str) -> None:
    """Have another program than the worker behind the wall, from now on."""
    site.sandbox.write(UNITS / "program.py", f"import os, socket\n{program}\n")
    more = "".join(f"{name}={value}\n" for name, value in settings.items())
    started = f"ExecStart=\nExecStart={PYTHON} -I -B {UNITS}/program.py\n"
    site.sandbox.write(UNITS / f"{TEMPLATE}.d" / "test.conf", f"[Service]\n{started}{more}")
    site.sandbox.run("systemctl", "daemon-reload")


def workers(site: Site) -> list[str]:
    listed = site.sandbox.run("systemctl", "list-units", "--all", "--plain", "--no-legend")
    return [line for line in listed.splitlines() if line.startswith("couachgpt-sandbox@")]


def doctor(site: Site) -> str:
    return site.sandbox.attempt(PROGRAM.with_name("couachgptctl"), "doctor").stdout


def told(site: Site) -> str:
    return site.sandbox.run("journalctl", "--output=cat", "--unit=couachgpt-sandbox@*")


def test_the_daemon_has_a_logo_examined_there(site: Site) -> None:
    site.start()
    assert site.is_active(SANDBOX)

    assert send(site, svg())[0] == 200
    assert send(site, png())[0] == 200
    status, answer = send(site, svg("<script/>"))

    assert (status, answer["error"]["code"]) == (400, "file_refused")
    shape = {"type": "image/png", "size_bytes": len(png())}
    assert site.control("GET", PLACE) == (200, {"logo": shape})
    assert "couachgpt-sandbox@" in site.sandbox.run("journalctl", "--output=cat")
    eventually(lambda: not workers(site))
    assert f"✓ There is a sandbox to open files in: {SANDBOX}." in doctor(site)
    site.systemctl("stop", SANDBOX)
    status, answer = send(site, svg())
    # The daemon's own unit may make no namespaces: it has no other way.
    assert (status, answer["error"]["code"]) == (503, "sandbox_missing")
    assert f"! {SANDBOX} does not run" in doctor(site)


@pytest.mark.parametrize(
    ("user", "connects"),
    [("couachgpt", True), ("nobody", False), ("someone", False)],
)
def test_who_reaches_the_sandbox(site: Site, user: str, *, connects: bool) -> None:
    """Someone is both an operator and a monitor."""
    site.sandbox.run("systemctl", "start", SANDBOX)
    site.sandbox.run("useradd", "--groups", "couachgpt-admin,couachgpt-monitor", "someone")
    try:
        program = f"import socket; socket.socket(socket.AF_UNIX).connect({BOX!r})"
        group = "nogroup" if user == "nobody" else user
        done = site.sandbox.attempt(
            "setpriv", f"--reuid={user}", f"--regid={group}", "--init-groups",
            "python3", "-c", program,
        )  # fmt: skip
    finally:
        site.sandbox.run("userdel", "someone")

    assert (done.returncode == 0) is connects, done.stderr


@pytest.mark.parametrize(
    ("attempt", "refusal"),
    [
        (f"open({str(DATABASE)!r})", "PermissionError"),
        (f"os.listdir({str(DATA)!r})", "PermissionError"),
        (f"open({str(CONFIG)!r})", "PermissionError"),
        ("open('/etc/x', 'w')", "Read-only file system"),
        ("os.listdir('/root')", "PermissionError"),
        ("os.kill(1, 0)", "Error"),
        (f"socket.socket(socket.AF_UNIX).connect({str(CONTROL_SOCKET)!r})", "Error"),
        ("socket.create_connection(('127.0.0.1', 8294), 5)", "Error"),
        ("socket.socket(socket.AF_INET)", "Error"),
        ("os.setuid(0)", "PermissionError"),
        ("os.chown('/tmp', 0, 0)", "PermissionError"),
    ],
)
def test_whoever_takes_a_worker_over_gets_nowhere(site: Site, attempt: str, refusal: str) -> None:
    """Outside the wall each of them succeeds, as root: it is the wall that refuses."""
    site.start()
    outside = site.sandbox.attempt(PYTHON, "-c", f"import os, socket\n{attempt}")
    behind(site, f"{attempt}\nprint('REACHED', file=__import__('sys').stderr, flush=True)")

    assert outside.returncode == 0, outside.stderr
    assert send(site, svg())[0] == 503
    eventually(lambda: "Error" in told(site) or "REACHED" in told(site))
    assert "REACHED" not in told(site)
    assert refusal in told(site)


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass",
        pytest.param("__import__('time').sleep(1000)", marks=pytest.mark.soak),
    ],
)
def test_one_that_does_not_end_is_ended(site: Site, program: str) -> None:
    site.start()
    before = site.main_pid
    behind(site, program)

    status, answer = send(site, svg())

    assert (status, answer["error"]["code"]) == (503, "sandbox_failed")
    # Its own limit of CPU, or our patience: whichever is first.
    assert answer["error"]["fields"]["reason"] in {"ended", "time"}
    eventually(lambda: not workers(site))
    assert (site.main_pid, site.restarts) == (before, 0)


@pytest.mark.parametrize(
    ("program", "trace"),
    [
        ("x = bytearray(400 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1", "status=9/KILL"),
        ("while True:\n    if os.fork() == 0: __import__('time').sleep(1000)", "BlockingIOError"),
    ],
    ids=["memory", "processes"],
)
def test_one_that_takes_too_much_is_ended(limited_site: Site, program: str, trace: str) -> None:
    """By the unit alone: the worker's own limits are not those of this program."""
    site = limited_site
    site.start()
    before = site.main_pid
    behind(site, program)

    status, answer = send(site, svg())

    assert (status, answer["error"]["code"]) == (503, "sandbox_failed")
    eventually(lambda: not workers(site))
    assert trace in told(site)
    assert (site.main_pid, site.restarts) == (before, 0)
    site.sandbox.run("rm", UNITS / f"{TEMPLATE}.d" / "test.conf")
    site.sandbox.run("systemctl", "daemon-reload")
    assert send(site, svg())[0] == 200


async def test_without_a_daemon_the_socket_takes_four_at_once(site: Site) -> None:
    """Root asks it directly."""
    site.sandbox.run("systemctl", "start", SANDBOX)
    behind(site, "__import__('time').sleep(1000)")
    unit = Unit(site.sandbox.root / BOX.removeprefix("/"))

    async def asked() -> str:
        try:
            await unit.run("logo", svg(), seconds=5)
        except SandboxFailed as failed:
            return str(failed.fields["reason"])
        return "done"

    reasons = await asyncio.gather(*(asked() for _ in range(6)))

    assert sorted(reasons) == ["ended"] * 2 + ["time"] * 4
