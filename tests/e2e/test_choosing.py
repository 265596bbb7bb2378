"""With what a question is asked: model, settings, what is sent; a choice that is gone is said."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.daemon_fixtures import add_somebody
from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, log_in, wait_for_end
from tests.running_daemon import RunningDaemon

NOT_OFFERED: dict[str, Any] = {"visible_to": "admins"}
OFFERED: dict[str, Any] = {"visible_to": "everyone"}


def model_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^Mod(el|èle)"))


def settings_button(page: Page) -> Locator:
    return page.get_by_role("button", name=re.compile("^(Settings|Réglages)"))


def test_a_model_is_chosen_by_keyboard_with_what_it_costs_and_one_that_went_is_said(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(daemon.address)
    log_in(page, add_somebody(daemon))

    model_button(page).press("Enter")
    dialog = page.get_by_role("dialog")
    chosen = dialog.get_by_role("radio", name="couac:3b")
    expect(chosen).to_have_accessible_description(re.compile(r"2,2.Go de mémoire .* jetons/s|ici"))
    expect(dialog.get_by_role("radio", name=re.compile("Par défaut"))).to_be_focused()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(model_button(page)).to_be_focused()
    expect(model_button(page)).to_have_accessible_name(re.compile("couac:3b$"))
    ask(page, "[[tokens=5]] Bonjour")
    wait_for_end(page)
    expect(page.locator("article.answer")).to_contain_text("couac:3b")

    page.reload()
    expect(model_button(page)).to_have_accessible_name(re.compile("couac:3b$"))
    daemon.control("POST", "/v1/models/couac:3b", NOT_OFFERED)
    try:
        expect(model_button(page)).to_contain_text("plus disponible")
        ask(page, "[[tokens=5]] Encore")
        expect(page.get_by_role("alert")).to_contain_text("couac:3b")
        expect(page.locator("textarea")).to_have_value("[[tokens=5]] Encore")
        model_button(page).click()
        page.get_by_role("dialog").locator("label", has_text="couac:1b").last.click()
        page.keyboard.press("Escape")
        ask(page, "[[tokens=5]] Encore")
        wait_for_end(page)
        expect(page.locator("article.answer").last).to_contain_text("couac:1b")
    finally:
        daemon.control("POST", "/v1/models/couac:3b", OFFERED)


def test_settings_stay_with_their_conversation_and_what_is_sent_can_be_seen(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(daemon.address)
    log_in(page, add_somebody(daemon))
    for number in range(3):
        ask(page, f"[[tokens=5]] Question {number}")
        wait_for_end(page)
    gauge = page.get_by_role("button", name=re.compile("^Contexte"))
    expect(gauge).to_contain_text(re.compile(r"3 échanges · ≈ \d+ / 4.096 jetons"))

    settings_button(page).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Instructions pour le modèle").fill("Réponds en vers.")
    dialog.get_by_label("Échanges envoyés").select_option("1")
    dialog.get_by_role("button", name="Enregistrer", exact=True).click()

    expect(settings_button(page)).to_be_focused()
    expect(settings_button(page)).to_have_accessible_name(re.compile("modifiés"))
    expect(gauge).to_contain_text("1 échange · ")
    mark = page.get_by_text("Le modèle lit à partir d’ici")
    expect(mark).to_be_visible()
    gauge.click()
    expect(page.get_by_role("dialog")).to_contain_text("Question 2")
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Nouvelle conversation").first.click()
    expect(settings_button(page)).not_to_have_accessible_name(re.compile("modifiés"))
    expect(gauge).to_contain_text("0 échange")
