"""Folders: made, filled by the menu and by dragging, in two tabs, on a phone and by keys alone."""

import re
import sqlite3
from contextlib import closing

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, log_in, wait_for_end
from tests.running_daemon import RunningDaemon


def begin(page: Page, question: str) -> None:
    page.get_by_role("link", name="Nouvelle conversation").click()
    ask(page, f"[[tokens=2]] {question}")
    wait_for_end(page)


def entry(page: Page, title: str) -> Locator:
    return page.get_by_role("navigation").get_by_role("link", name=re.compile(title))


def folder(page: Page, name: str) -> Locator:
    return page.locator(".folder", has=page.get_by_role("button", name=name, exact=True))


def make(page: Page, name: str) -> None:
    page.get_by_role("button", name="Nouveau dossier").click()
    dialog = page.get_by_role("dialog", name="Nouveau dossier")
    dialog.get_by_label("Nom").fill(name)
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()


def test_a_conversation_is_put_into_folders_and_each_tab_sees_it(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{daemon.address}/login", locale="fr-FR")
    log_in(page, "claire")
    begin(page, "Tarte aux pommes")
    begin(page, "Bilan de l’an")
    other = page.context.new_page()
    other.goto(daemon.address)
    make(page, "Recettes")
    expect(folder(other, "Recettes")).to_be_visible()

    # By dragging, and back by Undo.
    entry(page, "Tarte").drag_to(folder(page, "Recettes"))
    expect(folder(page, "Recettes").get_by_role("link", name=re.compile("Tarte"))).to_be_visible()
    expect(folder(other, "Recettes").get_by_role("link", name=re.compile("Tarte"))).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Recettes")).to_be_visible()
    page.get_by_role("button", name="Annuler").click()
    expect(folder(other, "Recettes").get_by_role("link")).to_have_count(0)

    # By the menu, with keys alone, into a folder that is made there.
    entry(page, "Bilan").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Ranger dans un dossier")
    expect(dialog.get_by_role("radio", name="Aucun dossier")).to_be_checked()
    dialog.get_by_role("radio", name="Aucun dossier").focus()
    page.keyboard.press("ArrowUp")
    dialog.get_by_label("Nom du nouveau dossier").fill("Travail")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    filed = folder(page, "Travail").get_by_role("link", name=re.compile("Bilan"))
    expect(filed).to_be_visible()

    # Arrows fold it, and it stays folded.
    folder(page, "Travail").get_by_role("button", name="Travail", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    expect(filed).to_be_hidden()
    page.reload()
    expect(folder(page, "Travail")).to_be_visible()
    expect(filed).to_be_hidden()
    page.get_by_role("button", name="Travail", exact=True).click()
    expect(filed).to_be_visible()

    # Removed, what is in it stays; Undo brings it back as it was.
    page.get_by_role("button", name="Modifier le dossier Travail").click()
    page.get_by_role("dialog").get_by_role("button", name="Supprimer").click()
    expect(folder(page, "Travail")).to_have_count(0)
    expect(entry(page, "Bilan")).to_be_visible()
    page.get_by_role("button", name="Annuler").click()
    expect(filed).to_be_visible()

    # A name that is taken is refused where it was written, and nothing is lost.
    page.get_by_role("button", name="Modifier le dossier Travail").click()
    page.get_by_role("dialog").get_by_label("Nom").fill("recettes")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Recettes")
    expect(page.get_by_role("dialog").get_by_label("Nom")).to_have_value("recettes")


def test_older_conversations_come_as_one_scrolls_and_the_bin_is_emptied(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    with closing(sqlite3.connect(daemon.data / "couachgpt.db", timeout=10)) as store:
        (marc,) = store.execute("SELECT id FROM users WHERE login = 'marc'").fetchone()
        store.executemany(
            "INSERT INTO conversations (id, kind, owner_id, title, created_at, updated_at,"
            " deleted_at) VALUES (?, 'chat', ?, ?, ?, ?, ?)",
            [
                (f"{shelf}{number:04d}", marc, f"{shelf} {number}", 0, number * 60_000,
                 number * 60_000 + 1 if shelf == "jetée" else None)
                for shelf in ("ancienne", "jetée")
                for number in range(1, 211)
            ],
        )  # fmt: skip
        store.commit()
    page = open_page(
        f"{daemon.address}/login", locale="fr-FR", viewport={"width": 390, "height": 844}
    )
    log_in(page, "marc")
    page.get_by_role("button", name="Afficher les conversations").click()
    oldest = page.get_by_role("link", name="ancienne 1", exact=True)
    expect(page.get_by_role("link", name="ancienne 210", exact=True)).to_be_visible()
    expect(oldest).to_have_count(0)

    page.get_by_role("link", name="ancienne 11", exact=True).scroll_into_view_if_needed()
    oldest.scroll_into_view_if_needed()
    expect(page.get_by_role("button", name="Voir les plus anciennes")).to_have_count(0)

    page.get_by_role("button", name="Corbeille").click()
    gone = page.get_by_role("dialog", name="Corbeille")
    expect(gone.get_by_role("listitem")).to_have_count(200)
    gone.get_by_role("button", name="Voir les plus anciennes").click()
    expect(gone.get_by_role("listitem")).to_have_count(210)
    gone.get_by_role("button", name="Vider la corbeille…").click()
    sure = page.get_by_role("dialog", name="Vider la corbeille")
    expect(sure).to_contain_text("210 conversations")
    sure.get_by_role("button", name="Vider la corbeille").click()
    expect(gone).to_contain_text("La corbeille est vide.")
    expect(gone.get_by_role("button", name="Fermer")).to_be_focused()
