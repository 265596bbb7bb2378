"""The page as an app: it can be installed, says so when the server is away, and is never stale."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import NO_OLLAMA, OpenPage
from tests.running_daemon import RunningDaemon


@pytest.fixture
def lonely(tmp_path: Path) -> Iterator[RunningDaemon]:
    """A daemon without an engine, which a test takes away."""
    daemon = RunningDaemon(tmp_path, NO_OLLAMA, "server.drain_seconds=0").start()
    yield daemon
    daemon.stop()


def until_kept(page: Page) -> None:
    page.evaluate("navigator.serviceWorker.ready")
    # An expression would be evaluated by the page from the second look on: our policy forbids it.
    page.evaluate(
        "async () => { while (navigator.serviceWorker.controller === null)"
        " await new Promise(requestAnimationFrame); }"
    )


def test_without_a_server_the_page_says_so_and_comes_back_by_itself(
    open_page: OpenPage, lonely: RunningDaemon
) -> None:
    page = open_page(f"{lonely.address}/login", locale="fr-FR", service_workers="allow")
    until_kept(page)
    lonely.stop()

    page.reload()
    expect(page.get_by_role("heading", name="Le serveur est injoignable")).to_be_visible()
    # Its style came along: the font is ours, not the browser's.
    assert "ui-sans-serif" in page.evaluate("getComputedStyle(document.body).fontFamily")
    lonely.start()

    expect(page.get_by_role("button", name="Se connecter")).to_be_visible()


def test_nothing_of_the_app_is_kept_that_an_upgrade_could_make_stale(
    open_page: OpenPage, lonely: RunningDaemon
) -> None:
    page = open_page(f"{lonely.address}/login", service_workers="allow")
    until_kept(page)
    kept = page.evaluate(
        "(async () => { const found = [];"
        " for (const name of await caches.keys())"
        "  for (const { url } of await (await caches.open(name)).keys())"
        "   found.push(new URL(url).pathname);"
        " return found })()"
    )

    assert sorted(path for path in kept if not path.startswith("/static/app/assets/")) == [
        "/brand.css",
        "/offline",
    ]
    assert not any("chat" in path for path in kept)


def test_a_browser_can_install_it(open_page: OpenPage, lonely: RunningDaemon) -> None:
    page = open_page(f"{lonely.address}/login", service_workers="allow")
    devtools = page.context.new_cdp_session(page)
    until_kept(page)

    faults = devtools.send("Page.getInstallabilityErrors")["installabilityErrors"]
    # A test's window is always a private one: nothing else may stand in the way.
    assert {fault["errorId"] for fault in faults} <= {"in-incognito"}
    told = devtools.send("Page.getAppManifest")
    assert told["errors"] == []
