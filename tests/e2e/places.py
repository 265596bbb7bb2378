"""Every page and dialog of the chat, and the way to each: for all that has to be true of every one.

A walk is a person's way through some of them; at each place it lets somebody look: axe-core, a
camera. On the way back from each dialog the focus is where it was.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page, expect

from couachgptd.i18n import translations
from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, log_in, wait_for_end
from tests.running_daemon import RunningDaemon

LONG_TITLE = (
    "Compte rendu de la réunion des chefs d’atelier sur les délais de livraison du printemps"
)
# Animations that end have ended, also one that is cut short by what it moves being gone.
AT_REST = """() => Promise.allSettled(document.getAnimations()
  .filter((each) => each.effect.getComputedTiming().endTime !== Infinity)
  .map((each) => each.finished))"""


class Visit:
    """A new person on their way, in one language; `look` is called at each place."""

    def __init__(
        self,
        daemon: RunningDaemon,
        open_page: OpenPage,
        look: Callable[[Page, str], None],
        language: str = "fr",
        **options: Any,
    ) -> None:
        self.daemon = daemon
        self._open_page = open_page
        self._look = look
        self._language = language
        self._options = {"locale": f"{language}-FR", **options}
        self.page = self.open("/login")

    def open(self, path: str = "/") -> Page:
        """Open a page of another browser."""
        return self._open_page(self.daemon.address + path, **self._options)

    def enter(self, name: str) -> str:
        """Make an account for somebody of this name, and log in; return the login."""
        login = f"{name.split(maxsplit=1)[0].lower()}-{secrets.token_hex(3)}"
        self.daemon.add_user(login, name=name, language=self._language)
        log_in(self.page, login)
        return login

    def said(self, key: str, **fields: str) -> str:
        text = translations(self._language).gettext(key)
        for name, value in fields.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def look(self, place: str, page: Page | None = None) -> None:
        seen = page or self.page
        seen.evaluate(AT_REST)
        self._look(seen, place)

    # --- what there is on the way

    def button(self, key: str, within: Locator | None = None, **fields: str) -> Locator:
        return (within or self.page.locator("body")).get_by_role(
            "button", name=self.said(key, **fields), exact=True
        )

    @property
    def dialog(self) -> Locator:
        """The dialog that lies over all others."""
        return self.page.get_by_role("dialog").last

    @property
    def menu(self) -> Locator:
        return self.page.get_by_role("menu")

    @property
    def actions(self) -> Locator:
        return self.button("Actions for this conversation", self.page.locator("header"))

    @contextmanager
    def within(
        self, opener: Locator, place: str, shows: Locator | None = None
    ) -> Iterator[Locator]:
        """Open something by its button, look at it, and leave it by Escape, back at the button."""
        shown = shows or self.dialog
        opener.click()
        expect(shown).to_be_visible()
        self.page.wait_for_load_state("networkidle")
        self.look(place)
        yield shown
        self.page.keyboard.press("Escape")
        expect(shown).to_be_hidden()
        expect(opener).to_be_focused()

    def pass_by(self, opener: Locator, place: str, shows: Locator | None = None) -> None:
        with self.within(opener, place, shows):
            pass

    @contextmanager
    def act(self, key: str, place: str) -> Iterator[Locator]:
        """Choose something in the menu of the conversation, which opens a dialog."""
        self.actions.click()
        self.menu.get_by_role("menuitem", name=self.said(key), exact=True).click()
        expect(self.dialog).to_be_visible()
        self.page.wait_for_load_state("networkidle")
        self.look(place)
        yield self.dialog
        self.page.keyboard.press("Escape")
        expect(self.page.get_by_role("dialog")).to_have_count(0)
        expect(self.actions).to_be_focused()

    def show_list(self) -> None:
        """See the conversations: on a phone they are in a drawer."""
        opener = self.button("Show the conversations")
        if opener.is_visible():
            opener.click()
        expect(self.page.locator("aside summary")).to_be_visible()

    def ask(self, question: str) -> None:
        ask(self.page, question)
        wait_for_end(self.page)
        expect(self.actions).to_be_visible()


# --- the walks


def outside(visit: Visit) -> None:
    page = visit.page
    visit.look("login")
    page.fill("input[name=login]", "personne")
    page.fill("input[name=password]", "un mauvais mot de passe")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    visit.look("login-refused")
    for path in ("register", "nowhere", "offline"):
        page.goto(f"{visit.daemon.address}/{path}")
        visit.look(path)


def reading(visit: Visit) -> None:
    """An answer, its details, its other versions; the question, written anew."""
    visit.enter("Jeanne Barret")
    expect(visit.page.locator(".gauge")).to_be_visible()
    visit.look("chat-empty")
    visit.ask("Comment calculer la moyenne d’une liste ? Je pense à Python. [[tokens=120]]")
    visit.look("chat-answer")
    another = visit.button("Answer again with another model")
    visit.pass_by(another, "answer-models", visit.menu)
    another.click()
    visit.menu.get_by_role("menuitem").last.click()
    expect(visit.page.get_by_role("group").get_by_text("2/2")).to_be_visible()
    wait_for_end(visit.page)
    visit.look("answer-versions")
    visit.pass_by(visit.page.locator(".figures"), "answer-details")
    edit = visit.button("Edit")
    edit.click()
    anew = visit.page.get_by_label(visit.said("Your question, written anew"))
    expect(anew).to_be_focused()
    expect(anew).to_be_in_viewport(ratio=1)
    visit.look("question-editor")
    visit.page.keyboard.press("Escape")
    expect(edit).to_be_focused()
    visit.page.locator("#question").press("ArrowUp")
    expect(anew).to_be_in_viewport(ratio=1)


def choosing(visit: Visit) -> None:
    """The model, the settings of the conversation, a preset of them, what is sent."""
    visit.enter("Jeanne Barret")
    visit.ask("[[tokens=20]] Bonjour, où en est le chantier 42 ?")
    visit.pass_by(visit.page.locator(".choice"), "choose-model")
    visit.pass_by(visit.button("Settings of this conversation"), "choose-settings")
    visit.button("Settings of this conversation").click()
    visit.page.get_by_label(visit.said("Instructions for the model")).fill("Réponds en vers.")
    visit.button("Save these settings as a preset…").click()
    visit.look("preset-save")
    visit.page.get_by_label(visit.said("Name of the preset")).fill("En vers et pas en prose")
    visit.button("Save the preset").click()
    visit.pass_by(visit.page.locator(".choice", has_text="En vers"), "choose-preset")
    visit.pass_by(visit.page.locator(".gauge"), "context")


def writing(visit: Visit) -> None:
    """Files, prompts, the keys, a question that waits."""
    visit.enter("Jeanne Barret")
    page = visit.page
    page.locator("input[type=file]").set_input_files(
        [
            FilePayload(name=name, mimeType="", buffer=data)
            for name, data in (
                ("réunion-du-mardi.md", b"# Notes\n\nThe meeting is on Tuesday."),
                ("un-nom-de-fichier-vraiment-tres-long-pour-un-plan-de-pont-v12.csv", b"a;b\n1;2"),
                ("vide.txt", b""),
            )
        ]
    )
    expect(page.locator("button.file-name")).to_have_count(2)
    expect(page.locator(".is-refused")).to_have_count(1)
    visit.look("files")
    read = visit.dialog.filter(has=page.locator(".file-text"))
    visit.pass_by(page.locator("button.file-name").first, "file-to-send", read)
    page.locator(".is-refused .file-remove").click()
    visit.ask("[[tokens=20]] Quand est la réunion ?")
    visit.pass_by(page.locator(".files-sent button").first, "file-sent", read)

    field = page.locator("#question")
    field.fill("/")
    expect(page.get_by_role("listbox")).to_be_visible()
    visit.look("prompts-offered")
    field.press("ArrowUp")
    field.press("Enter")
    expect(visit.button("New prompt")).to_be_enabled()
    visit.look("prompts")
    visit.button("New prompt").click()
    visit.look("prompt-editor")
    page.keyboard.press("Escape")
    field.fill("")
    page.keyboard.press("Control+/")
    expect(visit.dialog).to_be_visible()
    visit.look("shortcuts")
    page.keyboard.press("Escape")
    expect(field).to_be_focused()

    # Its answer stands still in the middle: a heading that just begins is none yet.
    ask(page, "[[hang_after=60]] Écris une longue histoire de bateau.")
    field.fill("Et puis traduis-la en anglais, s’il te plaît.")
    field.press("Enter")
    expect(page.get_by_role("region", name=visit.said("Questions that wait"))).to_be_visible()
    expect(page.locator("article.answer").last).to_contain_text("vérifier la réponse")
    visit.look("question-waiting")
    visit.button("Stop").click()
    wait_for_end(page)
    visit.look("answer-stopped")


def arranging(visit: Visit) -> None:
    """The menu of a conversation, its dialogs, folders."""
    visit.enter("Jeanne Barret")
    page = visit.page
    visit.ask("[[tokens=3]] Tarte aux pommes")
    visit.pass_by(visit.actions, "menu", visit.menu)
    with visit.act("Rename…", "rename") as dialog:
        dialog.get_by_role("textbox").fill(LONG_TITLE)
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text(LONG_TITLE)
    with visit.act("Move to a folder…", "move") as dialog:
        dialog.get_by_label(visit.said("Name of the new folder")).fill("Recettes")
        page.keyboard.press("Enter")
        expect(dialog).to_be_hidden()
    with visit.act("Move to a folder…", "move-again"):
        pass
    with visit.act("Delete…", "delete"):
        pass
    visit.show_list()
    visit.look("list")
    visit.pass_by(visit.button("New folder"), "folder-new")
    change = visit.button("Change the folder {name}", name="Recettes")
    visit.pass_by(change, "folder-change")


def finding(visit: Visit) -> None:
    """The account's menu, search, archive, bin."""
    visit.enter("Jeanne Barret")
    page = visit.page
    visit.ask("[[tokens=3]] Tarte aux pommes")
    visit.show_list()
    visit.pass_by(page.locator("aside summary"), "account-menu", page.locator(".menu-panel"))
    box = page.get_by_label(visit.said("Search in your conversations"))
    box.fill("tarte")
    expect(page.get_by_role("search").locator("mark").first).to_be_visible()
    visit.look("search")
    box.fill("zwieback")
    expect(page.get_by_role("search").get_by_role("link")).to_have_count(0)
    visit.look("search-nothing")
    page.keyboard.press("Escape")
    visit.pass_by(visit.button("Archives"), "archive-empty")
    visit.pass_by(visit.button("Bin"), "bin-empty")
    page.reload()

    for key in ("Archive", "Delete…"):
        visit.actions.click()
        visit.menu.get_by_role("menuitem", name=visit.said(key), exact=True).click()
        if key == "Delete…":
            visit.button("Delete", visit.dialog).click()
        expect(page.locator(".toast")).to_be_visible()
        visit.look("toast-archived" if key == "Archive" else "toast-deleted")
        visit.show_list()
        shelf = visit.button("Archives" if key == "Archive" else "Bin")
        with visit.within(shelf, "archive" if key == "Archive" else "bin") as dialog:
            expect(dialog.get_by_role("listitem")).to_have_count(1)
            if key == "Delete…":
                empty = visit.button("Empty the bin…")
                visit.pass_by(empty, "bin-emptying", visit.page.get_by_role("dialog").nth(1))
        page.keyboard.press("Escape")


