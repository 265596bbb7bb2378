"""Versions of questions and answers, as people meet them: edited, made again, walked through."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, log_in, wait_for_end
from tests.running_daemon import RunningDaemon

EARLIER = "Version précédente"


def versions(page: Page, text: str) -> Locator:
    return page.get_by_role("group", name=text, exact=True)


def after_two_exchanges(daemon: RunningDaemon, open_page: OpenPage) -> Page:
    page = open_page(f"{daemon.address}/login", locale="fr-FR")
    log_in(page, "claire")
    ask(page, "[[tokens=4]] Premier")
    wait_for_end(page)
    ask(page, "[[tokens=4]] Deuxième")
    expect(page.locator("article.answer")).to_have_count(2)
    wait_for_end(page)
    return page


def test_a_question_is_edited_in_place_and_both_versions_stay(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = after_two_exchanges(daemon, open_page)

    edit = page.get_by_role("button", name="Modifier", exact=True)
    edit.first.click()
    field = page.get_by_label("Votre question, réécrite")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(edit.first).to_be_focused()
    page.keyboard.press("Enter")
    field.fill("[[tokens=4]] Premier bis")
    page.keyboard.press("Enter")

    expect(versions(page, "Version 2 sur 2")).to_be_visible()
    wait_for_end(page)
    expect(page.locator("article.question")).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="terminée")).to_have_count(1)
    other = page.context.new_page()  # it shows what was shown last, and then goes its own way
    other.goto(page.url)
    expect(versions(other, "Version 2 sur 2")).to_be_visible()

    page.get_by_role("button", name=EARLIER).click()
    expect(versions(page, "Version 1 sur 2")).to_be_visible()
    expect(page.locator("article.question")).to_have_count(2)
    expect(page.get_by_role("button", name="Version suivante")).to_be_focused()
    page.reload()
    expect(versions(page, "Version 1 sur 2")).to_be_visible()
    expect(page.locator("article.question").last).to_contain_text("Deuxième")
    expect(versions(other, "Version 2 sur 2")).to_be_visible()

    ask(page, "[[tokens=4]] Troisième")  # on from the older branch
    expect(page.locator("article.answer")).to_have_count(3)
    wait_for_end(page)
    expect(page.locator("article.question")).to_have_count(3)
    expect(other.locator("article.question")).to_have_count(1)


def test_an_answer_is_made_again_with_another_model_and_tells_its_details(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = after_two_exchanges(daemon, open_page)

    again = page.get_by_role("button", name="Répondre à nouveau avec un autre modèle")
    again.first.click()
    expect(page.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(again.first).to_be_focused()
    again.first.click()
    page.get_by_role("menuitem", name="couac:3b").click()
    expect(versions(page, "Version 2 sur 2")).to_be_visible()
    wait_for_end(page)
    expect(page.locator("article")).to_have_count(2)

    details = page.get_by_role("button", name=re.compile("Détails"))
    details.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("couac:3b")
    expect(dialog).to_contain_text("4 jetons")
    expect(dialog).to_contain_text(re.compile(r"sur .* jetons \(\d+\s%\)"))
    page.keyboard.press("Escape")
    expect(details).to_be_focused()


def test_an_answer_on_another_branch_is_told_and_an_edit_waits_for_it(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{daemon.address}/login", locale="fr-FR")
    log_in(page, "claire")
    ask(page, "[[tokens=4]] Premier")
    wait_for_end(page)
    page.get_by_role("button", name="Modifier", exact=True).click()
    field = page.get_by_label("Votre question, réécrite")
    field.fill("[[rate=40 tokens=100000]] Premier bis")
    page.keyboard.press("Enter")
    expect(versions(page, "Version 2 sur 2")).to_be_visible()

    page.get_by_role("button", name=EARLIER).click()
    told = page.get_by_text("Une réponse s’écrit dans une autre version")
    expect(told).to_be_visible()
    page.get_by_role("button", name="Modifier", exact=True).click()
    field.fill("[[tokens=4]] Premier ter")
    page.keyboard.press("Enter")
    expect(page.get_by_text("la réponse est encore en cours")).to_be_visible()
    page.get_by_role("button", name="L’afficher").click()
    expect(told).to_have_count(0)
    page.get_by_role("button", name="Arrêter", exact=True).click()
    wait_for_end(page)
    page.get_by_role("button", name=EARLIER).click()
    expect(field).to_have_value("[[tokens=4]] Premier ter")
    page.keyboard.press("Enter")
    expect(versions(page, "Version 3 sur 3")).to_be_visible()
    wait_for_end(page)
