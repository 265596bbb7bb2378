"""What is changed while the daemon runs: at once, for good, and no further than its bounds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.daemon_fixtures import daemon, fresh, make_daemon, ollama, shared_ollama, site
from tests.running_daemon import RunningDaemon

__all__ = ["daemon", "fresh", "make_daemon", "ollama", "shared_ollama", "site"]
Json = dict[str, Any]


def settings(daemon: RunningDaemon) -> dict[str, Json]:
    status, answer = daemon.control("GET", "/v1/settings")
    assert status == 200
    return {each["name"]: each for each in answer["settings"]}


def change(daemon: RunningDaemon, name: str, value: Any) -> tuple[int, Json]:
    return daemon.control("POST", "/v1/settings", {"name": name, "value": value})


async def test_a_stored_value_wins_over_the_file_until_it_is_taken_back(
    fresh: RunningDaemon,
) -> None:
    assert settings(fresh)["accounts.registration"] == {
        "name": "accounts.registration", "value": "approval", "configured": "approval",
        "source": "configuration",
    }  # fmt: skip

    status, answer = change(fresh, "accounts.registration", "closed")
    assert (status, answer["setting"]["source"]) == (200, "stored")
    async with fresh.browser() as browser:
        _, page = await browser.get("/register")
        assert 'data-code="registration_closed"' in page
    fresh.restart()
    assert settings(fresh)["accounts.registration"]["value"] == "closed"
    async with fresh.browser() as browser:
        _, page = await browser.get("/register")
        assert 'data-code="registration_closed"' in page

    change(fresh, "accounts.registration", None)
    assert settings(fresh)["accounts.registration"]["source"] == "configuration"
    async with fresh.browser() as browser:
        _, page = await browser.get("/register")
        assert 'name="password"' in page


async def test_the_brand_and_the_retention_change_at_once(site: RunningDaemon) -> None:
    change(site, "brand.name", "Chantier naval")
    change(site, "brand.accent", "#123456")
    change(site, "retention.conversation_days", 30)
    change(site, "backup.hour", 4)

    async with site.browser() as browser:
        assert "Chantier naval" in (await browser.get("/login"))[1]
        assert "#123456" in (await browser.get("/brand.css"))[1]
    shown = site.control("GET", "/v1/db")[1]
    assert shown["retention"]["conversation_days"] == 30
    assert shown["night"]["hour"] == 4


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("accounts.registration", "everybody", 400),
        ("backup.hour", 24, 400),
        ("backup.hour", True, 400),
        ("backup.nightly", 1, 400),
        ("retention.audit_days", -1, 400),
        ("brand.name", "", 400),
        ("brand.name", "x" * 61, 400),
        ("brand.accent", "red;}", 400),
        ("server.host", "127.0.0.2", 404),
        ("no.such", 1, 404),
        (5, 1, 400),
    ],
)
def test_a_value_that_a_setting_may_not_have_is_refused(
    daemon: RunningDaemon, name: Any, value: Any, status: int
) -> None:
    before = settings(daemon)

    assert change(daemon, name, value)[0] == status
    assert settings(daemon) == before


async def test_a_banner_is_on_every_page_at_once_and_goes_with_its_time(
    site: RunningDaemon,
) -> None:
    until = datetime.now(UTC) + timedelta(seconds=4)
    body = {"text": "Coupure à 18 h", "level": "warning", "until": until.isoformat()}
    async with site.browser("claire") as first, first.ws() as open_page:
        status, answer = site.control("POST", "/v1/banner", body)
        assert (status, answer["banner"]["text"]) == (200, "Coupure à 18 h")
        event = await open_page.next("banner")
        assert event["banner"] == answer["banner"]
        async with site.browser("marc") as second, second.ws() as later:
            assert (await later.next("banner"))["banner"] == answer["banner"]
        assert (await open_page.next("banner"))["banner"] is None
    assert site.control("GET", "/v1/banner") == (200, {"banner": None})


async def test_another_brand_is_on_every_open_page_at_once(site: RunningDaemon) -> None:
    async with site.browser("claire") as browser, browser.ws() as page:
        for name, value in (("name", "Canard"), ("accent", "#112233"), ("name", None)):
            change(site, f"brand.{name}", value)
        told = [(await page.next("brand"))["brand"] for _ in range(3)]
        site.control("DELETE", "/v1/settings/logo")

        assert (await page.next("brand"))["brand"] == told[-1]

    first = {"name": "Canard", "logo": "", "accent": told[0]["accent"]}
    assert told[0] == {**first, "accent_dark": told[0]["accent_dark"]}
    assert told[1] == {**told[0], "accent": "#112233"}
    assert told[2] == {**told[1], "name": "CouachGPT"}


def test_a_banner_outlives_the_daemon_and_is_taken_away(fresh: RunningDaemon) -> None:
    fresh.control("POST", "/v1/banner", {"text": "  Bonjour \n à tous "})
    fresh.restart()

    expected = {"text": "Bonjour à tous", "level": "info", "until": None}
    assert fresh.control("GET", "/v1/banner")[1]["banner"] == expected
    assert fresh.control("POST", "/v1/banner", {"text": ""}) == (200, {"banner": None})
    fresh.restart()
    assert fresh.control("GET", "/v1/banner")[1]["banner"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": "x" * 501},
        {"text": "x", "level": "shout"},
        {"text": "x", "until": "tomorrow"},
        {"text": "x", "until": "2020-01-01"},
    ],
)
def test_a_banner_that_cannot_be_is_refused(daemon: RunningDaemon, body: Json) -> None:
    assert daemon.control("POST", "/v1/banner", body)[0] == 400