def carrying(visit: Visit) -> None:
    """Sharing, import, export, the page to read, the page to print."""
    visit.enter("Jeanne Barret")
    visit.ask("[[tokens=120]] Où dort le hérisson en hiver ?")
    address = visit.daemon.address
    with visit.act("Export…", "export") as dialog:
        paper = dialog.get_by_role("link", name=visit.said("Print or PDF")).get_attribute("href")
    colleague = Visit(
        visit.daemon, visit._open_page, visit._look, visit._language, **visit._options
    )
    login = colleague.enter("Marc Le Gall")
    with visit.act("Share…", "share") as dialog:
        dialog.get_by_role("searchbox").fill(login)
        found = dialog.get_by_role("listitem").filter(has_text=login)
        visit.button("Share with {name}", found, name="Marc Le Gall").click()
        expect(dialog.get_by_role("status")).not_to_be_empty()
        dialog.get_by_role("searchbox").fill("personne de ce nom")
        expect(dialog.get_by_text(visit.said("Nobody has this name."))).to_be_visible()
        visit.look("share-given")
        dialog.get_by_role("searchbox").fill("")
    visit.show_list()
    visit.pass_by(visit.button("Shared with me"), "shared-empty")
    visit.page.locator("aside summary").click()
    visit.page.get_by_role("button", name=visit.said("Import and export…")).click()
    expect(visit.dialog).to_be_visible()
    visit.look("files-import")
    visit.page.keyboard.press("Escape")
    expect(visit.page.locator("aside summary")).to_be_focused()

    visit.page.goto(address + str(paper))
    expect(visit.page.locator(".markdown")).not_to_be_empty()
    visit.look("document-print")
    colleague.show_list()
    with colleague.within(colleague.button("Shared with me"), "shared") as dialog:
        link = dialog.get_by_role("link").get_attribute("href")
    colleague.page.goto(address + str(link))
    expect(colleague.page.locator(".markdown")).not_to_be_empty()
    colleague.look("document-shared")


def profile(visit: Visit) -> None:
    login = visit.enter("Jeanne Barret")
    elsewhere = visit.open("/login")
    log_in(elsewhere, login)
    page = visit.page
    page.goto(f"{visit.daemon.address}/profile")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    visit.look("profile")
    visit.button("New prompt").click()
    visit.look("profile-prompt")
    page.get_by_label(visit.said("Title"), exact=True).fill("Résumer")
    page.get_by_label(visit.said("Text"), exact=True).fill("Résume ce texte : {{texte}}")
    visit.button("Save", page.get_by_role("region", name=visit.said("Prompts"))).click()
    visit.button("Delete “{title}”", title="Résumer").click()
    page.locator("details > summary").click()
    password = page.get_by_label(visit.said("Your password"), exact=True)
    password.fill("pas le bon")
    password.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    visit.look("profile-leaving")


WALKS = [outside, reading, choosing, writing, arranging, finding, carrying, profile]
