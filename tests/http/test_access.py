"""Who may do what over the web: made from the tables of routes and verbs, so nothing escapes."""

import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from couachgptd.core.access import TABLE, Audience, UnknownVerb
from couachgptd.http.app import create_app
from couachgptd.http.routes import add, require_all_guarded
from couachgptd.http.socket import _VERBS
from couachgptd.sandbox.walls import FirstThatIsThere
from couachgptd.services.accounts import AccountService
from couachgptd.services.chat import ChatService
from couachgptd.services.choosing import ChoosingService
from couachgptd.services.conversations import ConversationService
from couachgptd.services.exports import ExportService
from couachgptd.services.folders import FolderService
from couachgptd.services.imports import ImportService
from couachgptd.services.links import LinkService
from couachgptd.services.logo import Logo
from couachgptd.services.models import ModelService
from couachgptd.services.presets import PresetService
from couachgptd.services.profile import ProfileService
from couachgptd.services.ratings import RatingService
from couachgptd.services.saved_prompts import SavedPromptService
from couachgptd.services.search import SearchService
from couachgptd.services.shares import ShareService
from couachgptd.services.site import Site
from couachgptd.services.topics import Topics
from couachgptd.settings import Brand, Server
from tests.running_daemon import RunningDaemon

PEOPLE = ("nobody", "pending", "lea", "claire", "ada")
ROLES = {"lea": "reader", "claire": "member", "ada": "admin"}
ALLOWED = {
    Audience.READER: {"lea", "claire", "ada"},
    Audience.MEMBER: {"claire", "ada"},
    Audience.ADMIN: {"ada"},
}
Json = dict[str, Any]


def application() -> web.Application:
    """Return the application as far as its routes go; its services are never called."""
    nothing: Any = None
    accounts = AccountService(
        nothing,
        nothing,
        registration="approval",
        min_length=10,
        session_days=1,
        attempts=1,
        window_seconds=1,
    )
    models = ModelService(nothing, "", nothing)
    return create_app(
        accounts=accounts,
        attachments=nothing,
        links=LinkService(nothing, nothing, accounts),
        chat=ChatService(nothing, Topics(), nothing, models, nothing),
        choosing=ChoosingService(nothing, Topics(), nothing, models, nothing, dict),
        conversations=ConversationService(nothing, Topics(), nothing, bin_days=lambda: 30),
        exports=ExportService(nothing, nothing),
        imports=ImportService(nothing, nothing, nothing),
        folders=FolderService(nothing, Topics()),
        models=models,
        presets=PresetService(nothing, Topics(), nothing),
        ratings=RatingService(nothing, Topics()),
        saved_prompts=SavedPromptService(nothing),
        profile=ProfileService(nothing, nothing, accounts),
        search=SearchService(nothing),
        shares=ShareService(nothing, Topics()),
        topics=Topics(),
        control=nothing,
        server=Server(),
        brand=Brand,
        site=Site(nothing, {}, lambda _name, value: value),
        logo=Logo(nothing, FirstThatIsThere()),
        answer_tokens=1,
        csrf_secret=b"x",
        spool=Path(),
    )


ROUTES = sorted(
    {
        (route.method, route.resource.canonical)
        for route in application().router.routes()
        if route.resource is not None and not isinstance(route.resource, web.StaticResource)
    }
)
# Pages and forms that need no account; every other route must turn strangers away.
OPEN = {
    ("GET", "/login"),
    ("POST", "/login"),
    ("GET", "/register"),
    ("POST", "/register"),
    ("GET", "/setup/{token}"),
    ("POST", "/setup/{token}"),
    ("GET", "/password/{token}"),
    ("POST", "/password/{token}"),
    ("GET", "/register/{token}"),
    ("POST", "/register/{token}"),
    ("POST", "/language"),
    ("GET", "/healthz"),
    ("GET", "/brand.css"),
    ("GET", "/brand/logo"),
    ("GET", "/favicon.ico"),
    ("GET", "/manifest.webmanifest"),
    ("GET", "/service-worker.js"),
    ("GET", "/offline"),
}


def filled(path: str) -> str:
    return re.sub(r"\{\w+\}", "AAAAAAAAAAAAAAAA", path)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_stranger_gets_no_further_than_the_open_pages(
    daemon: RunningDaemon, method: str, path: str
) -> None:
    async with (
        daemon.browser() as browser,
        browser.session.request(method, filled(path), allow_redirects=False) as response,
    ):
        assert response.status < 500
        if ("GET" if method == "HEAD" else method, path) not in OPEN:
            assert response.status in (303, 403), await response.text()
            if response.status == 303:
                assert response.headers["Location"].startswith("/login?next=")


