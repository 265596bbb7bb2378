"""couachgptctl on settings and the banner, invitations, records, and copies of backups."""

import json
import os
import socket
import sqlite3
import stat
import threading
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from couachgptd.core.banner import Level
from couachgptd.core.samples import KEPT_SECONDS, RANGES
from couachgptd.ctl import moments, records
from couachgptd.ctl.grammar.site import LEVELS
from tests.ctl.terminal import Outcome, run
from tests.daemon_fixtures import daemon, shared_ollama
from tests.running_daemon import PASSWORD, RunningDaemon

__all__ = ["daemon", "shared_ollama"]
FRENCH = {"LC_ALL": "fr_FR.UTF-8"}


async def ctl(daemon: RunningDaemon, *words: str, **more: str) -> Outcome:
    return await run("--socket", str(daemon.socket), *words, **more)


# --- invitations -------------------------------------------------------------------------------


async def test_a_link_that_was_printed_makes_accounts_until_it_is_taken_back(
    daemon: RunningDaemon,
) -> None:
    made = await ctl(daemon, "invitation", "add", "--uses", "2")
    link = made.out.strip()
    listed = await ctl(daemon, "invitation", "ls", "--json")
    invitation = json.loads(listed.out)["invitations"][0]["id"]
    form = {"login": "nina", "name": "Nina", "password": PASSWORD, "password_again": PASSWORD}
    async with daemon.browser() as browser:
        await browser.post(link.removeprefix(daemon.address), form)
    removed = await ctl(daemon, "invitation", "rm", invitation)
    again = await ctl(daemon, "invitation", "rm", invitation)
    async with daemon.browser() as browser:
        _, ended = await browser.get(link.removeprefix(daemon.address))

    assert link.startswith(f"{daemon.address}/register/")
    assert f"invitation rm {invitation}" in made.err
    assert "nina" in (await ctl(daemon, "user", "ls")).out
    assert (removed.code, again.code) == (0, 1)
    assert 'data-code="link_invalid"' in ended
    assert "There is no such invitation." in again.err


async def test_a_link_that_cannot_work_yet_is_told(daemon: RunningDaemon) -> None:
    await ctl(daemon, "setting", "set", "accounts.registration", "closed")
    made = await ctl(daemon, "invitation", "add", **FRENCH)
    await ctl(daemon, "setting", "reset", "accounts.registration")

    assert "l’inscription est fermée" in made.err
    assert made.out.count("\n") == 1


# --- settings, banner --------------------------------------------------------------------------


async def test_a_setting_is_changed_refused_and_given_back(daemon: RunningDaemon) -> None:
    done = await ctl(daemon, "setting", "set", "backup.nightly", "off")
    days = await ctl(daemon, "setting", "set", "retention.audit_days", "30")
    wrong = await ctl(daemon, "setting", "set", "backup.hour", "33")
    unknown = await ctl(daemon, "setting", "set", "server.port", "1")
    listed = await ctl(daemon, "setting", "ls")
    back = await ctl(daemon, "setting", "reset", "backup.nightly")
    await ctl(daemon, "setting", "reset", "retention.audit_days")

    assert done.out == "In force now, and kept: backup.nightly = false\n"
    assert "db clean --dry-run" in days.out
    assert (wrong.code, "expected 0 to 23" in wrong.err) == (1, True)
    assert (unknown.code, "backup.nightly" in unknown.err) == (1, True)
    assert ["backup.nightly", "false", "true"] in [line.split() for line in listed.out.splitlines()]
    assert back.out.endswith("backup.nightly = true\n")


async def test_a_banner_reaches_open_pages_and_goes(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as page:
        words = ("Restart", "soon", "--level", "warning", "--until", "2h")
        done = await ctl(daemon, "banner", "set", *words)
        event = await page.next("banner")
        shown = await ctl(daemon, "banner", "show")
        cleared = await ctl(daemon, "banner", "clear")
        gone = await page.next("banner")
    over = await ctl(daemon, "banner", "set", "x", "--until", "2020-01-01")

    assert (done.code, cleared.code, over.code) == (0, 0, 2)
    assert (event["banner"]["text"], gone["banner"]) == ("Restart soon", None)
    assert shown.out.startswith("Restart soon\nLevel: warning; until 20")
    assert "is over already" in over.err


def test_the_words_of_the_command_line_are_those_of_the_daemon() -> None:
    assert list(LEVELS) == [each.value for each in Level]
    assert {each: KEPT_SECONDS[span] for each, span in RANGES.items()} == records.SECONDS


# --- records -----------------------------------------------------------------------------------


async def test_the_audit_is_filtered_paged_and_written_as_csv(daemon: RunningDaemon) -> None:
    for switch in ("on", "off"):
        await ctl(daemon, "engine", "maintenance", switch)
    words = ("--verb", "engine.", "--since", "1h", "--text", "is_on")
    page = await ctl(daemon, "audit", "ls", *words, "--limit", "1")
    older = page.err.split()[-1]
    rest = await ctl(daemon, "audit", "ls", *words, "--before", older)
    none = await ctl(daemon, "audit", "ls", "--until", "2020-01-01")
    as_csv = await ctl(daemon, "audit", "csv", *words)
    as_json = await ctl(daemon, "audit", "csv", "--json")

    assert page.out.count("\n") == rest.out.count("\n") == 1
    assert "engine.maintenance" in page.out
    assert (page.out.strip()[-11:], rest.out.strip()[-10:]) == ("is_on=false", "is_on=true")
    assert none.out == "Nothing of this kind was changed.\n"
    assert [line.split(",")[3] for line in as_csv.out.splitlines()] == [
        '"verb"', '"engine.maintenance"', '"engine.maintenance"',
    ]  # fmt: skip
    assert as_json.code == 2


async def test_the_figures_are_told(daemon: RunningDaemon) -> None:
    told = await ctl(daemon, "samples", "--json", "--range", "24h")
    shown = await ctl(daemon, "db", "show", **FRENCH)

    assert json.loads(told.out)["range"] == "24h"
    assert "Base de données" in shown.out


async def test_the_thumbs_of_each_model_are_counted_without_names_or_words(
    daemon: RunningDaemon,
) -> None:
    nobody = await ctl(daemon, "ratings", "--days", "1")
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[tokens=3]] Bonjour", model="couac:1b")
        await tab.ended(asked["answer"])
        await tab.request("chat.rate", message=asked["answer"], value=-1, word="secret")
    shown = await ctl(daemon, "ratings", **FRENCH)
    told = await ctl(daemon, "ratings", "--json")

    assert nobody.out == "Nobody has rated an answer in the last 1 day.\n"
    assert [line.split() for line in shown.out.splitlines()] == [
        ["MODÈLE", "BONNES", "MAUVAISES"], ["couac:1b", "0", "1"],
    ]  # fmt: skip
    assert json.loads(told.out) == {
        "days": 30, "models": [{"model": "couac:1b", "up": 0, "down": 1}],
    }  # fmt: skip
    assert "secret" not in shown.out + told.out


