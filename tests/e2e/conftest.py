"""A real browser on a real daemon with a real model."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.daemon_fixtures import daemon, shared_ollama
from tests.running_daemon import RunningDaemon

__all__ = ["chromium", "daemon", "new_site", "open_page", "shared_ollama", "site"]

CHROMIUM = "/usr/bin/chromium"
# Without these it looks up its maker's hosts at every start.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NO_OLLAMA = "http://127.0.0.1:9"  # the discard port: nobody answers
LAN_NAME = "chat.lan.test"  # not localhost: no secure context, as on a company's LAN
PICTURES = Path(__file__).parents[2] / ".cache" / "screenshots"  # of each page as a test left it
STORY_MILLISECONDS = 30_000
EXPECT_MILLISECONDS = 15_000  # room: Playwright's 5 s are few beside the tests of another worker

expect.set_options(timeout=EXPECT_MILLISECONDS)


# Not for the session: while Playwright runs, its loop runs in this thread, and no other can.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), "no chromium here: run `make packages`"
    with sync_playwright() as playwright:
        flags = [*FLAGS, f"--host-resolver-rules=MAP {LAN_NAME} 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def new_site(tmp_path: Path, starter_model: Path) -> Iterator[RunningDaemon]:
    """A daemon of this test's own, on the embedded engine, that nobody has set up yet."""
    site = RunningDaemon(
        tmp_path,
        NO_OLLAMA,
        "engine.kind=embedded",
        f"embedded.models_dir={starter_model.parent}",
        f"engine.model={starter_model.stem}",
        # SmolLM2 writes to its limit; this is some 5 to 15 s of it.
        "chat.answer_tokens=400",
        "server.drain_seconds=0",
    )
    site.start()
    yield site
    site.stop()


@pytest.fixture
def site(new_site: RunningDaemon) -> RunningDaemon:
    """The same, with an administrator `ada`."""
    new_site.add_user("ada", "admin", name="Ada Lovelace", language="en")
    return new_site


OpenPage = Callable[..., Page]


def watch_hosts(context: BrowserContext, host: str, faults: list[str]) -> None:
    """Note each request of any page of a context, its sockets too, to another host than this."""

    def note(address: str) -> None:
        target = urlsplit(address)
        if target.scheme not in {"blob", "data"} and target.netloc != host:
            faults.append(f"foreign request: {address}")

    def watch(page: Page) -> None:
        page.on("websocket", lambda socket: note(socket.url))

    context.on("request", lambda request: note(request.url))
    context.on("page", watch)


@pytest.fixture
def open_page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Open pages, each of another person; every fault a page reports fails the test.

    So does any request to another host than the site's.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(address: str, **options: Any) -> Page:
        settings: dict[str, Any] = {
            "viewport": {"width": 1280, "height": 800},
            "locale": "en-GB",
            "service_workers": "block",  # it would stand between a test and what it counts
            **options,
        }
        context = chromium.new_context(**settings)
        contexts.append(context)
        context.set_default_timeout(STORY_MILLISECONDS)
        watch_hosts(context, urlsplit(address).netloc, faults)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"script: {error}"))
        page.on(
            "console",
            lambda message: (
                faults.append(f"console: {message.text}")
                if message.type == "error" and "WebSocket" not in message.text
                else None
            ),
        )
        page.goto(address)
        return page

    yield open_page
    for number, context in enumerate(contexts):
        for page in context.pages:
            page.screenshot(path=PICTURES / f"{request.node.name[:60]}-{number}.png")
        context.close()
    # The browser's own lines: for an answer such as 404 or 400, and for a server that restarts.
    expected = ("status of 4", "status of 507", "net::ERR_CONNECTION_REFUSED")
    assert [fault for fault in faults if not any(each in fault for each in expected)] == []
