"""The chat without a mouse, at twice the size, without motion, and by ear."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from couachgptd.http.admin import PAGES
from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, log_in, submit, text_length_grows, wait_for_end
from tests.e2e.places import Visit, arranging, choosing, finding, profile, reading
from tests.running_daemon import PASSWORD, RunningDaemon

# What has the focus, whether it had it before, and whether it shows: by an outline, or by the frame
# around a field.
FOCUSED = """() => {
  const focused = document.activeElement;
  const drawn = getComputedStyle(focused);
  const frame = focused.closest('.composer');
  const isSeen = drawn.outlineStyle !== 'none' && parseFloat(drawn.outlineWidth) >= 2
    || (frame !== null && focused.matches('textarea')
      && getComputedStyle(frame).boxShadow !== 'none');
  window.passed ??= new Set([document.body]); // on the body it is in the browser's own controls
  const isKnown = window.passed.has(focused);
  window.passed.add(focused);
  return [focused === document.body, isKnown, isSeen, focused.outerHTML.slice(0, 90)];
}"""
# Zoomed to 200 %, a window of 1280 × 800 is one of half as many pixels, each twice as large.
ZOOMED: dict[str, Any] = {"viewport": {"width": 640, "height": 400}, "device_scale_factor": 2}
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
MOVING = "document.getAnimations().filter((each) => each.playState === 'running').length"
# What a screen reader is told: each text that comes into what is said aloud.
LISTEN = """() => {
  window.heard = [];
  const spoken = '[role=status], [role=alert], [role=log], [aria-live]:not([aria-live=off])';
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const element = target.nodeType === Node.TEXT_NODE ? target.parentElement : target;
      const said = element?.closest(spoken);
      const text = said?.textContent.trim() ?? '';
      if (text !== '' && text !== window.heard.at(-1)) window.heard.push(text);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


def looks_at_nothing(page: Page, place: str) -> None:
    pass


def fits(page: Page, place: str) -> None:
    assert page.evaluate(FITS), f"{place} is wider than the screen"


def test_each_control_shows_that_it_has_the_focus(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    visit = Visit(daemon, open_page, looks_at_nothing)
    visit.enter("Jeanne Barret")
    visit.ask("[[tokens=60]] Bonjour")
    page = visit.page
    page.locator("#question").fill("Et ensuite ?")  # so that it can be sent

    passed = 0
    unseen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        is_outside, is_known, is_seen, what = page.evaluate(FOCUSED)
        if is_outside:
            continue
        if is_known:
            break
        passed += 1
        if not is_seen:
            unseen.append(what)

    assert unseen == []
    assert passed > 20, "the whole page was walked through"


@pytest.mark.parametrize(
    "walk", [reading, choosing, arranging, finding, profile], ids=lambda it: it.__name__
)
def test_at_twice_the_size_no_function_is_lost(
    daemon: RunningDaemon, open_page: OpenPage, walk: Callable[[Visit], None]
) -> None:
    walk(Visit(daemon, open_page, fits, **ZOOMED))


def test_at_twice_the_size_the_admin_page_fits(daemon: RunningDaemon, open_page: OpenPage) -> None:
    page = open_page(f"{daemon.address}/admin/", **ZOOMED)
    page.fill("input[name=login]", "ada")
    page.fill("input[name=password]", PASSWORD)
    submit(page)
    for name in PAGES:
        page.goto(f"{daemon.address}/admin/{'' if name == 'overview' else name}")
        expect(page.locator(".panel").first).to_be_visible()
        fits(page, name)


def test_who_wants_no_motion_gets_none(daemon: RunningDaemon, open_page: OpenPage) -> None:
    page = open_page(f"{daemon.address}/login", reduced_motion="reduce")
    log_in(page, "claire")
    ask(page, "[[rate=20 tokens=100000]] Bonjour")
    text_length_grows(page, beyond=20)
    expect(page.locator(".stage")).to_be_visible()
    assert page.evaluate(MOVING) == 0
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(MOVING) > 0, "there was something to stop"
    page.keyboard.press("Escape")
    wait_for_end(page)


def test_the_end_of_an_answer_is_said_aloud_and_not_each_word(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{daemon.address}/login", locale="fr-FR")
    log_in(page, "marc")
    page.evaluate(LISTEN)
    ask(page, "[[tokens=200]] Bonjour")
    wait_for_end(page)
    expect(page.get_by_role("status").filter(has_text="terminée")).to_have_count(1)
    assert page.evaluate("window.heard") == ["La réponse est terminée."]
