"""The daemon as a program: how it starts, what it says when it cannot, how it ends."""

import asyncio
import contextlib
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.conftest import ROOT
from tests.daemon_fixtures import MakeDaemon, fresh, make_daemon, ollama, shared_ollama
from tests.running_daemon import PASSWORD, RunningDaemon

__all__ = ["fresh", "make_daemon", "ollama", "shared_ollama"]


def ended(daemon: RunningDaemon, *settings: str) -> tuple[int, str]:
    """Start one that cannot start and return its exit status and its last words."""
    before = len(daemon.log) if daemon.log_path.exists() else 0
    process = daemon.spawn(*settings)
    try:
        status = process.wait(30)
    finally:
        process.kill()
    return status, daemon.log[before:]


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "couachgptd", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


# --- the configuration -------------------------------------------------------------------------


def test_check_says_ok_and_starts_nothing(tmp_path: Path) -> None:
    done = run("--check", f"--set=storage.data_dir={tmp_path / 'data'}")

    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("server.prot=1", "unknown key: server.prot"),
        ("sever.port=1", "unknown section: [sever]"),
        ("server.port=many", "server.port: expected int"),
        ("server.port=70000", "server.port: expected 0 to 65535"),
        ("engine.kind=magic", "engine.kind"),
        ("brand.accent=red", "brand.accent: expected a colour"),
        ("nonsense", "expected section.key=value"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_wrong_setting_is_named_and_ends_with_78(
    setting: str, words: str, *, check: bool
) -> None:
    done = run(*(["--check"] if check else []), f"--set={setting}")

    assert done.returncode == 78
    assert words in done.stderr
    assert done.stderr.startswith("couachgptd: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("content", "words"), [(None, "No such file"), ("[server", "not valid TOML"), ("\0", "TOML")]
)
def test_a_configuration_that_cannot_be_read_is_named(
    tmp_path: Path, content: str | None, words: str
) -> None:
    path = tmp_path / "couachgpt.toml"
    if content is not None:
        path.write_text(content)

    done = run("--check", f"--config={path}")

    assert done.returncode == 78
    assert str(path) in done.stderr
    assert words in done.stderr


SVG = b"<?xml version='1.0'?>\n<!-- a licence -->\n<svg xmlns='http://www.w3.org/2000/svg'/>"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 25


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("logo.svg", None, "logo.svg: No such file"),
        ("logo.gif", b"GIF89a", "expected an .svg or .png file"),
        ("logo.png", b"GIF89a", "expected an .svg or .png file"),
        ("logo.svg", PNG, "expected an .svg or .png file"),
        ("", None, "Is a directory"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_a_logo_that_cannot_be_shown_is_named_and_ends_with_78(
    tmp_path: Path, name: str, content: bytes | None, words: str, *, check: bool
) -> None:
    logo = tmp_path / name
    if content is not None:
        logo.write_bytes(content)

    done = run(*(["--check"] if check else []), f"--set=brand.logo={logo}")

    assert done.returncode == 78
    assert done.stderr.startswith("couachgptd: brand.logo: ")
    assert words in done.stderr
    assert str(logo) in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [("logo.SVG", SVG, "image/svg+xml"), ("logo.png", PNG, "image/png")],
)
async def test_a_logo_that_is_one_passes_the_check_and_is_served(
    make_daemon: MakeDaemon, tmp_path: Path, name: str, content: bytes, kind: str
) -> None:
    logo = tmp_path / name
    logo.write_bytes(content)

    done = run("--check", f"--set=brand.logo={logo}")
    daemon = make_daemon(f"brand.logo={logo}").start()

    assert (done.returncode, done.stderr) == (0, "")
    async with daemon.browser() as browser, browser.session.get("/brand/logo") as response:
        assert (response.status, response.content_type) == (200, kind)
        assert "sandbox" in response.headers["Content-Security-Policy"]
        assert await response.read() == content


def test_the_version_is_told() -> None:
    assert re.fullmatch(r"couachgptd \d+\.\d+\S*\n", run("--version").stdout)


def test_migrate_makes_and_opens_the_database_and_serves_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"

    done = run("--migrate", f"--set=storage.data_dir={data}")
    again = run("--migrate", f"--set=storage.data_dir={data}")

    assert (done.returncode, again.returncode) == (0, 0)
    assert "store migrated" in done.stderr
    assert again.stderr == ""
    assert (data / "couachgpt.db").is_file()
    assert not (data / "control.sock").exists()


def test_migrate_refuses_a_database_that_it_cannot_use(tmp_path: Path) -> None:
    (tmp_path / "couachgpt.db").write_bytes(b"garbage!" * 1000)

    done = run("--migrate", f"--set=storage.data_dir={tmp_path}")

    assert done.returncode == 74
    assert "the database is damaged" in done.stderr


# --- what it cannot start with -----------------------------------------------------------------


def test_a_missing_parent_of_the_data_ends_with_74(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    status, log = ended(make_daemon(), f"storage.data_dir={tmp_path}/absent/data")

    assert status == 74
    assert f"{tmp_path}/absent/data: the data directory is not there" in log
    assert "Traceback" not in log


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"garbage!" * 1000, "the database is damaged"), ("newer", "made by a newer version")],
)
def test_a_database_that_is_not_ours_ends_with_74_and_is_kept(
    make_daemon: MakeDaemon, content: bytes | str, words: str
) -> None:
    daemon = make_daemon()
    path = daemon.data / "couachgpt.db"
    if isinstance(content, bytes):
        daemon.data.mkdir()
        path.write_bytes(content)
    else:
        daemon.start().stop()
        with contextlib.closing(sqlite3.connect(path)) as base:
            base.execute("INSERT INTO schema_migration (name, applied) VALUES ('0099_x', 1)")
            base.commit()
    before = path.read_bytes()

    status, log = ended(daemon)

    assert status == 74
    assert words in log
    assert "Traceback" not in log
    assert path.read_bytes() == before
    assert not daemon.socket.exists()


