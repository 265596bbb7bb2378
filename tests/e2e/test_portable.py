"""Conversations that leave, come, are printed and shared, as people do it in a browser."""

import json
import re
from pathlib import Path

from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.e2e.conftest import PICTURES, OpenPage
from tests.e2e.people import ask, log_in, wait_for_end
from tests.running_daemon import RunningDaemon

SAMPLES = Path(__file__).parents[1] / "fixtures" / "imports"
CODE = "\n".join(f"line_{number} = {number}  # {'x' * 140}" for number in range(90))
PLAN, PLANNED = "Plan du jardin.md", "Le hérisson dort sous la haie."
ANSWER = f"# Titre\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\n{CODE}\n```\n\n<b>fin</b>"


def of_account(page: Page, name: str) -> None:
    page.locator("details.menu > summary").click()
    page.get_by_role("button", name=name).click()


def act(page: Page, name: str) -> None:
    page.locator("header").get_by_role("button", name="Actions pour cette conversation").click()
    page.get_by_role("menuitem", name=name).click()


def bring(page: Page, path: Path) -> None:
    of_account(page, "Importer, exporter…")
    page.get_by_role("dialog").get_by_label("Fichier").set_input_files(path)
    page.get_by_role("dialog").get_by_role("button", name="Importer").click()


def test_a_file_is_brought_and_what_came_of_it_is_told(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(daemon.address, locale="fr-FR")
    log_in(page, "pia")
    bring(page, SAMPLES / "chatgpt.json")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("1 conversation importée.")).to_be_visible()
    expect(dialog.get_by_text("Vide (aucun message)")).to_be_visible()
    page.screenshot(path=PICTURES / "import-fr-light-1280.png")
    with page.expect_download() as told:
        dialog.get_by_role("link", name="JSON").click()
    assert told.value.suggested_filename.startswith("couachgpt 2")
    kept = json.loads(told.value.path().read_text(encoding="utf-8"))
    assert [each["title"] for each in kept["conversations"]] == ["Cuire un œuf"]
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()

    page.get_by_role("navigation").get_by_role("link", name="Cuire un œuf").click()
    expect(page.locator(".markdown strong")).to_have_text("Neuf minutes")
    act(page, "Exporter…")
    with page.expect_download() as told:
        dialog.get_by_role("link", name="Markdown").click()
    assert told.value.suggested_filename == "2023-11-14 Cuire un œuf.md"


def test_the_page_for_paper_has_all_of_it_and_nothing_of_the_chat(
    daemon: RunningDaemon, open_page: OpenPage, tmp_path: Path
) -> None:
    came = json.loads((SAMPLES / "couachgpt.json").read_text(encoding="utf-8"))
    (conversation,) = came["conversations"]
    conversation["messages"][1]["text"] = ANSWER
    conversation["title"] = "<i>Hérisson</i>"
    (tmp_path / "brought.json").write_text(json.dumps(came), encoding="utf-8")
    page = open_page(daemon.address, locale="fr-FR", color_scheme="dark")
    log_in(page, "claire")
    bring(page, tmp_path / "brought.json")
    expect(page.get_by_role("dialog").get_by_text("1 conversation importée.")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("navigation").get_by_role("link", name="Hérisson").click()
    expect(page.locator(".markdown")).to_have_count(1)
    act(page, "Exporter…")
    with page.expect_popup() as opened:
        page.get_by_role("dialog").get_by_role("link", name="Imprimer ou PDF").click()
    paper = opened.value
    expect(paper.get_by_role("heading", level=1).first).to_have_text("<i>Hérisson</i>")
    expect(paper.locator(".markdown table")).to_be_visible()
    assert paper.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    paper.emulate_media(media="print")
    paper.screenshot(path=PICTURES / "print.png", full_page=True)
    expect(paper.get_by_role("link", name="Retour")).to_be_hidden()
    assert paper.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(12, 23, 29)"
    assert paper.evaluate("document.documentElement.scrollWidth <= innerWidth")
    pdf = paper.pdf(path=PICTURES / "print.pdf")
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 2
    assert "line_89 = 89" in paper.locator("main").inner_text()


def attach_plan(page: Page) -> None:
    plan: FilePayload = {
        "name": PLAN,
        "mimeType": "text/markdown",
        "buffer": PLANNED.encode(),
    }
    page.locator("input[type=file]").set_input_files(plan)
    expect(page.locator(".files").get_by_role("button", name=PLAN)).to_be_visible()


def read_file(page: Page, file: Locator) -> None:
    """Open a file of what is shared; on paper there is its name instead."""
    file.click()
    read = page.get_by_role("dialog").get_by_role("textbox")
    expect(read).to_have_value(PLANNED)
    page.screenshot(path=PICTURES / "document-file-dark-390.png")
    page.keyboard.press("Escape")
    page.emulate_media(media="print")
    expect(file).to_be_hidden()
    expect(page.get_by_text(re.compile(PLAN)).last).to_be_visible()
    page.emulate_media(media="screen")


def test_a_colleague_reads_it_makes_it_their_own_and_is_shut_out_while_it_is_open(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(daemon.address, locale="fr-FR")
    log_in(page, "claire")
    attach_plan(page)
    ask(page, "[[tokens=20]] Où dort le hérisson ?")
    wait_for_end(page)
    act(page, "Partager…")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Ajouter un collègue").fill("mar")
    dialog.get_by_role("button", name="Partager avec marc").click()
    expect(dialog.get_by_role("status")).to_have_text("marc peut maintenant la lire.")
    expect(dialog.get_by_label("Ajouter un collègue")).to_be_focused()
    page.screenshot(path=PICTURES / "share-fr-light-1280.png")

    other = open_page(
        daemon.address, locale="en-GB", color_scheme="dark", viewport={"width": 390, "height": 844}
    )
    log_in(other, "marc")
    other.get_by_role("button", name=re.compile("^(Show the conversations|Afficher)")).click()
    other.get_by_role("button", name=re.compile("^(Shared with me|Partagées)")).click()
    link = other.get_by_role("dialog").get_by_role("link")
    expect(link).to_have_count(1)
    other.screenshot(path=PICTURES / "shared-dark-390.png")
    link.click()
    expect(other.locator(".markdown")).not_to_be_empty()
    expect(other.get_by_text("Où dort le hérisson ?").last).to_be_visible()
    file = other.get_by_role("button", name=PLAN)
    expect(file).to_be_visible()
    other.screenshot(path=PICTURES / "document-dark-390.png")
    read_file(other, file)
    address = other.url
    other.get_by_role("button", name=re.compile("^Cop")).click()
    expect(other.locator("textarea")).to_be_visible()
    expect(file).to_be_visible()
    ask(other, "[[tokens=3]] Et en hiver ?")
    wait_for_end(other)
    other.goto(address)
    expect(other.locator(".markdown")).to_have_count(1)

    listed = other.context.new_page()
    listed.goto(daemon.address)
    listed.get_by_role("button", name=re.compile("^(Show the conversations|Afficher)")).click()
    listed.get_by_role("button", name=re.compile("^(Shared with me|Partagées)")).click()
    expect(listed.get_by_role("dialog").get_by_role("link")).to_have_count(1)

    dialog.get_by_role("button", name="Ne plus partager avec marc").click()
    expect(listed.get_by_role("dialog").get_by_role("link")).to_have_count(0)
    expect(other.get_by_role("alert")).to_be_visible()
    expect(other.locator(".markdown")).to_have_count(0)
    other.reload()
    expect(other.get_by_text("404")).to_be_visible()
