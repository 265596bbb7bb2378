"""Files with a question: chosen, dropped, refused, looked at, cut to a part, and kept."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.conftest import FakeOllama
from tests.daemon_fixtures import running_fake
from tests.e2e.conftest import PICTURES, OpenPage
from tests.e2e.people import ask, log_in
from tests.running_daemon import RunningDaemon
from tests.sandbox import samples
from tests.sandbox.test_logo import png


@pytest.fixture(scope="module")
def shared_ollama() -> Iterator[FakeOllama]:
    with running_fake("--rate=2000", "--models=couac:1b") as fake:
        yield fake


def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"attachments-{name}.png"))


def choose(page: Page, *files: tuple[str, bytes]) -> None:
    page.locator("input[type=file]").set_input_files(
        [FilePayload(name=name, mimeType="", buffer=data) for name, data in files]
    )


def drop(page: Page, name: str, text: str) -> None:
    page.locator("form.composer").evaluate(
        """(form, [name, text]) => {
            const data = new DataTransfer();
            data.items.add(new File([text], name, { type: 'text/plain' }));
            const told = { dataTransfer: data, bubbles: true, cancelable: true };
            form.dispatchEvent(new DragEvent('drop', told));
        }""",
        [name, text],
    )


def test_files_go_with_a_question_and_stay_with_it(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(daemon.address)
    log_in(page, "claire")
    pages = samples.pdf(*(f"Page number {number}. " + "word " * 300 for number in range(1, 13)))

    choose(page, ("Report.pdf", pages), ("../../x.pdf", b"%PDF-"), ("empty.txt", b""))
    drop(page, "notes.md", "# Notes\nThe meeting is on Tuesday.")
    tray = page.get_by_role("list", name=re.compile("Attached files|Fichiers joints"))
    expect(tray.locator("li")).to_have_count(4)
    expect(tray.locator(".is-refused")).to_have_count(2)
    expect(tray.locator("button.file-name")).to_have_count(2)
    expect(page.get_by_text(re.compile("^(Too long|Trop long)"))).to_be_visible()
    picture(page, "refused")

    for _ in range(2):
        tray.locator(".is-refused .file-remove").first.click()
    tray.get_by_text("Report.pdf").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox")).to_have_value(re.compile("Page number 1"))
    picture(page, "dialog")
    dialog.get_by_role("spinbutton").nth(0).fill("2")
    dialog.get_by_role("spinbutton").nth(1).fill("3")
    dialog.locator(".button-primary").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text(re.compile("^(About|Environ) .* (fit|tiennent)"))).to_be_visible()

    page.reload()
    expect(tray.locator("button.file-name")).to_have_count(2)

    page.locator("textarea#question").fill("[[echo]] When is the meeting?")
    page.keyboard.press("Enter")
    sent = page.locator(".question .files-sent")
    expect(sent.locator("li")).to_have_count(2)
    expect(page.locator(".markdown").last).to_contain_text("The meeting is on Tuesday.")
    expect(page.locator(".markdown").last).to_contain_text("Page number 3")
    expect(page.locator(".markdown").last).not_to_contain_text("Page number 4")
    expect(tray.locator(".file-remove")).to_have_count(0)

    page.reload()
    expect(sent.locator("li")).to_have_count(2)
    expect(sent).to_contain_text("pages 2 à 3")
    sent.get_by_text("notes.md").click()
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_value(re.compile("Tuesday"))
    page.keyboard.press("Escape")
    expect(sent.get_by_text("notes.md").locator("xpath=ancestor::button")).to_be_focused()
    picture(page, "sent")


def test_a_picture_is_refused_to_a_model_that_cannot_see(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(daemon.address)
    page.set_viewport_size({"width": 390, "height": 844})
    page.emulate_media(color_scheme="dark")
    log_in(page, "marc")
    choose(page, ("view.png", png(2, 2)), ("a-long-name-" * 8 + ".txt", b"Hello"))

    expect(
        page.get_by_text(re.compile("cannot see pictures|ne voit pas les images"))
    ).to_be_visible()
    page.locator("textarea#question").fill("What is it?")
    expect(page.locator("button[type=submit].send")).to_be_disabled()
    expect(page.locator("button.file-name")).to_have_count(2)
    picture(page, "phone")
    page.locator("button.file-name").last.click()
    expect(page.get_by_role("dialog").get_by_role("textbox")).to_have_value("Hello")
    picture(page, "phone-dialog")
    page.keyboard.press("Escape")
    for _ in range(2):
        page.locator(".file-remove").first.click()
    expect(page.locator("textarea#question")).to_be_focused()
    expect(page.locator("button[type=submit].send")).to_be_enabled()


def test_a_long_paste_becomes_a_file_of_a_question_that_waits(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(daemon.address)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    log_in(page, "claire")
    ask(page, "[[rate=20 tokens=100000]] Sans fin")
    page.wait_for_url("**/c/*")

    page.evaluate("(text) => navigator.clipboard.writeText(text)", "A pasted line.\n" * 300)
    page.locator("#question").focus()
    page.keyboard.press("ControlOrMeta+v")
    page.get_by_role("button", name="Joindre en fichier").click()
    expect(page.locator("#question")).to_have_value("")
    expect(page.locator("button.file-name")).to_have_text("texte collé.txt")
    expect(page.locator("#question")).to_be_focused()
    page.keyboard.type("[[echo]] Résume")
    page.keyboard.press("Enter")
    waiting = page.get_by_role("region", name="Questions en attente")
    expect(waiting).to_contain_text("1 fichier")
    expect(page.locator("button.file-name")).to_have_count(0)
    picture(page, "waiting")

    page.get_by_role("button", name="Arrêter").click()
    waiting.get_by_role("button", name="Envoyer").click()
    expect(page.locator(".question .files-sent")).to_contain_text("texte collé.txt")
    expect(page.locator(".markdown").last).to_contain_text("A pasted line.")


def test_no_more_files_are_taken_than_go_with_a_question_which_stays_in_sight(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(
        f"{daemon.address}/login", locale="fr-FR", viewport={"width": 390, "height": 844}
    )
    log_in(page, "claire")

    choose(page, *((f"un compte rendu de réunion {number}.txt", b"x") for number in range(12)))
    names = page.locator("button.file-name")
    expect(names).to_have_count(10, timeout=30_000)
    expect(page.locator("textarea")).to_be_in_viewport(ratio=1)
    left_out = page.get_by_text("Une question prend 10 fichiers au plus.")
    expect(left_out).to_contain_text(re.compile("réunion 10.txt.*réunion 11.txt"))
    expect(left_out).to_be_in_viewport(ratio=1)
    picture(page, "left-out")

    page.locator(".file-remove").first.click()
    drop(page, "onze.txt", "x")
    expect(names).to_have_count(10)
    expect(left_out).to_have_count(0)
    ask(page, "Résume")
    expect(page.locator(".question .files-sent li")).to_have_count(10)