def test_a_full_disk_ends_with_74_and_is_named(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon()
    daemon.start().stop()
    content = (daemon.data / "couachgpt.db").read_bytes()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(daemon.data)], check=True
    )
    try:
        (daemon.data / "couachgpt.db").write_bytes(content)
        with contextlib.suppress(OSError):
            (daemon.data / "filler").write_bytes(b"x" * 400_000)
        status, log = ended(daemon)
    finally:
        subprocess.run(["umount", "--lazy", str(daemon.data)], check=True)

    assert status == 74
    assert "the disk is full" in log
    assert "Traceback" not in log.split("couachgptd: ")[-1]


def test_a_taken_port_ends_with_69_and_is_named(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon()
    with socket.create_server(("127.0.0.1", daemon.port)):
        status, log = ended(daemon)

    assert status == 69
    assert f"server.port {daemon.port}: Address already in use" in log
    assert not (daemon.data / "couachgpt.db").exists()


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid", "a" * 300, "..", "[::1]"])
def test_a_host_that_is_not_ours_ends_with_69_and_is_named(
    make_daemon: MakeDaemon, host: str
) -> None:
    status, log = ended(make_daemon(), f"server.host='{host}'")

    assert status == 69
    assert f"server.host {host}" in log
    assert "Traceback" not in log


@pytest.mark.parametrize("place", ["a directory", "a file", "too long", "no parent"])
def test_a_control_socket_that_cannot_be_ends_with_69_and_nothing_is_deleted(
    make_daemon: MakeDaemon, tmp_path: Path, place: str
) -> None:
    path = tmp_path / "place"
    if place == "a directory":
        path.mkdir()
    elif place == "a file":
        path.write_text("somebody's own")
    elif place == "too long":
        path = tmp_path / ("x" * 120)
    else:
        path = tmp_path / "absent" / "deeper" / "control.sock"

    status, log = ended(make_daemon(), f"control.socket={path}")

    assert status == 69
    assert str(path) in log
    assert "set control.socket" in log
    assert "Traceback" not in log
    if place == "a file":
        assert path.read_text() == "somebody's own"


@pytest.mark.parametrize("shared", ["data", "socket", "port", "all"])
async def test_a_second_daemon_on_the_same_place_is_refused_and_the_first_lives(
    fresh: RunningDaemon, make_daemon: MakeDaemon, shared: str
) -> None:
    other = make_daemon()
    settings = {
        "data": (f"storage.data_dir={fresh.data}",),
        "socket": (f"control.socket={fresh.socket}",),
        "port": (f"server.port={fresh.port}",),
        "all": fresh.settings,
    }[shared]

    status, log = await asyncio.to_thread(ended, other, *settings)

    assert status == (74 if shared == "data" else 69)
    assert "Traceback" not in log
    async with fresh.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[tokens=3]] Bonjour")
        assert (await tab.ended(asked["answer"]))["state"] == "done"
    assert fresh.control("GET", "/v1/status")[1]["pid"] == fresh.pid


