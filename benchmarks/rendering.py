"""What drawing costs a browser: an answer that streams, and a long conversation that is opened."""

import json
import re
import sqlite3
import statistics
from contextlib import closing
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, sync_playwright

from benchmarks import programs
from benchmarks.machine import load_average
from benchmarks.report import Report, Target, parser
from couachgptd.http.middlewares import CONTENT_SECURITY_POLICY
from couachgptd.http.sessions import COOKIE
from couachgptd.storage.database import FILE_NAME
from tests.fake_script import ANSWER

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
PAGE = Path(__file__).parent / "page"
DIST = programs.ROOT / "web" / "dist"
WAYS = ("tail only", "re-parse each token")
TOKEN = re.compile(r"\s*[^\s]{1,6}|\s+")  # about 4 characters, as a model's
MORE = r"""
$$
\sum_{i=1}^{n} i = \frac{n(n+1)}{2}
$$

> Une citation, avec une note[^1] et un [lien](https://exemple.test).

1. un
2. deux, avec `du code`

[^1]: La note.

"""
TOKENS, QUICK_TOKENS = 4000, 200
RATES = (100, 1000)
PATIENCE = 1.5  # times what the stream takes; then a way that is too slow is cut
LONG, HUGE, NEWEST = 500, 5000, 20
TIMES = 5
CONVERSATIONS = {LONG: "L" * 16, HUGE: "H" * 16}
FRAMES, TASK_MS, PAINT_MS = 55, 100, 300
OPEN = """(address) => new Promise((resolve) => {
  const link = document.querySelector(`a[href="${address}"]`);
  const began = performance.now();
  link.click();
  const look = () => {
    const last = [...document.querySelectorAll('article.answer .markdown')].at(-1);
    if (location.pathname !== address || !last?.childElementCount) requestAnimationFrame(look);
    else requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
  };
  requestAnimationFrame(look);
})"""


@dataclass(frozen=True, slots=True)
class Streamed:
    """One answer, drawn one way; `late_s`: how late its last token was handed over."""

    way: str
    tokens_s: int
    tokens: int
    drawn: int
    frames_s: float
    longest_frame_ms: float
    long_tasks: int
    longest_task_ms: float
    late_s: float
    cpu_s: float
    load: float


@dataclass(frozen=True, slots=True)
class Opened:
    """A conversation, from the click or from its texts alone to the paint; medians."""

    opened: str
    messages: int
    drawn: int
    paint_ms: float
    slowest_ms: float
    cpu_ms: float
    load: float


class Clock:
    """The processor time of a page's main thread, which a busy machine does not lengthen."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")

    def seconds(self) -> float:
        found = self._session.send("Performance.getMetrics")["metrics"]
        return next(float(each["value"]) for each in found if each["name"] == "ThreadTime")


def tokens(count: int) -> list[str]:
    return list(islice(cycle(TOKEN.findall(ANSWER + MORE)), count))


def chunks() -> tuple[str, list[str]]:
    """Return the addresses of the renderer and of the chat's styles."""
    manifest = json.loads((DIST / "manifest.json").read_text(encoding="utf-8"))
    entries = ("src/entries/base.ts", "src/entries/chat.ts", "src/markdown/index.ts")
    styles = [name for entry in entries for name in manifest[entry].get("css", [])]
    base = "/static/app/"
    return base + manifest["src/markdown/index.ts"]["file"], [base + name for name in styles]


def benchmark_page(page: Page, url: str, styles: list[str]) -> None:
    """Open our page at the daemon's address, under the daemon's own policy."""

    def answer(route: Route) -> None:
        if route.request.url.endswith(".js"):
            body = (PAGE / "rendering.js").read_text(encoding="utf-8")
            route.fulfill(body=body, content_type="text/javascript")
            return
        links = "".join(f'<link rel="stylesheet" href="{style}" />' for style in styles)
        html = (PAGE / "rendering.html").read_text(encoding="utf-8").replace("STYLES", links)
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}
        route.fulfill(body=html, content_type="text/html", headers=headers)

    page.route(f"{url}/benchmark/**", answer)
    page.goto(f"{url}/benchmark/rendering")
    page.wait_for_function("() => window.isReady === true")


def streamed(page: Page, module: str, way: str, rate: int, given: list[str]) -> Streamed:
    limit = len(given) / rate * PATIENCE + 1
    asked = {"module": module, "way": way, "tokens": given, "rate": rate, "limit": limit}
    clock = Clock(page)
    before = clock.seconds()
    found: dict[str, Any] = page.evaluate("(asked) => window.stream(asked)", asked)
    spent = clock.seconds() - before
    return Streamed(
        way,
        rate,
        len(given),
        found["drawn"],
        found["frames_s"],
        found["longest_frame_ms"],
        found["long_tasks"],
        found["longest_task_ms"],
        max(0.0, found["late_ms"] / 1000),
        spent,
        load_average(),
    )


