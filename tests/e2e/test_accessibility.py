"""What axe-core finds on each page and in dialogs: nothing; and each gives the focus back."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import ROOT
from tests.e2e.conftest import OpenPage
from tests.e2e.people import submit
from tests.e2e.places import AT_REST, WALKS, Visit
from tests.running_daemon import PASSWORD, RunningDaemon

AXE = ROOT / "web" / "node_modules" / "axe-core" / "axe.min.js"
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark phone": {
        "color_scheme": "dark",
        "viewport": {"width": 390, "height": 844},
        "has_touch": True,
    },
}


class Axe:
    """What was found wrong at each place that it was called at."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def look(self, page: Page, place: str) -> None:
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE.read_text(encoding="utf-8"))
        told = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        for violation in told["violations"]:
            nodes = [node["html"][:120] for node in violation["nodes"]]
            self.found.append(f"{place}: {violation['id']}: {nodes}")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
def test_axe_finds_nothing_on_the_way(
    daemon: RunningDaemon, open_page: OpenPage, walk: Callable[[Visit], None], look: str
) -> None:
    axe = Axe()
    walk(Visit(daemon, open_page, axe.look, **LOOKS[look]))
    assert axe.found == []


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_on_the_admin_page(
    daemon: RunningDaemon, open_page: OpenPage, look: str
) -> None:
    page = open_page(f"{daemon.address}/admin/", **LOOKS[look])
    page.fill("input[name=login]", "ada")
    page.fill("input[name=password]", PASSWORD)
    submit(page)
    axe = Axe()

    def examine(place: str) -> None:
        page.evaluate(AT_REST)
        axe.look(page, place)

    for name in ("", "people", "data", "server", "engine"):
        page.goto(f"{daemon.address}/admin/{name}")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        page.wait_for_load_state("networkidle")
        examine(f"admin/{name}")
    settings = page.locator(".does").get_by_role("button", name="Réglages").first
    settings.click()
    expect(page.get_by_label("Proposé à")).to_be_visible()
    examine("settings of a model")
    settings.click()
    page.locator(".does").get_by_role("button", name="Supprimer").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    examine("password")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    assert axe.found == []
