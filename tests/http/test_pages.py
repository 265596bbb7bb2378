"""Pages and forms under attack: forged, malformed, foreign; every answer carries its headers."""

import asyncio
import re
import socket
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yarl import URL

from couachgptd.http.app import BODY_MAX_BYTES
from couachgptd.http.routes import local_path
from tests.running_daemon import PASSWORD, Browser, RunningDaemon

HEADERS = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "Referrer-Policy",
    "Cross-Origin-Resource-Policy",
    "X-Request-Id",
)
FORM = {"login": "claire", "password": PASSWORD}


async def raw(daemon: RunningDaemon, request: bytes) -> tuple[int, bytes]:
    """Send bytes as they are and return the status and all that comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", daemon.port)
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    status = re.match(rb"HTTP/1\.[01] (\d+)", answer)
    return (int(status[1]) if status else 0), answer


def raw_get(path: bytes, *headers: bytes) -> bytes:
    lines = [b"GET " + path + b" HTTP/1.1", b"Host: x", b"Connection: close", *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n"


# --- forms -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/login", "/register", "/setup/x", "/language", "/logout"])
@pytest.mark.parametrize("given_token", [None, "", "x", "é" * 64, "0" * 64])
async def test_a_form_without_our_token_is_refused(
    daemon: RunningDaemon, path: str, given_token: str | None
) -> None:
    async with daemon.browser("claire") as browser:
        fields = FORM if given_token is None else {**FORM, "csrf": given_token}
        async with browser.session.post(path, data=fields, allow_redirects=False) as response:
            assert response.status == 403
        assert (await browser.get("/"))[0] == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "",
        "http://[",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://127.0.0.1.evil.example",
        "file://",
        "HOST",
        "http://evil@HOST",
    ],
)
async def test_a_form_sent_from_another_site_is_refused(daemon: RunningDaemon, origin: str) -> None:
    origin = origin.replace("HOST", f"127.0.0.1:{daemon.port}")
    async with daemon.browser("claire") as browser:
        response = await browser.post("/logout", headers={"Origin": origin})

        assert response.status == 403
        assert (await browser.get("/"))[0] == 200


async def test_the_token_of_another_session_is_refused(daemon: RunningDaemon) -> None:
    async with daemon.browser("marc") as his, daemon.browser("claire") as hers:
        response = await hers.post("/logout", {"csrf": await his.token()})

        assert response.status == 403


async def test_the_token_of_before_log_in_is_worth_nothing_after_it(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser() as browser:
        token = await browser.token()
        await browser.log_in("claire")
        response = await browser.post("/logout", {"csrf": token})

        assert response.status == 403


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"\xff\xfe=\xff&csrf=\xff"),
        ("application/x-www-form-urlencoded; charset=bogus", b"csrf=x"),
        ("application/x-www-form-urlencoded; charset=utf-16", b"csrf=x"),
        ("application/x-www-form-urlencoded", b"&" * 200_000),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=a", b"x"),
        ("multipart/form-data; boundary=a", b"--a\r\n\r\n"),
        ("multipart/form-data; boundary=a", b"--a\r\nbad"),
        ("multipart/form-data; boundary=a", b'--a\r\nContent-Disposition: x"\r\n\r\nx\r\n--a--'),
        (
            "multipart/form-data; boundary=a",
            b'--a\r\nContent-Disposition: form-data; name="csrf"; filename="a"\r\n\r\nx\r\n--a--',
        ),
        ("multipart/form-data; boundary=" + "a" * 100, b"x"),
        (
            "multipart/form-data; boundary=a",
            (
                b"--a\r\nContent-Disposition: form-data; name=csrf\r\n"
                b"Content-Transfer-Encoding: bogus\r\n\r\nx\r\n--a--"
            ),
        ),
        ("application/json", b"{}"),
        ("", b""),
    ],
)
async def test_a_broken_body_is_refused_and_never_a_fault_of_ours(
    daemon: RunningDaemon, kind: str, body: bytes
) -> None:
    async with daemon.browser() as browser:
        headers = {"Content-Type": kind} if kind else {}
        async with browser.session.post("/login", data=body, headers=headers) as response:
            assert response.status in (400, 403, 413)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_body_too_large_is_refused(daemon: RunningDaemon, kind: str) -> None:
    large = b"login=" + b"x" * BODY_MAX_BYTES
    if kind.startswith("multipart"):
        kind += "; boundary=a"
        large = b"--a\r\nContent-Disposition: form-data; name=login\r\n\r\n" + large + b"\r\n--a--"
    async with (
        daemon.browser() as browser,
        browser.session.post("/login", data=large, headers={"Content-Type": kind}) as response,
    ):
        assert response.status == 413
        assert (await browser.get("/healthz"))[0] == 200


# --- log-in ------------------------------------------------------------------------------------


async def test_the_session_has_another_id_after_log_in_and_the_old_one_is_dead(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, daemon.browser() as thief:
        old = browser.cookies["couachgpt"]
        await browser.log_in("claire")
        new = browser.cookies["couachgpt"]

        assert new != old
        status, _ = await thief.get("/", headers={"Cookie": f"couachgpt={old}"})
        assert status == 303
        status, _ = await thief.get("/", headers={"Cookie": f"couachgpt={new}"})
        assert status == 200


async def test_a_session_id_brought_along_is_not_taken_over(daemon: RunningDaemon) -> None:
    async with daemon.browser() as browser:
        browser.session.cookie_jar.update_cookies(
            {"couachgpt": "chosen-by-an-attacker"}, URL(daemon.address)
        )
        await browser.log_in("claire")

        assert browser.cookies["couachgpt"] != "chosen-by-an-attacker"


async def test_after_log_out_the_cookie_is_worth_nothing(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser:
        cookie = browser.cookies["couachgpt"]
        response = await browser.post("/logout")

        assert response.headers["Location"] == "/login?notice=signed_out"
        status, _ = await browser.get("/", headers={"Cookie": f"couachgpt={cookie}"})
        assert status == 303


async def test_the_cookie_is_for_the_server_only_and_for_our_own_site(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser() as browser:
        response = await browser.post("/login", FORM)

        (cookie,) = response.headers.getall("Set-Cookie")
        flags = {part.strip().lower() for part in cookie.split(";")}
        assert {"httponly", "samesite=lax", "path=/"} <= flags
        assert "secure" not in flags
        assert not any(flag.startswith("domain") for flag in flags)


async def test_a_wrong_password_and_an_unknown_login_look_the_same(daemon: RunningDaemon) -> None:
    async with daemon.browser() as browser:
        pages = []
        for login in ("claire", "inconnue"):
            answer = await browser.post("/login", {"login": login, "password": "faux"})
            text = await answer.text()
            text = re.sub(r"[0-9a-f]{64}|[0-9a-f]{12}", "", text).replace(login, "")
            pages.append((answer.status, text))

        assert pages[0] == pages[1]
        assert pages[0][0] == 400


@pytest.mark.parametrize(
    "login", ["", " ", "\0", "a" * 10_000, "ad\u202emin", "'; --", "\u3164\u3164", "clair\u0435"]
)
async def test_an_odd_login_is_a_wrong_password(daemon: RunningDaemon, login: str) -> None:
    async with daemon.browser() as browser:
        response = await browser.post("/login", {"login": login, "password": "\0" * 20})

        assert response.status == 400


NEXT = [
    "//evil.example",
    "/\\evil.example",
    "https://evil.example",
    "/\t/evil.example",
    "javascript:alert(1)",
    "\\\\evil.example",
    "/%0d%0aSet-Cookie:a=b",
    "/\r\nSet-Cookie: a=b",
    "/..//evil.example",
    "/.//evil.example",
    "",
    "é",
    "/c/x?y=1#z",
    "/\u2028",
    "/" + "a" * 5000,
]


@pytest.mark.parametrize("path", NEXT)
async def test_where_to_go_after_log_in_is_never_another_site(
    daemon: RunningDaemon, path: str
) -> None:
    async with daemon.browser() as browser:
        for answer in (
            await browser.post("/login", {**FORM, "next": path}),
            await browser.post("/language", {"language": "en", "next": path}),
            await browser.session.get("/login", params={"next": path}, allow_redirects=False),
        ):
            assert answer.status == 303
            found = URL(daemon.address).join(URL(answer.headers["Location"]))
            assert found.authority == f"127.0.0.1:{daemon.port}"
            assert "\r" not in answer.headers["Location"]


@given(st.text())
def test_a_local_path_always_stays_here(text: str) -> None:
    path = local_path(text)

    here = URL("http://here.example/")
    assert path.startswith("/")
    assert path[1:2] not in ("/", "\\")
    assert here.join(URL(path)).host == "here.example"


# --- odd requests ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_bytes",
    [
        raw_get(b"/", b"Cookie: couachgpt=\xff\xfe; language=\xff; theme=\xff"),
        raw_get(b"/login", b"Cookie: couachgpt=\xff"),
        raw_get(b"/login", b"Cookie: =;;;=;couachgpt"),
        raw_get(b"/login", b"Accept-Language: fr;q=nan,en;q=1e999,*;q=-1,\xff;q=x"),
        raw_get(b"/login", b"Accept-Language: " + b"fr," * 2000),
        raw_get(b"/c/%ff%fe"),
        raw_get(b"/c/%00"),
        raw_get(b"/c/%ED%A0%80"),
        raw_get(b"/setup/%00%ff"),
        raw_get(b"/login?next=%ff%00&notice=%ff"),
        raw_get(b"/%2e%2e/%2e%2e/etc/passwd"),
        raw_get(b"/login", b"Origin: http://["),
        raw_get(b"/login", b"X-Forwarded-For: \xff", b"X-Forwarded-Proto: https"),
        raw_get(b"/brand/logo"),
        raw_get(b"http://evil.example/login"),
        raw_get(b"*"),
        b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: -1\r\n\r\n",
        (
            b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n"
            b"Content-Encoding: gzip\r\n\r\nxxxxx"
        ),
        (
            b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"
        ),
        b"GET / HTTP/9.9\r\n\r\n",
        b"\0" * 1000 + b"\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
)
async def test_an_odd_request_is_never_a_fault_of_ours(
    daemon: RunningDaemon, request_bytes: bytes
) -> None:
    status, answer = await raw(daemon, request_bytes)

    assert status < 500, answer
    assert b"Traceback" not in answer
    async with daemon.browser() as browser:
        assert (await browser.get("/healthz"))[0] == 200


# --- headers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 303),
        ("GET", "/login", 200),
        ("GET", "/register", 200),
        ("GET", "/setup/x", 400),
        ("GET", "/nowhere", 404),
        ("DELETE", "/login", 405),
        ("POST", "/login", 403),
        ("GET", "/ws", 303),
        ("GET", "/healthz", 200),
        ("GET", "/brand.css", 200),
        ("GET", "/brand/logo", 404),
        ("GET", "/favicon.ico", 301),
        ("GET", "/static/app/favicon.svg", 200),
        ("GET", "/static/app/absent.js", 404),
        ("GET", "/static/app/assets/absent.js", 404),
        ("GET", "/static/app/", 403),
    ],
)
async def test_every_answer_carries_the_security_headers(
    daemon: RunningDaemon, method: str, path: str, status: int
) -> None:
    async with daemon.browser() as browser:
        response = await browser.session.request(method, path, allow_redirects=False)
        response.release()

    assert response.status == status
    assert [name for name in HEADERS if name not in response.headers] == []
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    if response.content_type == "text/html":
        assert response.headers["Cache-Control"] == "no-store"
    if status >= 400:
        assert "public" not in response.headers.get("Cache-Control", "")


async def test_what_never_changes_under_its_name_is_kept_for_ever(daemon: RunningDaemon) -> None:
    async with daemon.browser() as browser:
        _, page = await browser.get("/login")
        hashed = re.findall(r"/static/app/assets/[\w.-]+", page)
        assert hashed
        async with browser.session.get(hashed[0]) as response:
            assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        async with browser.session.get("/static/app/favicon.svg") as response:
            assert response.headers["Cache-Control"] == "public, max-age=3600"
            tag = response.headers["ETag"]
        async with browser.session.get(
            "/static/app/favicon.svg", headers={"If-None-Match": tag}
        ) as response:
            assert response.status == 304


TRAVERSALS = [
    "../../../etc/passwd",
    "..%2f..%2f..%2fetc/passwd",
    "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "..%5c..%5cetc%5cpasswd",
    "/etc/passwd",
    "%00/etc/passwd",
    "assets/../../package.json",
    "..%252f..%252fetc/passwd",
    "%c0%ae%c0%ae/etc/passwd",
]


@pytest.mark.parametrize("path", TRAVERSALS)
async def test_no_path_leads_out_of_the_static_folder(daemon: RunningDaemon, path: str) -> None:
    status, answer = await raw(daemon, raw_get(b"/static/app/" + path.encode()))

    assert status in (400, 403, 404)
    assert b"root:" not in answer
    assert b"devDependencies" not in answer


async def test_a_path_is_shown_as_text(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser:
        for path in ("/c/<script>alert(1)</script>", '/login?next=/"><script>alert(1)</script>'):
            _, page = await browser.get(path)
            assert "<script>alert" not in page


async def test_a_browser_that_says_nothing_holds_nobody_up(daemon: RunningDaemon) -> None:
    idle = [socket.create_connection(("127.0.0.1", daemon.port)) for _ in range(100)]
    for each in idle:
        each.sendall(b"GET / HTT")
    async with daemon.browser() as browser:
        status, _ = await asyncio.wait_for(browser.get("/healthz"), 5)
    for each in idle:
        each.close()

    assert status == 200


# --- accounts over the web ---------------------------------------------------------------------


async def register(browser: Browser, **changes: Any) -> tuple[int, str, str]:
    form = {
        "login": "nouveau",
        "name": "Nouveau",
        "password": PASSWORD,
        "password_again": PASSWORD,
        **changes,
    }
    response = await browser.post("/register", form)
    return response.status, await response.text(), response.headers.get("Location", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"login": "claire"},
        {"login": "CLAIRE "},
        {"login": "a"},
        {"login": "a/b"},
        {"password": "court", "password_again": "court"},
        {"password_again": "autre chose encore"},
        {"password": "x" * 1025, "password_again": "x" * 1025},
        {"role": "admin", "state": "active", "login": ".."},
    ],
)
async def test_a_form_with_a_mistake_comes_back_with_what_was_written_but_the_passwords(
    daemon: RunningDaemon, changes: dict[str, str]
) -> None:
    async with daemon.browser() as browser:
        status, page, _ = await register(browser, **changes)

        assert status == 400
        assert 'value="Nouveau"' in page
        assert PASSWORD not in page


async def test_who_registers_waits_and_grants_themselves_nothing(daemon: RunningDaemon) -> None:
    async with daemon.browser() as browser:
        status, _, location = await register(
            browser, login="rusee", role="admin", state="active", id="1"
        )

    assert (status, location) == (303, "/login?notice=registered_pending")
    _, answer = daemon.control("GET", "/v1/users")
    (user,) = [each for each in answer["users"] if each["login"] == "rusee"]
    assert (user["role"], user["state"]) == ("member", "pending")


async def test_a_name_keeps_nothing_that_a_terminal_would_obey(daemon: RunningDaemon) -> None:
    async with daemon.browser() as browser:
        await register(browser, login="terminal", name="\x1b[31mRouge\x07 \u202eegnar\n\u2066x")

    _, answer = daemon.control("GET", "/v1/users")
    (user,) = [each for each in answer["users"] if each["login"] == "terminal"]
    assert user["name"] == "[31mRouge egnar x"


async def test_a_used_or_made_up_setup_link_opens_nothing(daemon: RunningDaemon) -> None:
    async with daemon.browser() as browser:
        assert (await browser.get("/setup/made-up"))[0] == 400
        answer = await browser.post("/setup/made-up", {**FORM, "password_again": PASSWORD})

        assert answer.status == 400
        assert (await browser.get("/"))[0] == 303


async def test_the_language_is_kept_by_the_browser_and_by_the_account(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("marc") as browser:
        await browser.post("/language", {"language": "en"})
        assert 'lang="en"' in (await browser.get("/"))[1]
    async with daemon.browser("marc") as browser:
        assert 'lang="en"' in (await browser.get("/"))[1]
        assert (await browser.post("/language", {"language": "xx"})).status == 404