def fill(path: Path, name: str, texts: list[str]) -> None:
    """Keep a conversation of the first person's: questions and answers in turn."""
    with closing(sqlite3.connect(path)) as opened, opened:
        opened.execute(
            "INSERT INTO conversations (id, kind, owner_id, title, created_at, updated_at)"
            " VALUES (?, 'chat', 1, ?, 0, 0)",
            (name, f"{len(texts)} messages"),
        )
        parent = None
        for number, text in enumerate(texts):
            author = "model" if number % 2 else "person"
            parent = opened.execute(
                "INSERT INTO messages (conversation_id, parent_id, author, text, created_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (name, parent, author, text, number),
            ).lastrowid
            if author == "model":
                opened.execute(
                    "INSERT INTO turns (conversation_id, message_id, asker_id, source, state,"
                    " attempt, model, options, queued_at, finished_at)"
                    " VALUES (?, ?, 1, 'chat', 'done', 1, 'petit', '{}', 0, 0)",
                    (name, parent),
                )


def conversation(count: int) -> list[str]:
    answer = ANSWER + MORE
    return [answer if n % 2 else f"Question {n} : comment faire ?" for n in range(count)]


def opened(name: str, messages: int, drawn: int, found: list[tuple[float, float]]) -> Opened:
    paints, spent = zip(*found, strict=True)
    return Opened(
        name,
        messages,
        drawn,
        statistics.median(paints),
        max(paints),
        statistics.median(spent) * 1000,
        load_average(),
    )


def timed(page: Page, script: str, asked: object) -> tuple[float, float]:
    """Return the milliseconds that a script tells, and the seconds of processor it took."""
    clock = Clock(page)
    before = clock.seconds()
    milliseconds = float(page.evaluate(script, asked))
    return milliseconds, clock.seconds() - before


def open_conversations(page: Page, url: str, lengths: list[int], times: int) -> list[Opened]:
    rows = []
    for length in lengths:
        address = f"/c/{CONVERSATIONS[length]}"
        found = []
        for _ in range(times):
            page.goto(url)  # nothing is known of the conversation any more
            page.locator(f'a[href="{address}"]').wait_for()
            page.wait_for_load_state("networkidle")
            found.append(timed(page, OPEN, address))
        drawn = page.locator("article").count()
        rows.append(opened("the page, from the click", length, drawn, found))
    return rows


def draw_texts(page: Page, module: str, length: int, times: int) -> list[Opened]:
    texts = conversation(length)
    rows = []
    for name, drawn in (("texts, the newest", NEWEST), ("texts, all of them", length)):
        asked = {"module": module, "texts": texts[-drawn:]}
        found = [timed(page, "(asked) => window.draw(asked)", asked) for _ in range(times)]
        rows.append(opened(name, length, drawn, found))
    return rows


def measure(*, is_quick: bool) -> Report:
    report = Report("rendering")
    given = tokens(QUICK_TOKENS if is_quick else TOKENS)
    rates = RATES[1:] if is_quick else RATES
    times = 1 if is_quick else TIMES
    lengths = [40] if is_quick else [LONG, HUGE]
    module, styles = chunks()
    with (
        programs.fake_ollama() as fake,
        programs.data_directory() as directory,
        programs.daemon(directory, kind="ollama", ollama_url=fake.url, people=1) as server,
        sync_playwright() as playwright,
    ):
        for length in lengths:
            CONVERSATIONS.setdefault(length, "Q" * 16)
            fill(directory / FILE_NAME, CONVERSATIONS[length], conversation(length))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": COOKIE, "value": server.cookies[0], "url": server.url}])
        page = context.new_page()
        benchmark_page(page, server.url, styles)
        page.wait_for_load_state("networkidle")
        streams = [streamed(page, module, way, rate, given) for rate in rates for way in WAYS]
        drawn = draw_texts(page, module, lengths[0], times)
        chat = context.new_page()
        pages = open_conversations(chat, server.url, lengths, times)
        browser.close()
    report.rows += [*streams, *pages, *drawn]
    ours = streams[0]
    report.targets += [
        Target(f"frames at {ours.tokens_s} tokens/s", ours.frames_s, FRAMES, "/s", is_floor=True),
        Target("longest task meanwhile", ours.longest_task_ms, TASK_MS, "ms"),
        Target(f"first paint of {pages[0].messages} messages", pages[0].paint_ms, PAINT_MS, "ms"),
    ]
    return report


def main() -> None:
    arguments = parser(__doc__).parse_args()
    measure(is_quick=arguments.quick).show(as_json=arguments.json)


if __name__ == "__main__":
    main()
