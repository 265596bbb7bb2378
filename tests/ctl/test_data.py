"""couachgptctl on what is kept: says first what would go, asks, and the backup comes back."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.daemon_fixtures import (
    another,
    daemon,
    fresh,
    make_daemon,
    ollama,
    shared_ollama,
    site,
    someone,
)
from tests.running_daemon import ROOT, RunningDaemon

__all__ = [
    "another",
    "daemon",
    "fresh",
    "make_daemon",
    "ollama",
    "shared_ollama",
    "site",
    "someone",
]
Json = dict[str, Any]


def ctl(
    daemon: RunningDaemon, *words: str, stdin: int = subprocess.DEVNULL, folder: Path = ROOT
) -> "subprocess.CompletedProcess[str]":
    program = [sys.executable, "-P", "-m", "couachgptd.ctl", "--socket", str(daemon.socket), *words]
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        program, stdin=stdin, capture_output=True, text=True, cwd=folder, env=environment,
        check=False, timeout=60,
    )  # fmt: skip


def answered(daemon: RunningDaemon, text: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a command on a terminal where somebody types `text`."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{text}\n".encode())
        return ctl(daemon, *words, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)


async def asked(daemon: RunningDaemon, login: str) -> str:
    async with daemon.browser(login) as browser, browser.ws() as socket:
        answer = await socket.ask("[[tokens=3]] Bonjour")
        await socket.ended(answer["answer"])
        return str(answer["conversation"])


async def conversations(daemon: RunningDaemon, login: str) -> list[str]:
    async with daemon.browser(login) as browser, browser.ws() as socket:
        return [each["id"] for each in socket.hello["conversations"]]


async def test_a_backup_comes_back_with_the_daemon_running_and_without(
    fresh: RunningDaemon,
) -> None:
    kept = await asked(fresh, "claire")
    made = ctl(fresh, "db", "backup", "--json")
    backup = json.loads(made.stdout)
    assert made.returncode == 0
    listed = ctl(fresh, "db", "backups")
    assert backup["backup"]["name"] in listed.stdout
    assert "by hand" in listed.stdout
    assert ctl(fresh, "conversation", "purge", "--user", "claire", "--yes").returncode == 0

    restored = ctl(fresh, "db", "restore", backup["path"], "--yes", "--no-wait")
    assert (restored.returncode, "restarts now" in restored.stdout) == (0, True), restored.stderr
    fresh.ended()
    fresh.start()
    assert await conversations(fresh, "claire") == [kept]

    ctl(fresh, "conversation", "purge", kept, "--yes")
    fresh.stop()
    config = fresh.data.parent / "couachgpt.toml"
    config.write_text(f'[storage]\ndata_dir = "{fresh.data}"\n')
    name = backup["backup"]["name"]
    # In a folder like the backups', where the daemon's user may have laid a module for root to run.
    trap = fresh.data / "backups" / "couachgptd.py"
    trap.write_text("raise SystemExit('somebody else is root now')")
    restore = ("--config", str(config), "db", "restore", name, "--yes")
    alone = ctl(fresh, *restore, folder=trap.parent)
    assert (alone.returncode, "is in place" in alone.stdout) == (0, True), alone.stderr
    fresh.start()
    assert await conversations(fresh, "claire") == [kept]


def test_a_backup_that_is_not_there_or_elsewhere_is_told(site: RunningDaemon) -> None:
    absent = ctl(site, "db", "restore", "couachgpt-x.db", "--yes")
    elsewhere = ctl(site, "db", "restore", "/tmp/other.db", "--yes")  # noqa: S108 -- only named

    assert (absent.returncode, "There is no backup" in absent.stderr) == (1, True)
    assert (elsewhere.returncode, "takes a backup from" in elsewhere.stderr) == (1, True)


def test_the_database_is_checked_cleaned_and_made_smaller(fresh: RunningDaemon) -> None:
    assert ctl(fresh, "db", "check").stdout == "The database is whole.\n"
    assert ctl(fresh, "db", "check", "--quick").returncode == 0
    assert "are free again" in ctl(fresh, "db", "vacuum").stdout
    assert ctl(fresh, "db", "clean").stdout == "There is nothing to clean away.\n"


async def test_what_is_gone_for_good_is_said_and_asked_first(
    site: RunningDaemon, someone: str
) -> None:
    kept = await asked(site, someone)
    words = ("conversation", "purge", kept)

    without_terminal = ctl(site, *words)
    refused = answered(site, "n", *words)

    assert (without_terminal.returncode, "--yes" in without_terminal.stderr) == (2, True)
    assert (refused.returncode, "Nothing was done" in refused.stderr) == (1, True)
    assert "1 conversation, 2 messages" in refused.stdout
    assert await conversations(site, someone) == [kept]
    agreed = answered(site, "y", *words)
    assert (agreed.returncode, "Deleted" in agreed.stdout) == (0, True), agreed.stderr
    assert await conversations(site, someone) == []
    assert "no such conversation" in ctl(site, *words, "--yes").stderr


async def test_who_leaves_may_have_an_heir(site: RunningDaemon, someone: str, another: str) -> None:
    kept = await asked(site, someone)

    removed = answered(site, "y", "user", "rm", someone, "--heir", another)

    assert removed.returncode == 0, removed.stderr
    assert f"{another} gets 1 conversation, 2 messages" in removed.stdout
    assert await conversations(site, another) == [kept]
    assert someone not in ctl(site, "user", "ls").stdout


async def test_sessions_are_listed_and_ended(fresh: RunningDaemon) -> None:
    assert ctl(fresh, "sessions", "ls").stdout == "Nobody is logged in.\n"
    async with fresh.browser("claire") as browser, browser.ws() as socket:
        assert "127.0.0.1" in ctl(fresh, "sessions", "ls").stdout
        assert ctl(fresh, "sessions", "kick", "--user", "claire").stdout == "1 session is ended.\n"
        assert await socket.closed() == 4401
    assert "no such session" in ctl(fresh, "sessions", "kick", "x").stderr


def test_a_link_for_a_forgotten_password_is_printed(site: RunningDaemon, someone: str) -> None:
    done = ctl(site, "user", "reset-link", someone)

    assert done.stdout.startswith(f"{site.address}/password/")
    assert "It works once" in done.stderr


@pytest.mark.parametrize("words", [("sessions", "kick"), ("conversation", "purge")])
def test_one_has_to_be_named(daemon: RunningDaemon, words: tuple[str, ...]) -> None:
    assert ctl(daemon, *words).returncode == 2