# --- how it starts -----------------------------------------------------------------------------


def test_a_first_start_prints_the_link_and_later_ones_until_there_is_an_admin(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon().start()
    links = re.findall(r"http://\S+/setup/\S+", daemon.log)
    daemon.restart()
    links += re.findall(r"http://\S+/setup/\S+", daemon.log)[len(links) :]
    daemon.add_user("ada", "admin")
    daemon.restart()

    assert len(links) == len(set(links)) == 2
    assert len(re.findall(r"/setup/\S+", daemon.log)) == 2


async def test_the_printed_link_makes_the_first_administrator_in_a_browser(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon().start()
    link = re.findall(r"(/setup/\S+)", daemon.log)[0]
    form = {"login": "ada", "name": "", "password": PASSWORD, "password_again": PASSWORD}
    async with daemon.browser() as browser:
        assert (await browser.get(link))[0] == 200
        response = await browser.post(link, form)
        assert (response.status, response.headers["Location"]) == (303, "/")
        assert (await browser.get("/"))[0] == 200
    async with daemon.browser() as browser:
        assert (await browser.post(link, {**form, "login": "eve"})).status == 400

    _, answer = daemon.control("GET", "/v1/users")
    assert [(user["login"], user["role"]) for user in answer["users"]] == [("ada", "admin")]


def test_data_and_socket_are_private_also_where_the_socket_lies_in_the_data(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon()
    daemon.socket = daemon.data / "control.sock"
    daemon.settings = (*daemon.settings, f"control.socket={daemon.socket}")
    daemon.start()

    assert stat.S_IMODE(daemon.data.stat().st_mode) == 0o700
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in daemon.data.iterdir()}
    assert modes.pop("control.sock") == 0o660
    assert {name for name, mode in modes.items() if mode not in (0o600, 0o700)} == set()


def test_the_default_place_is_made_with_its_parents(tmp_path: Path) -> None:
    data = tmp_path / "a" / "b"  # no longer than this: a socket's path has 107 bytes at most
    process = subprocess.Popen(
        [sys.executable, "-m", "couachgptd", "--set=server.port=0", "--set=engine.kind=ollama"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env={**os.environ, "STATE_DIRECTORY": str(data)},
    )
    assert process.stdout is not None
    try:
        assert next((line for line in process.stdout if "/setup/" in line), "")
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert (data / "control.sock").is_socket()
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()


def test_what_a_killed_daemon_left_does_not_stop_the_next(fresh: RunningDaemon) -> None:
    first = fresh.control("GET", "/v1/status")[1]
    fresh.kill()
    assert fresh.socket.is_socket()

    fresh.start()

    status = fresh.control("GET", "/v1/status")[1]
    assert status["pid"] == fresh.pid
    assert "started again cause='killed'" in fresh.log
    assert first["restarts"] == {"daemon": [], "engine": []}
    assert status["restarts"] == {
        "daemon": [{"at": status["restarts"]["daemon"][0]["at"], "cause": "killed", "by": None}],
        "engine": [],
    }


def test_it_listens_where_it_is_told_and_nowhere_else(fresh: RunningDaemon) -> None:
    connections = psutil.Process(fresh.pid).net_connections("inet")

    listening = [tuple(each.laddr) for each in connections if each.status == psutil.CONN_LISTEN]
    assert listening == [("127.0.0.1", fresh.port)]


# --- how it ends -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_at_a_signal(fresh: RunningDaemon, number: signal.Signals) -> None:
    assert fresh.kill(number) == 0

    assert not fresh.socket.exists()
    assert not (fresh.data / "couachgpt.db-wal").exists()
    assert "Traceback" not in fresh.log
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", fresh.port))


async def test_an_engine_that_answers_nonsense_does_not_end_the_daemon(
    make_daemon: MakeDaemon,
) -> None:
    answers = iter([b"<html>", b"[]", b'{"models": 7}', b'{"models": [{"name": 3}]}', b"\xff"] * 99)

    async def nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            body = next(answers)
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + body)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(nonsense, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        daemon = make_daemon(url=f"http://127.0.0.1:{port}")
        await asyncio.to_thread(daemon.start)
        for _ in range(8):
            status, _ = await asyncio.to_thread(daemon.control, "GET", "/v1/models")
            assert status in (200, 503), "503: the engine, not us"
        await asyncio.to_thread(daemon.add_user, "claire")
        async with daemon.browser("claire") as browser, browser.ws() as tab:
            answer = await tab.request("chat.ask", text="x", conversation=None, client_id="a")
            assert answer["code"] != "internal_error"
        assert daemon.process is not None
        assert daemon.process.poll() is None
        assert "fault of ours" not in daemon.log
        server.close()
        assert await asyncio.to_thread(daemon.stop) == 0


async def test_a_store_that_fails_for_a_while_does_not_end_the_daemon(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon()
    daemon.data.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", str(daemon.data)], check=True
    )
    try:
        daemon.start()
        daemon.add_user("claire")
        async with daemon.browser("claire") as browser, browser.ws() as tab:
            asked = await tab.ask("[[rate=40 tokens=100]] Explique.")
            await tab.next("text")
            filler = daemon.data / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as full:
                while True:
                    full.write(b"x" * 4096)
            refused = await tab.request(
                "chat.ask", text="x" * 4000, conversation=None, client_id="full"
            )
            turn = await tab.ended(asked["answer"])
            filler.unlink()
            assert refused["code"] == "store_full"
            assert turn["state"] == "done"
            async with asyncio.timeout(10):
                while True:
                    found = await tab.request(
                        "chat.ask",
                        text="[[tokens=3]] encore",
                        conversation=asked["conversation"],
                        client_id="again",
                    )
                    if found["type"] == "ok":
                        break
                    assert found["code"] == "turn_running"
                    await asyncio.sleep(0.2)  # the daemon tries again at its own pace
        assert daemon.stop() == 0
    finally:
        if daemon.process is not None:
            daemon.kill()
        subprocess.run(["umount", "--lazy", str(daemon.data)], check=True)


async def test_a_second_signal_no_longer_waits_for_the_answers(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon("server.drain_seconds=120")
    await asyncio.to_thread(daemon.start)
    await asyncio.to_thread(daemon.add_user, "claire")
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[tokens=2000 rate=5]] Raconte.")
        await tab.until("writing", asked["answer"])
        os.kill(daemon.pid, signal.SIGTERM)
        async with asyncio.timeout(10):
            while "waiting for answers" not in daemon.log:  # noqa: ASYNC110 -- another process
                await asyncio.sleep(0.05)

        assert await asyncio.to_thread(daemon.stop) == 0


async def test_a_health_check_may_send_head(fresh: RunningDaemon) -> None:
    async with fresh.browser() as browser, browser.session.head("/login") as response:
        assert response.status == 200
        assert response.headers["Server"] == "couachgptd"
