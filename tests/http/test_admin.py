"""The admin page over the web: who gets in, what is asked of the control socket, and for whom."""

import asyncio
import contextlib
import json
import re
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import aiohttp
import pytest

from couachgptd.core.access import DANGEROUS, DRY_RUNS, FILES, STREAMS, TABLE
from couachgptd.http.admin import PAGES
from couachgptd.http.overview import EVERY_SECONDS
from tests.conftest import FakeOllama
from tests.daemon_fixtures import MakeDaemon
from tests.running_daemon import PASSWORD, ROOT, Browser, RunningDaemon

Json = dict[str, Any]
ADDRESSES = ["/admin", "/admin/", *(f"/admin/{page}" for page in PAGES if page != "overview")]
POSTS = [
    "/admin/confirm",
    "/admin/call/control.user.list",
    "/admin/stream/control.ask",
    "/admin/file/control.audit.csv",
]


async def call(
    browser: Browser, verb: str, body: Json | None = None, kind: str = "call", **names: object
) -> tuple[int, Json]:
    """Ask for a verb as the page does."""
    form = {"names": json.dumps(names)}
    if body is not None:
        form["body"] = json.dumps(body)
    response = await browser.post(
        f"/admin/{kind}/{verb}", form, headers={"Accept": "application/json"}
    )
    answer: Json = await response.json()
    return response.status, answer


async def confirm(browser: Browser, password: str = PASSWORD) -> aiohttp.ClientResponse:
    return await browser.post(
        "/admin/confirm", {"password": password}, headers={"Accept": "application/json"}
    )


def props(page: str) -> Json:
    found = re.search(r'<script type="application/json" id="props">(.*?)</script>', page)
    assert found
    value: Json = json.loads(found[1])
    return value


def audited(daemon: RunningDaemon) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(daemon.data / "couachgpt.db")) as opened:
        return opened.execute("SELECT actor, verb FROM audit ORDER BY id").fetchall()


# --- who gets in -------------------------------------------------------------------------------


@pytest.mark.parametrize("login", ["claire", "lea"])
@pytest.mark.parametrize("path", ADDRESSES)
async def test_no_page_is_for_somebody_else(daemon: RunningDaemon, path: str, login: str) -> None:
    async with daemon.browser(login) as browser:
        status, page = await browser.get(path)

    assert status == 403
    assert 'id="props"' not in page


@pytest.mark.parametrize("path", ADDRESSES)
async def test_a_stranger_is_sent_to_log_in_and_comes_back(
    daemon: RunningDaemon, path: str
) -> None:
    async with (
        daemon.browser() as browser,
        browser.session.get(path, allow_redirects=False) as response,
    ):
        assert response.status == 303
        assert response.headers["Location"].startswith("/login?next=/admin")


@pytest.mark.parametrize("login", [None, "claire", "lea"])
@pytest.mark.parametrize("path", POSTS)
async def test_no_action_is_for_somebody_else(
    daemon: RunningDaemon, path: str, login: str | None
) -> None:
    async with daemon.browser(login) as browser:
        response = await browser.post(path, headers={"Accept": "application/json"})

    assert response.status == 403
    assert (await response.json())["error"]["code"] == "not_allowed"


@pytest.mark.parametrize("path", POSTS)
async def test_an_action_without_the_forms_token_is_refused(
    daemon: RunningDaemon, path: str
) -> None:
    async with daemon.browser("ada") as browser:
        for form, origin in (
            ({"csrf": "0" * 64}, daemon.address),
            ({"csrf": await browser.token()}, "http://elsewhere.test"),
        ):
            headers = {"Origin": origin, "Accept": "application/json"}
            async with browser.session.post(path, data=form, headers=headers) as response:
                assert response.status == 403
                assert (await response.json())["error"]["code"] == "form_expired"


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_begins_with_what_its_verbs_answer(daemon: RunningDaemon, page: str) -> None:
    async with daemon.browser("ada") as browser:
        status, text = await browser.get(f"/admin/{'' if page == 'overview' else page}")

    assert status == 200
    told = props(text)
    assert told["page"] == page
    assert set(told["data"]) == set(PAGES[page])
    assert not [verb for verb, answer in told["data"].items() if "error" in answer]
    assert 'aria-current="page"' in text


