"""The logo that an administrator sends: examined behind the wall, shown everywhere, kept."""

import base64
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.ctl.terminal import run
from tests.daemon_fixtures import MakeDaemon, fresh, make_daemon, ollama, shared_ollama
from tests.running_daemon import RunningDaemon
from tests.sandbox.test_logo import png, svg
from tests.sandbox.test_walls import needs_bwrap

__all__ = ["fresh", "make_daemon", "ollama", "shared_ollama"]
Json = dict[str, Any]
PLACE = "/v1/settings/logo"
MOST = 256 * 1024


def send(daemon: RunningDaemon, data: bytes) -> tuple[int, Json]:
    return daemon.control("POST", PLACE, {"data": base64.b64encode(data).decode()})


async def shown(daemon: RunningDaemon) -> bytes | None:
    """Return what every page shows as the logo; None: our own."""
    async with daemon.browser() as browser:
        _, page = await browser.get("/login")
        found = '"/brand/logo' in page
        async with browser.session.get("/brand/logo") as response:
            assert (response.status == 200) is found
            if response.status != 200:
                return None
            assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            return await response.read()


@needs_bwrap
@pytest.mark.parametrize(
    ("data", "kind"), [(svg(), "image/svg+xml"), (png(), "image/png")], ids=["svg", "png"]
)
async def test_a_logo_that_is_sent_is_shown_for_good_until_it_is_taken_away(
    fresh: RunningDaemon, data: bytes, kind: str
) -> None:
    assert await shown(fresh) is None

    status, answer = send(fresh, data)

    assert (status, answer) == (200, {"logo": {"type": kind, "size_bytes": len(data)}})
    assert await shown(fresh) == data
    fresh.restart()
    assert await shown(fresh) == data
    assert fresh.control("GET", PLACE) == (200, answer)
    assert fresh.control("DELETE", PLACE) == (200, {"logo": None})
    assert await shown(fresh) is None
    said = fresh.control("GET", "/v1/audit?verb=logo")[1]["entries"]
    assert [each["verb"] for each in said] == ["logo.rm", "logo.set"]


@needs_bwrap
async def test_one_that_is_refused_leaves_the_one_before(fresh: RunningDaemon) -> None:
    send(fresh, png())

    for data, reason in [
        (svg("<script>alert(1)</script>"), "element"),
        (svg("<g>" * 80_000), "depth"),
        (b"GIF89a", "not_an_image"),
        (b"", "not_an_image"),
        (png() + b"\0" * MOST, "too_large"),
    ]:
        status, answer = send(fresh, data)
        assert (status, answer["error"]["code"]) == (400, "file_refused")
        assert answer["error"]["fields"] == {"reason": reason}
    status, answer = fresh.control("POST", PLACE, {"data": "no base64!"})
    assert (status, answer["error"]["code"]) == (400, "bad_request")

    assert await shown(fresh) == png()


@needs_bwrap
async def test_the_largest_that_may_be_goes_all_the_way_through_the_admin_page(
    fresh: RunningDaemon,
) -> None:
    fresh.add_user("ada", "admin")
    data = svg(f"<!--{'x' * (MOST - len(svg('<!---->')))}-->")
    assert len(data) == MOST
    body = f'{{"data": "{base64.b64encode(data).decode()}"}}'

    async with fresh.browser("ada") as browser:
        form = {"csrf": await browser.token(), "body": body}
        response = await browser.post("/admin/call/control.logo.set", form)
        assert response.status == 200, await response.text()

    assert await shown(fresh) == data


async def test_without_a_sandbox_no_file_is_opened(
    make_daemon: MakeDaemon, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The machine has no unit of ours, and a PATH on which there is no bubblewrap."""
    monkeypatch.setenv("PATH", str(tmp_path))
    daemon = make_daemon().start()

    status, answer = send(daemon, svg())

    assert (status, answer["error"]["code"]) == (503, "sandbox_missing")
    assert daemon.control("GET", PLACE) == (200, {"logo": None})
    with sqlite3.connect(daemon.data / "couachgpt.db") as store:
        assert not store.execute("SELECT 1 FROM settings WHERE name = 'logo'").fetchall()


@needs_bwrap
async def test_couachgptctl_sends_and_takes_away(fresh: RunningDaemon, tmp_path: Path) -> None:
    there = {"COUACHGPT_SOCKET": str(fresh.socket)}
    good, bad = tmp_path / "logo.svg", tmp_path / "bad.svg"
    good.write_bytes(svg())
    bad.write_bytes(svg("<script/>"))

    set_ = await run("logo", "set", str(good), **there)
    refused = await run("logo", "set", str(bad), LC_ALL="fr_FR.UTF-8", **there)
    missing = await run("logo", "set", str(tmp_path / "none"), "--json", **there)
    assert await shown(fresh) == svg()
    told = await run("logo", "show", **there)
    removed = await run("logo", "rm", **there)

    assert (set_.code, set_.err) == (0, "")
    assert refused.code == 1
    assert "Le fichier a été refusé (element)." in refused.err
    assert missing.code == 1
    assert os.strerror(2) in missing.err
    assert "image/svg+xml" in told.out
    assert removed.code == 0
    assert await shown(fresh) is None
