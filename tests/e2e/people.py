"""What people do on our pages."""

import re
import sqlite3
from contextlib import closing

from playwright.sync_api import Locator, Page, expect

from tests.running_daemon import PASSWORD, RunningDaemon

SEND = re.compile("^(Send|Envoyer)")
# SmolLM2 writes until its limit at this: long enough to be met in the middle.
LONG = "Write a very long story about a boat. Continue for many paragraphs."
END_MILLISECONDS = 120_000


def submit(page: Page) -> None:
    """Send the form that asks for a password."""
    page.locator("form:has(input[name=password]) button:not([type=button])").click()


def log_in(page: Page, login: str) -> None:
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", PASSWORD)
    submit(page)
    expect(page.locator("textarea")).to_be_visible()


def ask(page: Page, question: str) -> None:
    page.locator("textarea").fill(question)
    expect(page.get_by_role("button", name=SEND)).to_be_enabled()
    page.keyboard.press("Enter")


def answer(page: Page, index: int = -1) -> Locator:
    """The text of an answer, the newest by default."""
    found = page.locator(".markdown")
    return found.nth(index) if index >= 0 else found.last


def text_length_grows(page: Page, *, beyond: int = 0) -> int:
    """Wait until the newest answer is longer than `beyond` characters; return its length."""
    length = page.wait_for_function(
        "(beyond) => { const all = document.querySelectorAll('.markdown');"
        " const length = all.length ? all[all.length - 1].textContent.length : 0;"
        " return length > beyond ? length : null; }",
        arg=beyond,
    )
    return int(length.json_value())


def wait_for_end(page: Page) -> None:
    expect(page.locator("article.answer").last).to_have_attribute(
        "aria-busy", "false", timeout=END_MILLISECONDS
    )


def database(site: RunningDaemon) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{site.data / 'couachgpt.db'}?mode=ro", uri=True)


def kept_answer(site: RunningDaemon) -> tuple[str, str]:
    """Return the text and the state of the newest answer in the store."""
    with closing(database(site)) as opened:
        row = opened.execute(
            "SELECT messages.text, turns.state FROM turns JOIN messages"
            " ON messages.id = turns.message_id ORDER BY turns.id DESC LIMIT 1"
        ).fetchone()
    return str(row[0]), str(row[1])
