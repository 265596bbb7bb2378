"""The application in this process, where the test holds the store's hand."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from couachgptd.control.aclient import opened_client
from couachgptd.core.conversations import Conversation, Shelf
from couachgptd.core.errors import StoreFull
from couachgptd.core.ids import ConversationId, UserId
from couachgptd.http.app import create_app
from couachgptd.http.socket import SOCKETS
from couachgptd.logs import LineFormatter
from couachgptd.sandbox.walls import FirstThatIsThere
from couachgptd.services import site as services_site
from couachgptd.services.accounts import AccountService
from couachgptd.services.attached import Attached
from couachgptd.services.attachments import AttachmentService, Limits
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
from couachgptd.services.prompts import Prompts
from couachgptd.services.ratings import RatingService
from couachgptd.services.runner import TurnRunner
from couachgptd.services.saved_prompts import SavedPromptService
from couachgptd.services.search import SearchService
from couachgptd.services.shares import ShareService
from couachgptd.services.topics import Topics
from couachgptd.settings import Brand, Server
from couachgptd.storage.passwords import Argon2Passwords
from couachgptd.storage.store import SqliteStore, opened_store
from couachgptd.storage.uploads import UploadFolder
from tests.running_daemon import Socket
from tests.services.conftest import ScriptedEngine, new_person

# aiohttp-session hangs its own things on a request by plain names.
pytestmark = pytest.mark.filterwarnings("ignore::aiohttp.web_exceptions.NotAppKeyWarning")


class SlowStore(SqliteStore):
    """A real store that fails as the test says, and whose list of conversations waits for it."""

    def __init__(self, plain: SqliteStore) -> None:
        super().__init__(plain._db)
        self.list_asked = asyncio.Event()
        self.go_on = asyncio.Event()
        self.failure: Exception | None = None

    async def conversations(
        self, user_id: UserId, limit: int, shelf: Shelf = Shelf.LIST, **narrowed: Any
    ) -> list[Conversation]:
        self.list_asked.set()
        await self.go_on.wait()
        if self.failure is not None:
            raise self.failure
        return await super().conversations(user_id, limit, shelf, **narrowed)

    async def conversation(
        self, user_id: UserId, conversation_id: ConversationId
    ) -> Conversation | None:
        if self.failure is not None:
            raise self.failure
        return await super().conversation(user_id, conversation_id)


@dataclass
class Site:
    client: TestClient[Any, Any]
    store: SlowStore
    topics: Topics
    models: ModelService
    user_id: UserId
    headers: dict[str, str]

    async def open(self) -> Socket:
        return Socket(await self.client.ws_connect("/ws", headers=self.headers))


@asynccontextmanager
async def running_site(data: Path, server: Server) -> AsyncIterator[Site]:
    async with AsyncExitStack() as stack:
        store = SlowStore(await stack.enter_async_context(opened_store(data)))
        passwords = Argon2Passwords()
        stack.callback(passwords.close)
        engine = ScriptedEngine()
        topics, models = Topics(), ModelService(engine, "", store)
        runner = TurnRunner(engine, store, slots=1, per_person=5, in_all=9)
        prompts = Prompts(
            engine,
            own_system_prompt="",
            exchanges=5,
            answer_tokens=10,
            temperature=0.5,
            attached=Attached(engine, store, UploadFolder(data), 10),
        )
        accounts = AccountService(
            store,
            passwords,
            registration="approval",
            min_length=10,
            session_days=1,
            attempts=5,
            window_seconds=60,
        )
        control = await stack.enter_async_context(opened_client(data / "no.sock"))
        conversations = ConversationService(store, topics, runner, bin_days=lambda: 30)
        attachments = AttachmentService(
            store,
            UploadFolder(data),
            FirstThatIsThere(),
            models,
            prompts,
            Limits(1, 1, 1, 1, 0),
        )
        app = create_app(
            accounts=accounts,
            links=LinkService(store, passwords, accounts),
            attachments=attachments,
            chat=ChatService(store, topics, runner, models, prompts),
            choosing=ChoosingService(store, topics, engine, models, prompts, dict),
            conversations=conversations,
            exports=ExportService(store, UploadFolder(data)),
            imports=ImportService(store, conversations, attachments),
            folders=FolderService(store, topics),
            models=models,
            presets=PresetService(store, topics, prompts),
            ratings=RatingService(store, topics),
            saved_prompts=SavedPromptService(store),
            profile=ProfileService(store, passwords, accounts),
            search=SearchService(store),
            shares=ShareService(store, topics),
            topics=topics,
            control=control,
            server=server,
            brand=Brand,
            site=services_site.Site(store, {}, lambda _name, value: value),
            logo=Logo(store, FirstThatIsThere()),
            answer_tokens=10,
            csrf_secret=b"x",
            spool=data,
        )
        client = await stack.enter_async_context(TestClient(TestServer(app)))
        user = await new_person(store, "claire")
        session_id = await accounts.open_session(user.id, {"user": user.id})
        headers = {
            "Cookie": f"couachgpt={session_id}",
            "Origin": f"http://127.0.0.1:{client.port}",
        }
        yield Site(client, store, topics, models, user.id, headers)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with running_site(tmp_path / "data", Server()) as running:
        yield running


@pytest.fixture
def daemons_log() -> Iterator[io.StringIO]:
    """What is logged, in the lines that the daemon writes."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(LineFormatter())
    logging.getLogger().addHandler(handler)
    yield text
    logging.getLogger().removeHandler(handler)