@pytest.mark.parametrize("login", ["lea", "claire", "ada"])
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_no_route_fails_whoever_asks_and_whatever_it_names(
    daemon: RunningDaemon, method: str, path: str, login: str
) -> None:
    async with daemon.browser(login) as browser:
        if method == "POST":
            response = await browser.post(filled(path))
        else:
            response = await browser.session.request(method, filled(path), allow_redirects=False)
            response.release()

    assert response.status < 500
    if "{conversation}" in path:
        assert response.status == 404


async def test_a_pending_person_has_no_session_and_no_socket(daemon: RunningDaemon) -> None:
    form = {
        "login": "pierre",
        "name": "Pierre",
        "password": "un long mot de passe",
        "password_again": "un long mot de passe",
    }
    async with daemon.browser() as browser:
        answer = await browser.post("/register", form)
        assert answer.headers["Location"] == "/login?notice=registered_pending"
        assert "couachgpt" not in browser.cookies
        refused = await browser.post("/login", form)
        assert refused.status == 400
        assert "couachgpt" not in browser.cookies
        tab = await browser.open()
        assert await tab.closed() == 4401


async def foreign(daemon: RunningDaemon) -> Json:
    """Make a conversation of marc's and return its ids, and that of a folder of his."""
    async with daemon.browser("marc") as browser, browser.ws() as tab:
        asked = await tab.ask("[[tokens=2]] à moi")
        turn = await tab.ended(asked["answer"])
        made = await tab.request("folder.add", name="à moi")
        folder = made.get("folder") or tab.hello["folders"][0]["id"]
        added = await tab.request("share.add", conversation=asked["conversation"], login="pia")
        share = added["share"]["id"]
        return {**asked, "turn": turn["id"], "folder": folder, "share": share}


REQUESTS: dict[str, Json] = {
    "conversation.list": {},
    "conversation.watch": {"conversation": "conversation"},
    "conversation.unwatch": {"conversation": "conversation"},
    "conversation.search": {"text": "à moi"},
    "chat.ask": {"conversation": "conversation", "text": "x", "client_id": "matrix"},
    "chat.stop": {"turn": "turn"},
    "chat.regenerate": {"message": "answer"},
    "chat.continue": {"message": "answer"},
    "chat.rate": {"message": "answer", "value": 1},
    "conversation.choices": {"conversation": "conversation"},
    "conversation.choose": {"conversation": "conversation", "choices": None},
    "chat.preview": {"conversation": "conversation"},
    # Uploads take a while: those of somebody else are in test_attachments.py.
    "attachment.show": {"attachment": "nobody's"},
    "attachment.cost": {"attachments": ("nobody's",), "text": "x"},
    "attachment.part": {"attachment": "nobody's", "part": None},
    "attachment.remove": {"attachment": "nobody's"},
    "model.list": {},
    "model.facts": {},
    "admin.watch": {},
    "conversation.archived": {},
    "conversation.bin": {},
    "conversation.rename": {"conversation": "conversation", "title": "title"},
    "conversation.pin": {"conversation": "conversation", "is_on": True},
    "conversation.archive": {"conversation": "conversation", "is_on": True},
    "conversation.delete": {"conversation": "conversation"},
    "conversation.restore": {"conversation": "conversation"},
    "conversation.purge": {"conversation": "conversation"},
    "conversation.empty_bin": {"until": "2026-11-23T09:00:00.000Z"},
    "conversation.move": {"conversation": "conversation", "folder": None},
    "folder.add": {"name": "x"},
    "folder.rename": {"folder": "folder", "name": "y"},
    "folder.remove": {"folder": "folder"},
    "folder.restore": {"folder": "folder"},
    "share.show": {"conversation": "conversation"},
    "share.people": {"text": ""},
    "share.add": {"conversation": "conversation", "login": "ada"},
    "share.renew": {"conversation": "conversation"},
    "share.remove": {"conversation": "conversation"},
    "share.list": {},
    "share.open": {"share": "share"},
    "share.fork": {"share": "share"},
}
NAMES_NOTHING = {
    "conversation.unwatch",
    "conversation.search",
    "conversation.empty_bin",
    "folder.add",
    "share.people",
}


def test_the_matrix_knows_every_verb_of_the_socket() -> None:
    assert set(REQUESTS) == set(_VERBS)


@pytest.mark.parametrize("login", ROLES)
@pytest.mark.parametrize("verb", REQUESTS)
async def test_a_verb_is_for_its_audience_and_never_reaches_what_is_somebody_elses(
    daemon: RunningDaemon, verb: str, login: str
) -> None:
    ids = await foreign(daemon)
    fields = {name: ids.get(value, value) for name, value in REQUESTS[verb].items()}
    async with daemon.browser(login) as browser, browser.ws() as tab:
        answer = await tab.request(verb, **fields)

        if login not in ALLOWED[TABLE[verb]]:
            assert answer["code"] == "not_allowed"
        elif fields and verb not in NAMES_NOTHING:
            assert answer["code"] == "not_found"
        else:
            assert answer["type"] == "ok"
        await tab.request("model.list")
        assert not [found for found in tab.messages if "n" in found]
        assert ids["conversation"] not in str(answer)


