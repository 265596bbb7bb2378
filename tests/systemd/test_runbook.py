"""The runbook, followed on a server that has just what each of its chapters is about."""

import re
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from tests.conftest import ROOT
from tests.running_daemon import Browser
from tests.sandbox.test_logo import svg
from tests.systemd import bundles
from tests.systemd.installing import Server, booted
from tests.systemd.sandboxed import eventually
from tests.systemd.service import ADDRESS, CONFIG, DATA, SANDBOX, UNIT

FRENCH = ROOT / "docs" / "exploitation.md"
ENGLISH = ROOT / "docs" / "operations.md"
MODELS = DATA / "models"
NEW_PASSWORD = "un mot de passe tout neuf"
# The chapters of the English page, in order; every one with commands has its test below.
CHAPTERS = (
    "The AI no longer answers",
    "The page no longer answers",
    "The model has disappeared",
    "Taking the server down",
    "The disk is full",
    "An administrator's password is forgotten",
    "Upgrading",
    "Restoring a backup",
    "Moving to another machine",
    "The logo is refused",
    "Files of people",
    "Titles that change by themselves",
)


def chapters(page: Path) -> dict[str, list[tuple[str, str]]]:
    """Return the blocks of each chapter: the words behind the fence, and the commands."""
    title, *parts = re.split(r"^## (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert title.startswith("# ")
    blocks = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
    return {
        name: [(found[1], found[2]) for found in blocks.finditer(text)]
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def follow(server: Server, chapter: str, *words: str) -> Iterator[str]:
    """Run the blocks of a chapter, one at each step, and yield what they print."""
    for fence, commands in chapters(ENGLISH)[chapter]:
        if fence in (words or ("sh",)):
            yield server.run("sh", "-ec", commands)


def test_both_languages_have_the_same_commands_and_all_are_followed() -> None:
    english, french = chapters(ENGLISH), chapters(FRENCH)

    assert tuple(english) == CHAPTERS
    assert list(english.values()) == list(french.values())
    fences = {fence for blocks in english.values() for fence, _ in blocks}
    assert fences == {"sh", "sh old", "sh new"}


@pytest.fixture(scope="module")
def server(bundle: Path, starter_model: Path) -> Iterator[Server]:
    """Return a server with ada, a model, and the bundle in /root/couachgpt."""
    with booted("runbook") as running:
        done = running.install(bundle)
        assert done.returncode == 0, done.stdout + done.stderr
        running.run("ln", "-sfn", bundles.inside(bundle), "/root/couachgpt")
        running.run("sed", "-i", "s/^answer_tokens = .*/answer_tokens = 16/", CONFIG)
        running.run("systemctl", "restart", UNIT)
        assert running.add_user("ada").returncode == 0
        running.run("ln", "-sfn", bundles.inside(starter_model), "/root/model.gguf")
        place = ["install", "-D", "-o", "couachgpt", "-g", "couachgpt", "/root/model.gguf"]
        running.run(*place, MODELS / "model.gguf")
        yield running


@pytest.mark.soak
def test_the_ai_that_hangs_answers_again(server: Server) -> None:
    server.run("couachgptctl", "ask", "Bonjour")
    frozen = f"pkill --signal STOP --full llama_child --parent {server.show(UNIT, 'MainPID')}"
    server.run("sh", "-c", frozen)

    *_, last = follow(server, CHAPTERS[0])

    assert last


def test_the_page_that_is_gone_comes_back(server: Server) -> None:
    server.run("systemctl", "stop", "couachgptd.socket", "couachgptd.service")

    *_, last = follow(server, CHAPTERS[1])

    assert ":8294" in last
    assert server.show(UNIT, "ActiveState") == "active"


def test_the_model_that_disappeared_is_there_again(server: Server) -> None:
    server.run("rm", "-r", MODELS)
    server.run("mkdir", MODELS)

    *_, last = follow(server, CHAPTERS[2])

    eventually(lambda: "model" in server.run("couachgptctl", "model", "ls"))
    assert last


def test_the_server_goes_down_and_up(server: Server) -> None:
    steps = follow(server, CHAPTERS[3])
    next(steps)
    assert server.show(UNIT, "ActiveState") == "inactive"
    assert server.show("couachgptd.socket", "ActiveState") == "inactive"

    next(steps)

    assert server.show(UNIT, "ActiveState") == "active"


@pytest.mark.soak
def test_a_full_disk_is_written_to_again(server: Server) -> None:
    with server.small_disk("6m"):
        server.run("mkdir", MODELS)
        server.fill_disk(MODELS / "old.gguf")
        assert server.add_user("marc").returncode != 0

        list(follow(server, CHAPTERS[4]))

        eventually(lambda: server.add_user("marc").returncode == 0)


async def test_a_forgotten_password_is_replaced(server: Server) -> None:
    server.write(Path("/root/password"), f"{NEW_PASSWORD}\n", 0o600)

    list(follow(server, CHAPTERS[5]))

    assert server.attempt("test", "-e", "/root/password").returncode == 1
    with server.network():
        async with aiohttp.ClientSession(
            ADDRESS, cookie_jar=aiohttp.CookieJar(unsafe=True)
        ) as session:
            await Browser(session, ADDRESS).log_in("ada", NEW_PASSWORD)


@pytest.mark.soak
def test_an_upgrade_and_its_way_back(server: Server, bundle: Path) -> None:
    later = bundles.variant(bundle, "0.2.1", {})
    server.run("ln", "-sfn", bundles.inside(later), "/root/couachgpt")

    steps = follow(server, CHAPTERS[6])

    assert "couachgptctl 0.2.1" in next(steps)
    assert "couachgptctl 0.1.0" in next(steps)
    assert server.people() == {"ada"}
    server.run("ln", "-sfn", bundles.inside(bundle), "/root/couachgpt")


def test_a_backup_is_restored_also_where_the_database_is_damaged(server: Server) -> None:
    steps = follow(server, CHAPTERS[7])
    next(steps)
    assert server.add_user("zoe").returncode == 0

    next(steps)

    assert server.people() == {"ada"}
    server.run("systemctl", "stop", "couachgptd.socket", UNIT)
    server.run("sh", "-c", f"echo garbage >{DATA}/couachgpt.db")
    assert server.attempt("systemctl", "start", "couachgptd.socket", UNIT).returncode != 0

    next(steps)

    # Not what was put aside as bad a moment ago, which is the newest file.
    assert server.people() == {"ada"}


def test_the_logo_is_taken_again(server: Server) -> None:
    server.write(Path("/root/logo.svg"), svg().decode())
    send = ("couachgptctl", "logo", "set", "/root/logo.svg")
    server.run("systemctl", "stop", SANDBOX)
    refused = server.attempt(*send)

    *_, last = follow(server, CHAPTERS[9])

    assert "Start couachgpt-sandbox.socket" in refused.stderr
    assert last == "active\n"
    server.run(*send)


@pytest.mark.soak
def test_the_move_takes_everybody_along(server: Server, bundle: Path) -> None:
    server.write(Path("/etc/couachgpt/tls/own.crt"), "a certificate")
    list(follow(server, CHAPTERS[8], "sh old"))
    with booted("moved") as other:
        archive = "root/couachgpt.tar.gz"
        (other.root / archive).write_bytes((server.root / archive).read_bytes())
        other.run("ln", "-sfn", bundles.inside(bundle), "/root/couachgpt")

        *_, last = follow(other, CHAPTERS[8], "sh new")

        assert "ada" in last
        assert "answer_tokens = 16" in other.read(CONFIG)
        assert other.read(Path("/etc/couachgpt/tls/own.crt")) == "a certificate"
    server.run("systemctl", "start", "couachgptd.socket", "couachgptd.service")