async def test_a_page_comes_though_the_engine_is_down(make_daemon: MakeDaemon) -> None:
    daemon = make_daemon(url="http://127.0.0.1:9").start()
    daemon.add_user("ada", "admin")
    async with daemon.browser("ada") as browser:
        _, text = await browser.get("/admin/engine")

    data = props(text)["data"]
    assert data["control.model.list"]["error"]["code"] == "engine_unavailable"
    assert data["control.status"]["engine"]["is_up"] is False


async def test_the_chat_offers_the_page_to_administrators_and_loads_nothing_of_it(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("ada") as browser:
        _, page = await browser.get("/")

    linked = re.findall(r'(?:href|src)="(/static/app/assets/[^"]+)"', page)
    names = {re.sub(r"-[\w-]{8}\.", ".", each.rsplit("/", 1)[1]) for each in linked}
    assert names == {"base.css", "base.js", "chat.css", "chat.js", "shared.js", "theme.js"}


# --- what is asked -----------------------------------------------------------------------------


async def test_a_verb_is_answered_as_on_the_control_socket(daemon: RunningDaemon) -> None:
    async with daemon.browser("ada") as browser:
        found = await call(browser, "control.engine.incidents", limit=5)

    assert found == daemon.control("GET", "/v1/engine/incidents?limit=5")


async def test_what_is_done_is_audited_with_the_name_of_who_did_it(
    site: RunningDaemon, chief: str, someone: str
) -> None:
    async with site.browser(chief) as browser:
        await confirm(browser)
        status, answer = await call(
            browser, "control.user.state", {"state": "suspended"}, login=someone
        )

    assert (status, answer["user"]["state"]) == (200, "suspended")
    actor, verb = audited(site)[-1]
    assert verb == "user.state"
    assert actor.split()[0] == chief


async def test_a_name_may_be_called_as_an_argument_of_ours(daemon: RunningDaemon) -> None:
    async with daemon.browser("ada") as browser:
        names: Json = {"verb": "user.add", "text": "claire", "on_behalf": 2, "self": 1, "body": 1}
        response = await browser.post("/admin/call/control.audit", {"names": json.dumps(names)})

    assert [entry["verb"] for entry in (await response.json())["entries"]] == ["user.add"]


async def test_what_a_verb_refuses_comes_with_its_code(daemon: RunningDaemon) -> None:
    async with daemon.browser("ada") as browser:
        status, answer = await call(browser, "control.user.approve", login="personne")

    assert (status, answer["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("verb", ["control.none", "chat.ask", "page.admin", "control.%2e%2e"])
async def test_only_the_operators_verbs_can_be_asked_for(daemon: RunningDaemon, verb: str) -> None:
    async with daemon.browser("ada") as browser:
        status, answer = await call(browser, verb)

    assert (status, answer["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("field", ["names", "body"])
@pytest.mark.parametrize("text", ["{", "[]", "1", '"x"'])
async def test_a_field_of_another_form_is_refused(
    daemon: RunningDaemon, field: str, text: str
) -> None:
    async with daemon.browser("ada") as browser:
        response = await browser.post(
            "/admin/call/control.status", {field: text}, headers={"Accept": "application/json"}
        )

    assert response.status == 400
    assert (await response.json())["error"]["code"] == "bad_request"


async def test_a_name_cannot_leave_its_place_in_the_path(daemon: RunningDaemon) -> None:
    async with daemon.browser("ada") as browser:
        status, answer = await call(browser, "control.user.approve", login="../../setup-link?x=")

    assert (status, answer["error"]["code"]) == (400, "login_invalid")


async def test_a_verb_that_streams_comes_line_by_line(daemon: RunningDaemon) -> None:
    async with daemon.browser("ada") as browser:
        response = await browser.post(
            "/admin/stream/control.ask", {"body": json.dumps({"text": "[[tokens=3]] Bonjour"})}
        )
        events = [json.loads(line) for line in (await response.text()).splitlines()]

    assert response.content_type == "application/x-ndjson"
    assert events[-1]["turn"]["state"] == "done"
    assert any(event["type"] == "text" for event in events)


async def test_a_stream_that_is_refused_has_a_status(daemon: RunningDaemon) -> None:
    async with daemon.browser("ada") as browser:
        found = await call(browser, "control.ask", {"text": " "}, kind="stream")

    assert (found[0], found[1]["error"]["code"]) == (400, "message_empty")


async def test_a_file_comes_whole_and_under_its_name(site: RunningDaemon, chief: str) -> None:
    _, made = site.control("POST", "/v1/db/backups")
    name = made["backup"]["name"]
    async with site.browser(chief) as browser:
        form = {"names": json.dumps({"backup": name})}
        path = "/admin/file/control.db.backup.download"
        refused = await browser.post(path, form)
        await confirm(browser)
        file = await browser.post(path, form)
        missing = await browser.post(path, {"names": json.dumps({"backup": "../couachgpt.db"})})

        assert refused.status == 403
        assert file.headers["Content-Disposition"] == f'attachment; filename="{name}"'
        assert await file.read() == (site.data / "backups" / name).read_bytes()
        assert missing.status == 404
    assert (chief, "db.backup.download") in [
        (actor.split()[0], verb) for actor, verb in audited(site)
    ]


async def test_the_audit_comes_as_a_file(site: RunningDaemon, chief: str) -> None:
    async with site.browser(chief) as browser:
        form = {"names": json.dumps({"verb": "user.add", "text": chief})}
        file = await browser.post("/admin/file/control.audit.csv", form)
        lines = (await file.text()).splitlines()

    assert 'filename="audit.csv"' in file.headers["Content-Disposition"]
    assert lines[0] == '\ufeff"id","at","actor","verb","detail"'
    assert len(lines) == 2


# --- the role is looked up at each action -------------------------------------------------------


@contextlib.asynccontextmanager
async def silent_stream(browser: Browser) -> AsyncIterator[aiohttp.ClientResponse]:
    """Open a stream that has no more to tell: an engine hangs at its question."""
    body = json.dumps({"text": "[[hang_before_first]] Bonjour"})
    form, headers = {"csrf": await browser.token(), "body": body}, {"Origin": browser.address}
    async with browser.session.post(
        "/admin/stream/control.ask", data=form, headers=headers
    ) as response:
        async for line in response.content:
            event = json.loads(line)
            if event["type"] == "turn" and event["turn"]["state"] == "reading":
                break
        yield response


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/users/grace/role", {"role": "member"}),
        ("/v1/users/grace/state", {"state": "suspended"}),
        ("/v1/sessions/kick", {"user": "grace"}),
    ],
    ids=["demoted", "suspended", "kicked"],
)
async def test_a_silent_stream_ends_with_the_right_to_it(
    daemon: RunningDaemon, shared_ollama: FakeOllama, path: str, body: Json
) -> None:
    daemon.add_user("grace", "admin")
    async with daemon.browser("grace") as browser, silent_stream(browser) as response:
        daemon.control("POST", path, body)
        rest = (await asyncio.wait_for(response.text(), 20)).splitlines()
    daemon.control("POST", "/v1/users/grace/remove", {})

    assert [json.loads(line)["type"] for line in rest] == ["error"]
    assert json.loads(rest[0])["error"]["code"] == "not_allowed"
    assert (await shared_ollama.state(wait_idle=20))["active"] == 0


async def test_a_silent_stream_ends_with_the_page_that_asked(
    daemon: RunningDaemon, shared_ollama: FakeOllama
) -> None:
    async with daemon.browser("ada") as browser, silent_stream(browser) as response:
        response.close()

        assert (await shared_ollama.state(wait_idle=20))["active"] == 0


async def test_another_persons_stream_goes_on(site: RunningDaemon, chief: str) -> None:
    site.add_user(f"g{chief}", "admin")
    async with site.browser(chief) as browser:
        form, headers = {"csrf": await browser.token()}, {"Origin": site.address}
        async with browser.session.post(
            "/admin/stream/control.events", data=form, headers=headers
        ) as response:
            await response.content.readline()
            site.control("POST", f"/v1/users/g{chief}/role", {"role": "member"})
            site.control("POST", "/v1/queue/pause", {"is_on": True})
            events = [json.loads(await response.content.readline())]
            while events[-1].get("queue", {"is_held": False})["is_held"] is False:
                events.append(json.loads(await response.content.readline()))
    site.control("POST", "/v1/queue/pause", {"is_on": False})

    assert "error" not in {event["type"] for event in events}


async def test_who_is_demoted_may_do_nothing_more_with_the_page_still_open(
    site: RunningDaemon,
    chief: str,
) -> None:
    site.add_user(f"g{chief}", "admin")  # the last one cannot lose the right
    async with site.browser(chief) as browser, browser.ws() as tab:
        assert (await tab.request("admin.watch"))["type"] == "ok"
        await tab.next("overview")
        token = await browser.token()
        closed = asyncio.create_task(tab.closed())
        site.control("POST", f"/v1/users/{chief}/role", {"role": "member"})
        headers = {"Origin": site.address, "Accept": "application/json"}
        for path in POSTS:
            async with browser.session.post(
                path, data={"csrf": token}, headers=headers
            ) as response:
                assert response.status == 403

        assert await closed == 4401, "its page loads anew, and shows no more of it"


async def test_who_is_suspended_is_out_at_once(site: RunningDaemon, chief: str) -> None:
    site.add_user(f"g{chief}", "admin")  # the last one cannot lose the right
    async with site.browser(chief) as browser, browser.ws() as tab:
        await tab.request("admin.watch")
        site.control("POST", f"/v1/users/{chief}/state", {"state": "suspended"})

        assert await tab.closed() == 4401
        assert (await browser.get("/admin/"))[0] == 303


# --- how things are, live ----------------------------------------------------------------------


async def test_nobody_else_may_watch(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        answer = await tab.request("admin.watch")

    assert answer["code"] == "not_allowed"


async def test_the_overview_comes_again_and_again_and_once_to_who_asked_twice(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("ada") as browser, browser.ws() as tab:
        for _ in range(2):
            assert (await tab.request("admin.watch"))["type"] == "ok"
        # The first may come before the second `ok`.
        while len(told := [each for each in tab.messages if each["type"] == "overview"]) < 2:
            await tab.receive()

    first, second = told
    assert set(first) == {"type", "status", "queue"}
    assert first["queue"]["running"] == []
    # Whoever tells rests in between: a second one would have told at the same time.
    between = second["status"]["uptime_seconds"] - first["status"]["uptime_seconds"]
    assert between >= EVERY_SECONDS - 1


# --- what the page offers ----------------------------------------------------------------------

NOT_OFFERED = {
    "control.ask": "the chat is there for that",
    "control.conversation.purge": "whoever owns it is not asked; for the command line",
    "control.dump": "for programmers, at the command line",
    "control.engine.show": "the status says what the page shows",
    "control.events": "the WebSocket tells the page",
    "control.setup-link": "whoever sees the page has an administrator",
    "control.user.passwd": "a link lets people choose; nobody else should know a password",
}


def test_the_page_offers_every_verb_of_the_command_line_but_a_few() -> None:
    sources = (ROOT / "web" / "src" / "admin").glob("*.svelte")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    offered = set(re.findall(r"'(control\.[\w.-]+)'", text)) | {"control.queue", "control.status"}
    verbs = {verb for verb in TABLE if verb.startswith("control.")}

    assert offered == verbs - set(NOT_OFFERED)
    assert verbs >= set(NOT_OFFERED)


# --- what is dangerous -------------------------------------------------------------------------


def test_what_is_dangerous_is_in_the_table() -> None:
    assert not DANGEROUS - set(TABLE)


KINDS = ("call", "stream", "file")


def kind_of(verb: str) -> str:
    return "stream" if verb in STREAMS else "file" if verb in FILES else "call"


@pytest.mark.parametrize("body", [{}, {"is_dry_run": True}], ids=["real", "dry"])
@pytest.mark.parametrize("verb", sorted(DANGEROUS))
async def test_what_is_dangerous_wants_the_password_again(
    daemon: RunningDaemon, verb: str, body: Json
) -> None:
    async with daemon.browser("ada") as browser:
        names = {"login": "nobody-of-this-name"}
        answers = {kind: await call(browser, verb, body, kind, **names) for kind in KINDS}

    right = answers.pop(kind_of(verb))[1]["error"]["code"]
    # These two only tell, and whom they are asked about is not there, or not said.
    is_spared = bool(body) and verb in DRY_RUNS
    assert right in ({"not_found", "bad_request"} if is_spared else {"password_needed"})
    assert {(status, answer["error"]["code"]) for status, answer in answers.values()} == {
        (404, "not_found")
    }


async def test_no_other_route_does_what_only_a_dry_run_was_asked_of(
    site: RunningDaemon, chief: str, someone: str
) -> None:
    body = {"is_dry_run": True}
    async with site.browser(chief) as browser:
        for kind in KINDS:
            await call(browser, "control.user.rm", body, kind, login=someone)

    assert someone in {user["login"] for user in site.control("GET", "/v1/users")[1]["users"]}


async def test_a_file_takes_no_body(daemon: RunningDaemon) -> None:
    async with daemon.browser("ada") as browser:
        status, answer = await call(browser, "control.audit.csv", {"text": "ada"}, "file")

    assert (status, answer["error"]["code"]) == (400, "bad_request")


async def test_making_an_administrator_is_dangerous_and_making_a_member_is_not(
    site: RunningDaemon,
    chief: str,
) -> None:
    body = {"login": "tom", "password": PASSWORD}
    async with site.browser(chief) as browser:
        refused = await call(browser, "control.user.add", {**body, "role": "admin"})
        made = await call(browser, "control.user.add", {**body, "role": "member"})

    assert refused[1]["error"]["code"] == "password_needed"
    assert made[1]["user"]["role"] == "member"


async def test_only_telling_what_would_go_is_harmless(
    site: RunningDaemon, chief: str, someone: str
) -> None:
    async with site.browser(chief) as browser:
        told = await call(browser, "control.user.rm", {"is_dry_run": True}, login=someone)
        refused = await call(browser, "control.user.rm", {"is_dry_run": 1}, login=someone)

    assert told == (200, {"conversations": 0, "messages": 0})
    assert refused[1]["error"]["code"] == "password_needed"


async def test_the_password_counts_for_a_while_in_this_session_alone(
    site: RunningDaemon,
    chief: str,
    someone: str,
) -> None:
    async with site.browser(chief) as browser, site.browser(chief) as other:
        assert (await confirm(browser)).status == 200
        changed = await call(browser, "control.user.role", {"role": "reader"}, login=someone)
        refused = await call(other, "control.user.role", {"role": "admin"}, login=someone)

    assert (changed[0], changed[1]["user"]["role"]) == (200, "reader")
    assert refused[1]["error"]["code"] == "password_needed"


async def test_a_wrong_password_opens_nothing_and_many_are_stopped(
    make_daemon: MakeDaemon,
) -> None:
    daemon = make_daemon("accounts.login_attempts=4").start()
    daemon.add_user("ada", "admin")
    async with daemon.browser("ada") as browser:
        codes = []
        for _ in range(5):
            answer = await confirm(browser, "pas le bon")
            codes.append((await answer.json())["error"]["code"])
        right = await confirm(browser)
        refused = await call(browser, "control.user.role", {"role": "admin"}, login="ada")

    assert codes[0] == "wrong_password"
    assert codes[-1] == "too_many_attempts"
    assert right.status == 429
    assert refused[1]["error"]["code"] == "password_needed"
