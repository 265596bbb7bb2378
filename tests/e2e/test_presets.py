"""Presets: kept from settings, applied where the model is chosen, managed in the profile."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.daemon_fixtures import add_somebody
from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, log_in, wait_for_end
from tests.e2e.test_choosing import NOT_OFFERED, OFFERED, model_button, settings_button
from tests.running_daemon import RunningDaemon


def dialog_of(page: Page, button: Locator) -> Locator:
    button.click()
    return page.get_by_role("dialog")


def keep(page: Page, name: str, prompt: str, *, is_shared: bool = False) -> None:
    """Write instructions into the settings and keep them, with the model, as a preset."""
    dialog = dialog_of(page, settings_button(page))
    dialog.get_by_label("Instructions pour le modèle").fill(prompt)
    dialog.get_by_role("button", name="comme préréglage").click()
    dialog.get_by_label("Nom du préréglage").fill(name)
    dialog.get_by_label("Avec le modèle").check()
    if is_shared:
        dialog.get_by_label("tout le monde").check()
    page.keyboard.press("Enter")


def test_a_preset_is_kept_applied_by_keyboard_before_a_question_renamed_and_deleted(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(daemon.address)
    log_in(page, add_somebody(daemon))
    other = page.context.new_page()
    other.goto(daemon.address)
    dialog = dialog_of(page, model_button(page))
    expect(dialog).to_contain_text("enregistrez-en un dans les réglages")
    dialog.locator("label", has_text="couac:3b").last.click()
    keep(page, "En vers", "Réponds en vers.")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(model_button(page)).to_have_accessible_name(re.compile("couac:3b, préréglage.: En vers"))

    # The other tab was told of it; there it is applied before the first question.
    expect(model_button(other)).to_have_accessible_name(re.compile("couac-pense:1b$"))
    model_button(other).press("Enter")
    chooser = other.get_by_role("dialog")
    wanted = chooser.get_by_role("radio", name="En vers")
    expect(wanted).to_have_accessible_description(re.compile("couac:3b.*Réponds en vers"))
    wanted.press("Space")
    other.keyboard.press("Enter")
    expect(chooser).to_have_count(0)
    ask(other, "[[tokens=5]] Bonjour")
    wait_for_end(other)
    expect(other.locator("article.answer")).to_contain_text("couac:3b")
    expect(model_button(other)).to_have_accessible_name(re.compile("En vers$"))

    # The same name again replaces it, only if that is wanted.
    keep(page, "en vers", "Réponds en alexandrins.")
    expect(page.get_by_role("alert")).to_contain_text("Il y a déjà un préréglage « En vers »")
    page.get_by_role("button", name="Le remplacer").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(model_button(page)).to_have_accessible_name(re.compile("En vers$"))
    expect(model_button(other)).to_have_accessible_name(re.compile("couac:3b$"))

    page.goto(f"{daemon.address}/profile")
    page.get_by_role("button", name="Renommer « En vers »").click()
    page.get_by_label("Nom du préréglage").fill("Alexandrins")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Supprimer « Alexandrins »").click()
    page.get_by_role("button", name="Oui, ").click()
    expect(page.get_by_text("Il n’y a pas encore de préréglage.")).to_be_visible()
    settings_button(other).click()
    expect(other.get_by_label("Instructions pour le modèle")).to_have_value("Réponds en vers.")


def test_an_administrators_preset_is_everybodys_and_one_without_its_model_says_so(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    chief = open_page(daemon.address, locale="fr-FR")
    log_in(chief, "ada")
    page = open_page(daemon.address, viewport={"width": 390, "height": 844})
    log_in(page, add_somebody(daemon))
    dialog_of(chief, model_button(chief)).locator("label", has_text="couac:3b").last.click()
    keep(chief, "Relecture", "Corrige sans rien ajouter.", is_shared=True)
    expect(chief.get_by_role("dialog")).to_have_count(0)
    daemon.control("POST", "/v1/models/couac:3b", NOT_OFFERED)
    try:
        dialog = dialog_of(page, model_button(page))
        row = dialog.locator("label", has_text="Relecture")
        expect(row).to_contain_text("Son modèle couac:3b n’est plus disponible")
        row.click()
        expect(dialog).to_have_count(0)
        expect(page.locator(".toast")).to_contain_text("s’applique sans son modèle couac:3b")
        expect(model_button(page)).to_have_accessible_name(
            re.compile("couac-pense:1b, préréglage.: Relecture")
        )
        ask(page, "[[tokens=5]] Bonjour")
        wait_for_end(page)
        expect(page.locator("article.answer")).to_contain_text("couac-pense:1b")
    finally:
        daemon.control("POST", "/v1/models/couac:3b", OFFERED)


def test_on_a_phone_the_models_name_is_read_whole_and_every_tool_can_be_touched(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(daemon.address, viewport={"width": 390, "height": 844}, has_touch=True)
    log_in(page, add_somebody(daemon))
    expect(page.get_by_role("button", name="Prompts")).to_be_visible()
    seen = (
        model_button(page)
        .locator(".truncate")
        .evaluate_all("all => all.map((each) => [each.scrollWidth, each.clientWidth])")
    )
    assert all(needed <= shown for needed, shown in seen), seen
    boxes = [each.bounding_box() for each in page.locator("form.composer button").all()]
    assert all(box and box["width"] >= 40 and box["height"] >= 40 for box in boxes), boxes
    overlaps = [
        (one, other)
        for number, one in enumerate(boxes)
        for other in boxes[number + 1 :]
        if one
        and other
        and one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < other["y"] + other["height"]
        and other["y"] < one["y"] + one["height"]
    ]
    assert overlaps == []
