"""Thumbs up and down, as people meet them: by keyboard, in two tabs, after a reload."""

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, log_in, wait_for_end
from tests.running_daemon import RunningDaemon


def thumb(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def test_an_answer_is_rated_by_keyboard_in_every_tab_and_after_a_reload(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{daemon.address}/login", locale="fr-FR")
    log_in(page, "claire")
    ask(page, "[[tokens=6]] Bonjour")
    wait_for_end(page)
    other = page.context.new_page()
    other.goto(page.url)
    expect(thumb(other, "Mauvaise réponse")).to_have_attribute("aria-pressed", "false")

    thumb(page, "Mauvaise réponse").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("status").filter(has_text="Merci.")).to_have_count(1)
    word = page.get_by_label("Qu’est-ce qui n’allait pas")
    expect(word).to_be_focused()
    page.keyboard.type("Trop court")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Votre mot : « Trop court »")).to_be_visible()
    expect(thumb(page, "Mauvaise réponse")).to_be_focused()
    for each in (page, other):
        expect(thumb(each, "Mauvaise réponse")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.get_by_text("Votre mot : « Trop court »")).to_be_visible()
    expect(thumb(page, "Mauvaise réponse")).to_have_attribute("aria-pressed", "true")

    thumb(page, "Bonne réponse").click()
    expect(thumb(other, "Bonne réponse")).to_have_attribute("aria-pressed", "true")
    word = page.get_by_label("Qu’est-ce qui était bien")
    expect(word).to_be_focused()  # the other tab may know before
    page.keyboard.press("Escape")
    expect(word).to_have_count(0)
    expect(thumb(page, "Bonne réponse")).to_be_focused()
    page.keyboard.press("Enter")
    expect(thumb(other, "Bonne réponse")).to_have_attribute("aria-pressed", "false")