@pytest.mark.parametrize("field", ["conversation", "parent", "edits"])
async def test_a_foreign_id_in_a_question_is_not_found_and_nothing_is_kept(
    daemon: RunningDaemon, field: str
) -> None:
    ids = await foreign(daemon)
    fields: Json = {"conversation": None, "parent": None, "text": "x", "client_id": "nested"}
    names = {"conversation": "conversation", "parent": "answer", "edits": "question"}
    fields[field] = ids[names[field]]
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        before = await tab.request("conversation.list")
        answer = await tab.request("chat.ask", **fields)
        after = await tab.request("conversation.list")

        assert answer["code"] == "not_found"
        assert before["conversations"] == after["conversations"]


async def test_another_persons_conversation_is_as_missing_as_one_that_never_was(
    daemon: RunningDaemon,
) -> None:
    ids = await foreign(daemon)
    async with daemon.browser("claire") as browser:
        theirs = await browser.get(f"/c/{ids['conversation']}")
        none = await browser.get("/c/AAAAAAAAAAAAAAAA")

        def same(page: str) -> str:
            page = page.replace(ids["conversation"], "AAAAAAAAAAAAAAAA")
            return re.sub(r"\b[0-9a-f]{12}\b", "", page)

        assert theirs[0] == none[0] == 404
        assert same(theirs[1]) == same(none[1])


async def test_ones_own_conversation_has_a_page(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser:
        async with browser.ws() as tab:
            asked = await tab.ask("[[tokens=2]] Bonjour")
            await tab.ended(asked["answer"])
        status, page = await browser.get(f"/c/{asked['conversation']}")

    assert status == 200
    assert asked["conversation"] in page


# --- at the start ------------------------------------------------------------------------------


async def nothing(_request: web.Request) -> web.Response:
    return web.Response()


def test_a_route_whose_verb_is_not_in_the_table_fails_at_the_start() -> None:
    with pytest.raises(UnknownVerb):
        add(web.Application(), "GET", "/x", "page.secret", nothing)


def test_a_route_added_past_the_table_fails_at_the_start() -> None:
    app = web.Application()
    app.router.add_get("/x", nothing)

    with pytest.raises(UnknownVerb):
        require_all_guarded(app)


def test_a_route_of_a_part_added_past_the_table_fails_at_the_start() -> None:
    app, part = web.Application(), web.Application()
    part.router.add_get("/x", nothing)
    app.add_subapp("/admin", part)

    with pytest.raises(UnknownVerb):
        require_all_guarded(app)


# --- what is told ------------------------------------------------------------------------------

SECRETS = re.compile(r"argon2|password_hash|csrf_secret|sqlite|Traceback", re.IGNORECASE)


@pytest.mark.parametrize(
    "path", sorted({filled(path) for method, path in ROUTES if method == "GET"})
)
async def test_no_page_shows_a_secret_to_anybody(daemon: RunningDaemon, path: str) -> None:
    for login in (None, "claire"):
        async with daemon.browser(login) as browser:
            async with browser.session.get(path, allow_redirects=False) as response:
                told = unpacked(await response.read())

            assert not SECRETS.search(told.decode(errors="replace"))


def unpacked(body: bytes) -> bytes:
    if not body.startswith(b"PK"):
        return body
    with zipfile.ZipFile(BytesIO(body)) as archive:
        return b"".join(archive.read(name) for name in archive.namelist())


async def test_nothing_on_the_socket_is_a_secret(daemon: RunningDaemon) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[tokens=2]] Bonjour")
        await tab.ended(asked["answer"])
        cookie = browser.cookies["couachgpt"]

        told = str([tab.hello, *tab.messages])
        assert not SECRETS.search(told)
        assert cookie not in told
        assert daemon.settings[4].split("=")[1] not in told  # the engine's address


async def test_the_log_holds_neither_questions_nor_passwords_nor_cookies(
    daemon: RunningDaemon,
) -> None:
    async with daemon.browser("claire") as browser, browser.ws() as tab:
        asked = await tab.ask("[[tokens=2]] un-secret-de-claire")
        await tab.ended(asked["answer"])
        await tab.request("chat.ask", text="un-secret-de-claire", conversation=17, client_id="a")
        cookie = browser.cookies["couachgpt"]
        await browser.post("/login", {"login": "claire", "password": "un-secret-de-claire"})

    assert "un-secret-de-claire" not in daemon.log
    assert cookie not in daemon.log
    assert "un long mot de passe" not in daemon.log
