"""What people see while the engine is healed, and while they wait for one another."""

import os
import re
import signal

import psutil
from playwright.sync_api import expect

from tests.e2e.conftest import OpenPage
from tests.e2e.people import LONG, ask, kept_answer, log_in, text_length_grows, wait_for_end
from tests.running_daemon import RunningDaemon


def engine_of(site: RunningDaemon) -> int:
    assert site.process is not None
    (child,) = psutil.Process(site.process.pid).children()
    pid: int = child.pid
    return pid


def test_an_engine_killed_in_mid_answer_is_healed_and_the_answer_comes_by_itself(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(site.address)
    log_in(page, "ada")
    ask(page, LONG)
    text_length_grows(page, beyond=200)
    os.kill(engine_of(site), signal.SIGKILL)

    expect(page.get_by_text(re.compile("your question is kept"))).to_be_visible()
    expect(page.locator(".is-stale")).to_have_count(1)  # what was written stays
    wait_for_end(page)
    text, state = kept_answer(site)
    assert state == "done"
    assert len(text) > 200
    expect(page.locator("article.question")).to_have_count(1)
    expect(page.locator(".is-stale")).to_have_count(0)


def test_who_waits_for_somebody_else_sees_the_place_and_how_long(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    site.add_user("grace", name="Grace Hopper", language="en")
    first = open_page(site.address)
    log_in(first, "ada")
    ask(first, LONG)
    text_length_grows(first)
    second = open_page(site.address)
    log_in(second, "grace")
    ask(second, "Say hello.")

    waiting = second.get_by_text(re.compile(r"Waiting: yours is next.*(between|less than|about)"))
    expect(waiting).to_be_visible()
    first.get_by_role("button", name="Stop").click()
    wait_for_end(second)
