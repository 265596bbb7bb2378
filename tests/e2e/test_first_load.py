"""What the chat costs before it can be used, and what happens when a later part cannot be had.

`pytest -s tests/e2e/test_first_load.py` prints the figures of docs/performance.md.
"""

import re
import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.e2e.conftest import LAN_NAME, OpenPage, watch_hosts
from tests.e2e.people import ask, log_in, wait_for_end
from tests.running_daemon import RunningDaemon

KILOBYTE = 1000
REQUESTS = 15
LAZY = {"script", "stylesheet"}  # a part may come with styles of its own
# By name of the host: browsers ask for brotli only where no proxy can look in.
BUDGETS = {"127.0.0.1": ("br", 70), LAN_NAME: ("gzip", 80)}
# When the composer came, on the clock that requests are stamped with.
NOTE_COMPOSER = """new MutationObserver((_, observer) => {
  if (document.querySelector('textarea') === null) return;
  window.composerCame = performance.timeOrigin + performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });"""
HEADING = re.compile("A part of this page is missing|Il manque une partie")


@dataclass(frozen=True, slots=True)
class Loaded:
    """One answer as it came over the wire, head and body, in bytes."""

    path: str
    encoding: str
    size: int
    is_lazy: bool


def load(page: Page, address: str) -> list[Loaded]:
    """Open an address with an empty cache; lazy is a part asked for when the composer was there.

    A WebSocket counts as a request of no bytes.
    """
    page.wait_for_load_state("networkidle")  # or what it still fetches is in the cache again
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")
    fresh = page.context.new_page()
    fresh.add_init_script(NOTE_COMPOSER)
    requests: list[Request] = []
    sockets: list[str] = []
    fresh.on("requestfinished", lambda request: requests.append(request))  # noqa: PLW0108 -- Playwright marks it
    fresh.on("websocket", lambda socket: sockets.append(socket.url))
    fresh.goto(address)
    expect(fresh.locator("textarea")).to_be_visible()
    fresh.wait_for_load_state("networkidle")
    usable = float(fresh.evaluate("window.composerCame"))
    found = [Loaded(urlsplit(url).path, "", 0, is_lazy=False) for url in sockets]
    for request in requests:
        answer = request.response()
        assert answer is not None
        sizes = request.sizes()
        found.append(
            Loaded(
                urlsplit(request.url).path,
                answer.headers.get("content-encoding", ""),
                sizes["responseHeadersSize"] + sizes["responseBodySize"],
                is_lazy=request.resource_type in LAZY and request.timing["startTime"] > usable,
            )
        )
    fresh.close()
    return found


def table(title: str, found: list[Loaded]) -> str:
    lines = []
    for is_lazy in (False, True):
        part = [each for each in found if each.is_lazy is is_lazy]
        size = sum(each.size for each in part) / KILOBYTE
        kind = "lazy" if is_lazy else "needed"
        lines.append(f"\n{title}, {kind}: {len(part)} requests, {size:.1f} kB")
        lines += [
            f"  {each.size / KILOBYTE:6.1f} kB {each.encoding or '-':5} {each.path}"
            for each in sorted(part, key=lambda each: -each.size)
        ]
    return "\n".join(lines)


@pytest.mark.parametrize("host", BUDGETS)
def test_the_first_load_of_the_chat_keeps_to_its_budget(
    daemon: RunningDaemon, open_page: OpenPage, host: str
) -> None:
    encoding, kilobytes = BUDGETS[host]
    address = f"http://{host}:{daemon.port}/"
    page = open_page(address, locale="fr-FR")  # English needs no texts
    log_in(page, "claire")
    assert page.locator("html").get_attribute("lang") == "fr"

    found = load(page, address)
    sys.stdout.write(table(f"New conversation, {encoding}", found))

    needed = [each for each in found if not each.is_lazy]
    assert {each.encoding for each in found if each.size > 2 * KILOBYTE and each.path != "/"} == {
        encoding
    }
    assert len(needed) <= REQUESTS
    assert sum(each.size for each in needed) <= kilobytes * KILOBYTE
    # Nothing came from a cache, and what is lazy did come.
    assert [each.path for each in found if each.size == 0] == ["/ws"]
    assert {"/", "/ws", "/brand.css"} <= {each.path for each in needed}
    # All of the later parts that every chat uses have come: of the others, who knows when.
    later = {each.path.split("/")[-1].split("-")[0] for each in found if each.is_lazy}
    assert later >= {
        "acts",
        "markdown",
        "troubles",
        "Organiser",
        "Writing",
        "Choosing",
        "files",
        "later.fr",
    }


def test_a_part_that_an_upgrade_took_away_is_said_and_comes_with_a_reload(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{daemon.address}/login")
    page.route(
        re.compile("/assets/(markdown|Organiser)-"),
        lambda route: route.fulfill(status=404, body="404: Not Found"),
    )
    log_in(page, "marc")

    missing = page.get_by_role("status").filter(has_text=HEADING)
    expect(missing).to_be_visible()
    ask(page, "Bonjour")
    wait_for_end(page)
    answer = page.locator("article.answer").last
    expect(answer.locator("p").first).not_to_be_empty()  # as it was written
    expect(page.locator(".markdown")).to_have_count(0)

    page.unroute_all()
    missing.get_by_role("button").click()
    expect(page.locator(".markdown").last).not_to_be_empty()
    expect(missing).to_have_count(0)
    page.get_by_role("button", name=re.compile("^(Bin|Corbeille)$")).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_request_to_another_host_does_not_go_unseen(
    chromium: Browser, daemon: RunningDaemon
) -> None:
    foreign = f"localhost:{daemon.port}"  # another name is another host
    faults: list[str] = []
    context = chromium.new_context(service_workers="block")
    watch_hosts(context, f"127.0.0.1:{daemon.port}", faults)
    page = context.new_page()
    page.goto(f"{daemon.address}/favicon.svg")
    assert faults == []
    page.goto("about:blank")  # ours allow no other host to begin with
    page.set_content(f"<img src='http://{foreign}/x.png'>")
    page.evaluate(f"() => {{ new WebSocket('ws://{foreign}/ws'); }}")
    page.wait_for_load_state("networkidle")
    context.close()

    assert faults == [
        f"foreign request: http://{foreign}/x.png",
        f"foreign request: ws://{foreign}/ws",
    ]
