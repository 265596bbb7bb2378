"""Writing: drafts, questions that wait, prompts and keys, as a person at a browser uses them."""

import sqlite3
from contextlib import closing

from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, database, log_in, wait_for_end
from tests.running_daemon import RunningDaemon

ENDLESS = "[[rate=20 tokens=100000]] Sans fin"


def questions(daemon: RunningDaemon, login: str) -> list[str]:
    with closing(database(daemon)) as opened:
        rows = opened.execute(
            "SELECT text FROM messages JOIN users ON users.id = author_id WHERE login = ?"
            " ORDER BY messages.id",
            (login,),
        ).fetchall()
    return [text for (text,) in rows]


def type_ahead(page: Page, question: str) -> None:
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    expect(page.locator("#question")).to_have_value("")


def test_a_draft_is_in_the_other_tab_after_a_reload_and_not_after_the_log_out(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{daemon.address}/login")
    log_in(page, "marc")
    other = page.context.new_page()
    other.goto(daemon.address)
    page.locator("#question").fill("À moitié")
    expect(other.locator("#question")).to_have_value("À moitié")
    other.locator("#question").press_sequentially(" écrit")
    expect(page.locator("#question")).to_have_value("À moitié écrit")
    page.reload()
    expect(page.locator("#question")).to_have_value("À moitié écrit")

    other.close()
    page.locator("summary:has(.badge)").click()
    page.get_by_role("button", name="Se déconnecter").click()
    page.wait_for_url("**/login*")
    assert (
        page.evaluate("Object.keys(localStorage).filter((name) => /draft|ahead/.test(name))") == []
    )


def test_questions_that_wait_leave_in_order_once_and_survive_a_reload(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{daemon.address}/login")
    log_in(page, "claire")
    ask(page, ENDLESS)
    page.wait_for_url("**/c/*")
    waiting = page.get_by_role("region", name="Questions en attente")
    type_ahead(page, "[[tokens=2]] Deuxieme")
    type_ahead(page, "[[tokens=2]] Troisième")
    expect(waiting.get_by_role("listitem")).to_have_count(2)

    # The last one is changed by the keyboard; leaving it is not stopping the answer.
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Escape")
    expect(page.locator("#question")).to_be_focused()
    waiting.get_by_role("button", name="Modifier").first.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("[[tokens=2]] Deuxième")
    page.keyboard.press("Enter")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("region", name="Questions en attente")).to_contain_text("Deuxième")
    page.reload()
    expect(waiting).to_contain_text("Deuxième")

    # Escape closes what is open, and only then stops; after that what waits is asked about.
    page.keyboard.press("ControlOrMeta+/")
    expect(page.get_by_role("dialog")).to_contain_text("Raccourcis clavier")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Arrêter")).to_be_visible()
    page.locator("#question").focus()
    page.keyboard.press("Escape")
    expect(waiting).to_contain_text("n’est pas allée jusqu’au bout")
    assert len(questions(daemon, "claire")) == 1

    # Both tabs see the end of each answer, and each question leaves once.
    waiting.get_by_role("button", name="Envoyer").click()
    expect(page.locator("article.question")).to_have_count(3)
    expect(waiting).to_have_count(0)
    expect(other.locator("article.question")).to_have_count(3)
    wait_for_end(page)
    assert questions(daemon, "claire") == [
        ENDLESS,
        "[[tokens=2]] Deuxième",
        "[[tokens=2]] Troisième",
    ]


def test_a_prompt_is_written_found_filled_in_and_used_by_the_keyboard(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{daemon.address}/login")
    log_in(page, "ada")
    field = page.locator("#question")
    field.press_sequentially("/")
    options = page.get_by_role("listbox", name="Prompts").get_by_role("option")
    expect(options).to_have_count(1)
    field.press("ArrowDown")
    field.press("Enter")
    dialog = page.get_by_role("dialog", name="Prompts")
    dialog.get_by_role("button", name="Nouveau prompt").click()
    page.keyboard.type("Résumé bref")
    page.keyboard.press("Tab")
    page.keyboard.type("Résume {{texte}} pour {{qui}}.")
    dialog.get_by_label("Le partager avec tout le monde").check()
    dialog.get_by_role("button", name="Enregistrer").click()
    expect(dialog).to_contain_text("Partagés avec tout le monde")
    page.keyboard.press("Escape")

    field.fill("")
    field.press_sequentially("/resu")
    expect(options).to_have_count(2)
    expect(field).to_have_attribute("aria-activedescendant", str(options.first.get_attribute("id")))
    field.press("Enter")
    form = page.get_by_role("dialog", name="Résumé bref")
    form.get_by_label("texte").fill("le rapport")
    form.get_by_label("qui").fill("Anne")
    form.get_by_role("button", name="Compléter").click()
    expect(field).to_have_value("Résume le rapport pour Anne.")
    expect(field).to_be_focused()

    page.keyboard.press("Control+Shift+O")
    expect(page.get_by_role("heading", level=1)).to_have_text("Nouvelle conversation")
    with closing(sqlite3.connect(daemon.data / "couachgpt.db")) as opened:
        assert opened.execute("SELECT owner_id FROM saved_prompts").fetchall() == [(None,)]
