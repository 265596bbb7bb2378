"""What axe-core finds on each page and in dialogs: nothing."""

from typing import Any

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.conftest import ROOT
from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, log_in, submit, wait_for_end
from tests.running_daemon import PASSWORD, RunningDaemon

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}


class Examined:
    """A page, and what was found wrong with it at each place."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    def look(self, place: str) -> None:
        self.page.evaluate(
            # One that is cut short, by what it moves being gone, has ended as well.
            "() => Promise.allSettled(document.getAnimations().map((each) => each.finished))"
        )
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        told = self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        for violation in told["violations"]:
            nodes = [node["html"][:120] for node in violation["nodes"]]
            self.found.append(f"{place}: {violation['id']}: {nodes}")

    def press(self, button: Locator, shows: Locator, place: str) -> None:
        """Open something by its button, look at it, and close it by the keyboard."""
        button.click()
        expect(shows).to_be_visible()
        self.look(place)
        self.page.keyboard.press("Escape")
        expect(shows).to_be_hidden()


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_the_chat(
    daemon: RunningDaemon, open_page: OpenPage, look: str
) -> None:
    page = open_page(f"{daemon.address}/login", **LOOKS[look])
    examined = Examined(page)
    for path in ("login", "register", "nowhere", "offline"):
        page.goto(f"{daemon.address}/{path}")
        examined.look(path)
    page.goto(f"{daemon.address}/login")
    log_in(page, "claire")
    page.goto(f"{daemon.address}/profile")
    page.locator("summary").click()
    examined.look("profile")
    page.goto(daemon.address)
    expect(page.locator("textarea")).to_be_visible()
    examined.look("empty chat")
    notes = FilePayload(name="notes.md", mimeType="text/markdown", buffer=b"# Notes")
    page.locator("input[type=file]").set_input_files(notes)
    file = page.get_by_role("button", name="notes.md", exact=True)
    dialog = page.get_by_role("dialog")
    examined.press(file, dialog, "a file to send")
    examined.look("files")
    ask(page, "[[tokens=20]] Bonjour")
    wait_for_end(page)
    examined.look("answer")
    examined.press(page.locator(".files-sent button"), dialog, "a file that was sent")
    field = page.locator("#question")
    field.fill("/")
    expect(page.get_by_role("listbox")).to_be_visible()
    examined.look("prompts")
    field.press("ArrowUp")
    field.press("Enter")
    dialog.get_by_role("button", name="Nouveau prompt").click()
    examined.look("a prompt")
    page.keyboard.press("Escape")
    field.fill("")
    page.keyboard.press("Control+/")
    expect(dialog).to_be_visible()
    examined.look("shortcuts")
    page.keyboard.press("Escape")
    actions = page.locator("header").get_by_role("button", name="Actions pour cette conversation")
    menu = page.get_by_role("menu")
    examined.press(actions, menu, "menu")
    for name in ("Ranger dans un dossier…", "Renommer…", "Supprimer…"):
        actions.click()
        examined.press(menu.get_by_role("menuitem", name=name), page.get_by_role("dialog"), name)

    assert examined.found == []


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_the_admin_page(
    daemon: RunningDaemon, open_page: OpenPage, look: str
) -> None:
    page = open_page(f"{daemon.address}/admin/", **LOOKS[look])
    page.fill("input[name=login]", "ada")
    page.fill("input[name=password]", PASSWORD)
    submit(page)
    examined = Examined(page)
    for name in ("", "people", "data", "server", "engine"):
        page.goto(f"{daemon.address}/admin/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        examined.look(f"admin/{name}")
    settings = page.locator(".does").get_by_role("button", name="Réglages").first
    settings.click()
    expect(page.get_by_label("Proposé à")).to_be_visible()
    examined.look("settings of a model")
    settings.click()
    delete = page.locator(".does").get_by_role("button", name="Supprimer").first
    examined.press(delete, page.get_by_role("dialog"), "password")

    assert examined.found == []
