"""The pages behind one-time links, on the real daemon, as a browser meets them."""

import pytest

from couachgptd.services.links import LinkService
from tests.running_daemon import RunningDaemon

OTHER = "un tout autre mot de passe"


def reset_token(daemon: RunningDaemon, login: str) -> str:
    status, answer = daemon.control("POST", f"/v1/users/{login}/reset-link")
    assert status == 200, answer
    assert answer["url"].startswith(f"{daemon.address}/password/")
    return str(answer["url"].rpartition("/")[2])


def invitation_token(daemon: RunningDaemon, **body: int) -> str:
    status, answer = daemon.control("POST", "/v1/invitations", {"uses": 1, "days": 7, **body})
    assert status == 201, answer
    return str(answer["url"].rpartition("/")[2])


async def test_a_forgotten_password_is_set_anew_and_the_open_pages_close(
    site: RunningDaemon,
    someone: str,
) -> None:
    token = reset_token(site, someone)
    async with site.browser(someone) as old, old.ws() as socket, site.browser() as browser:
        status, page = await browser.get(f"/password/{token}")
        assert status == 200
        assert 'name="password_again"' in page
        answer = await browser.post(
            f"/password/{token}", {"password": OTHER, "password_again": OTHER}
        )

        assert (answer.status, answer.headers["Location"]) == (303, "/login?notice=password_set")
        assert await socket.closed() == 4401
        await browser.log_in(someone, OTHER)
        _, page = await browser.get(f"/password/{token}")
        assert 'data-code="link_invalid"' in page


@pytest.mark.parametrize(
    ("path", "body"),
    [("password", {"password": OTHER}), ("state", {"state": "suspended"})],
)
async def test_who_is_shut_out_has_no_link_left_to_come_back_by(
    site: RunningDaemon, someone: str, path: str, body: dict[str, str]
) -> None:
    token = reset_token(site, someone)
    status, _ = site.control("POST", f"/v1/users/{someone}/{path}", body)
    assert status == 200
    site.control("POST", f"/v1/users/{someone}/state", {"state": "active"})
    async with site.browser() as browser:
        _, page = await browser.get(f"/password/{token}")

    assert 'data-code="link_invalid"' in page


async def test_passwords_that_differ_are_told_and_the_link_stays(
    site: RunningDaemon, someone: str
) -> None:
    token = reset_token(site, someone)
    async with site.browser() as browser:
        answer = await browser.post(
            f"/password/{token}", {"password": OTHER, "password_again": "non"}
        )
        assert answer.status == 400
        assert 'data-code="passwords_differ"' in await answer.text()

        answer = await browser.post(
            f"/password/{token}", {"password": OTHER, "password_again": OTHER}
        )
        assert answer.status == 303


async def test_a_made_up_link_says_so_and_asks_for_nothing(site: RunningDaemon) -> None:
    async with site.browser() as browser:
        for path in ("/password/made-up", "/register/made-up"):
            status, page = await browser.get(path)
            assert status == 400
            assert 'data-code="link_invalid"' in page
            assert 'name="password"' not in page


async def test_who_is_invited_registers_and_is_in_at_once(site: RunningDaemon) -> None:
    token = invitation_token(site)
    form = {"login": "nora", "name": "Nora", "password": OTHER, "password_again": OTHER}
    async with site.browser() as browser:
        status, page = await browser.get(f"/register/{token}")
        assert status == 200
        assert f'action="/register/{token}"' in page

        answer = await browser.post(f"/register/{token}", form)

        assert (answer.status, answer.headers["Location"]) == (303, "/")
        status, _ = await browser.get("/")
        assert status == 200
    async with site.browser() as second:
        answer = await second.post(f"/register/{token}", {**form, "login": "paul"})
        assert 'data-code="link_invalid"' in await answer.text()


async def test_the_log_names_no_link(site: RunningDaemon, someone: str) -> None:
    token = reset_token(site, someone)
    async with site.browser() as browser:
        await browser.get(f"/password/{token}")
        await browser.post(f"/password/{token}", {"password": OTHER, "password_again": OTHER})

    assert token not in site.log
    assert LinkService.__name__ not in site.log


async def test_by_invitation_only_the_page_offers_no_registration(fresh: RunningDaemon) -> None:
    fresh.stop()
    fresh.start("accounts.registration=invitation")
    token = invitation_token(fresh)
    async with fresh.browser() as browser:
        _, login = await browser.get("/login")
        _, page = await browser.get("/register")
        _, invited = await browser.get(f"/register/{token}")

    assert 'href="/register"' not in login
    assert 'name="password"' not in page
    assert 'data-code="registration_closed"' in page
    assert 'name="password"' in invited