async def test_hello_goes_before_what_happens_while_it_is_made(site: Site) -> None:
    tab = await site.open()
    await site.store.list_asked.wait()
    site.topics.tell(site.user_id, "conversation", {"conversation": {}})
    site.models.changed()
    site.store.go_on.set()

    found = [await tab.receive() for _ in range(3)]
    await tab.close()
    assert [each and each["type"] for each in found] == ["hello", "conversation", "engine"]


@pytest.mark.parametrize("failure", [StoreFull(path="x", reason="y"), ZeroDivisionError()])
async def test_a_hello_that_fails_closes_the_socket_and_leaves_nothing_behind(
    site: Site, failure: Exception
) -> None:
    site.store.failure = failure
    site.store.go_on.set()
    tab = await site.open()

    assert await tab.closed() == 1011
    await tab.close()
    assert site.topics.sockets == 0
    app = site.client.app
    assert app is not None
    async with asyncio.timeout(5):
        while app[SOCKETS]:  # noqa: ASYNC110 -- the server's own task
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("failure", "status"), [(ZeroDivisionError("secret"), 500), (StoreFull(path="secret"), 507)]
)
@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("fr", ["Une erreur s’est produite sur le serveur", "Numéro", "Revenir à la conversation"]),
        ("en", ["Something went wrong on the server", "Request number:", "Back to the chat"]),
    ],
)
async def test_a_fault_of_ours_is_a_page_of_ours_with_the_number_of_its_log_line(
    site: Site,
    daemons_log: io.StringIO,
    failure: Exception,
    status: int,
    language: str,
    texts: list[str],
) -> None:
    site.store.failure = failure
    headers = {"Cookie": f"{site.headers['Cookie']}; language={language}"}

    answer = await site.client.get("/c/any", headers=headers)
    page = await answer.text()

    assert (answer.status, answer.content_type) == (status, "text/html")
    assert f'<html lang="{language}"' in page
    assert [text for text in texts if text not in page] == []
    assert f">{answer.headers['X-Request-Id']}</code>" in page
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert [word for word in ("secret", "Traceback", "Error") if word in page] == []
    logged = daemons_log.getvalue().splitlines()
    (line,) = [line for line in logged if "request failed" in line]
    assert f"request={answer.headers['X-Request-Id']!r}" in line
    assert "route='/c/{conversation}'" in line


@pytest.mark.parametrize(
    ("server", "forwarded", "secure"),
    [
        (Server(), None, False),
        (Server(), "https", False),  # anybody could say so
        (Server(trusted_proxies=("127.0.0.1",)), "https", True),
        (Server(trusted_proxies=("127.0.0.1",)), "http", False),
        (Server(public_url="https://chat.example"), None, True),
    ],
)
async def test_the_cookie_is_for_tls_only_where_the_browser_speaks_it(
    tmp_path: Path, server: Server, forwarded: str | None, *, secure: bool
) -> None:
    async with running_site(tmp_path / "data", server) as site:
        headers = {"X-Forwarded-Proto": forwarded} if forwarded else {}
        answer = await site.client.post(
            "/language", data={"language": "en"}, headers=headers, allow_redirects=False
        )
        assert answer.status == 403
        page = await (await site.client.get("/login", headers=headers)).text()
        token = page.split('name="csrf" value="')[1].split('"')[0]
        answer = await site.client.post(
            "/language",
            data={"language": "en", "csrf": token},
            headers=headers,
            allow_redirects=False,
        )

        assert ("Secure" in answer.headers["Set-Cookie"]) is secure


async def test_the_public_address_is_an_origin_of_ours(tmp_path: Path) -> None:
    server = Server(public_url="https://chat.example")
    async with running_site(tmp_path / "data", server) as site:
        site.store.go_on.set()
        site.headers["Origin"] = "https://CHAT.example"
        tab = await site.open()

        assert (await tab.next("hello"))["user"]["login"] == "claire"
        await tab.close()