def test_bars_show_peaks_zeros_and_what_is_missing() -> None:
    at = [0, 10, 20, 30, 80]

    assert records.bars(at, [1.0, 8.0, 0.0, None, 4.0], 80, 8) == "▂█▁    ▅"
    assert records.bars(at, [0.0, 0.0, 0.0, None, None], 80, 8) == "▁▁▁"


# --- backups -----------------------------------------------------------------------------------


async def test_a_backup_is_copied_for_one_alone_and_never_over_a_file(
    daemon: RunningDaemon, tmp_path: Path
) -> None:
    made = await ctl(daemon, "db", "backup", "--json")
    name = json.loads(made.out)["backup"]["name"]
    words = ("db", "backup", "download", name, "--output", str(tmp_path))
    copied = await ctl(daemon, *words)
    again = await ctl(daemon, *words)
    (tmp_path / name).write_text("something else")
    forced = await ctl(daemon, *words, "--force")
    removed = await ctl(daemon, "db", "backup", "rm", name, "--yes")
    absent = await ctl(daemon, *words, "--force")
    no_terminal = await ctl(daemon, "db", "backup", "rm", name)

    assert [each.code for each in (copied, again, forced, removed)] == [0, 1, 0, 0]
    assert "is there already" in again.err
    assert (absent.code, f"There is no backup {name}." in absent.err) == (1, True)
    assert no_terminal.code == 2
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    with closing(sqlite3.connect(tmp_path / name)) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_a_backup_is_laid_over_files_alone(daemon: RunningDaemon, tmp_path: Path) -> None:
    """As root, --force on /dev/null would else leave the machine without one."""
    made = await ctl(daemon, "db", "backup", "--json")
    name = json.loads(made.out)["backup"]["name"]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    words = ("db", "backup", "download", name, "--force", "--output")

    no_file = await ctl(daemon, *words, str(pipe))
    too_long = await ctl(daemon, *words, str(tmp_path / ("x" * 300)))

    assert (no_file.code, "It is no file" in no_file.err) == (1, True)
    assert pipe.is_fifo()
    assert (too_long.code, "cannot be written: File name too long" in too_long.err) == (1, True)


async def test_a_backup_that_is_cut_leaves_what_was_there(tmp_path: Path) -> None:
    """The daemon dies in the middle: it told more bytes than it sends."""
    listing = b'{"backups": [{"name": "a.db", "size_bytes": 9}], "folder": "/x"}'
    answers = [(listing, len(listing)), (b"half", 9)]
    place = tmp_path / "control.sock"
    target = tmp_path / "copy"
    target.write_text("before")

    def serve(listener: socket.socket) -> None:
        for body, length in answers:
            with listener.accept()[0] as peer:
                peer.recv(65536)
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"
                peer.sendall(head.encode() + body)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        words = ("db", "backup", "download", "a.db", "--force", "--output", str(target))
        cut = await run("--socket", str(place), *words)
        thread.join()

    assert (cut.code, "5 bytes are missing" in cut.err) == (1, True)
    assert target.read_text() == "before"
    assert {each.name for each in tmp_path.iterdir()} == {"control.sock", "copy"}


# --- moments -----------------------------------------------------------------------------------


def test_moments_are_read_as_people_type_them() -> None:
    now = datetime.now().astimezone()
    soon, ago = (datetime.fromisoformat(each("2h")) for each in (moments.ahead, moments.beginning))
    begin, end = (
        datetime.fromisoformat(each("2026-11-23")) for each in (moments.beginning, moments.end)
    )
    clock = f"{now - timedelta(minutes=1):%H:%M}"

    assert timedelta(hours=1) < soon - now < timedelta(hours=3) > now - ago > timedelta(hours=1)
    assert (f"{begin:%m-%d %H:%M}", f"{end:%m-%d %H:%M}") == ("11-23 00:00", "11-23 23:59")
    assert datetime.fromisoformat(moments.beginning(clock)) <= now
    assert datetime.fromisoformat(moments.ahead(clock)) > now


@pytest.mark.parametrize("text", ["", "h", "xh", "25:00", "2026-13-01", "9999999999d", "hier"])
def test_what_is_no_moment_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(Exception, match="is none of 2h"):
        moments.beginning(text)
