"""Looking for something one has read: from three letters to the very message, wherever it is."""

import sqlite3
from contextlib import closing

from playwright.sync_api import Locator, Page, expect

from couachgptd.storage.database import FILE_NAME
from tests.e2e.conftest import PICTURES, OpenPage
from tests.e2e.people import log_in
from tests.running_daemon import RunningDaemon

PARAGRAPH = "The tide turns, the boats swing round. " * 12


def write_conversation(site: RunningDaemon) -> None:
    """Keep 60 exchanges of ada's; the third has an older answer on a branch of its own."""
    with closing(sqlite3.connect(site.data / FILE_NAME)) as opened, opened:
        (ada,) = opened.execute("SELECT id FROM users WHERE login = 'ada'").fetchone()
        opened.execute(
            "INSERT INTO conversations (id, kind, owner_id, title, created_at, updated_at)"
            " VALUES ('AAAABBBBCCCCDDDD', 'chat', ?, 'Évasions d’été', 0, 0)",
            (ada,),
        )
        parent = None
        for number in range(1, 121):
            is_question = number % 2 == 1
            text = f"Question {number}?" if is_question else f"Answer {number}. {PARAGRAPH}"
            if number == 7:
                text = "Where does the hérisson sleep?"
            opened.execute(
                "INSERT INTO messages (id, conversation_id, parent_id, author, text, created_at)"
                " VALUES (?, 'AAAABBBBCCCCDDDD', ?, ?, ?, ?)",
                (number, parent, "person" if is_question else "model", text, number),
            )
            parent = number
        opened.execute(
            "INSERT INTO messages (id, conversation_id, parent_id, author, text, created_at)"
            " VALUES (121, 'AAAABBBBCCCCDDDD', 120, 'person', 'Last one?', 121)"
        )
        opened.execute(
            "UPDATE messages SET parent_id = 5, text = 'Under the zwieback <b>tree</b>'"
            " WHERE id = 6"
        )
        opened.execute("UPDATE messages SET parent_id = 5 WHERE id = 7")
        opened.execute(
            "INSERT INTO attachments (id, message_id, owner_id, name, media_type, size_bytes,"
            " sha256, created_at) VALUES ('a', 9, ?, 'Compte rendu d’été.pdf', '', 1, '', 0)",
            (ada,),
        )


def article(page: Page, message: int) -> Locator:
    return page.locator(f"#message-{message}")


def test_a_few_letters_lead_to_the_message_wherever_it_is(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    write_conversation(site)
    page = open_page(site.address)
    PICTURES.mkdir(parents=True, exist_ok=True)
    log_in(page, "ada")

    page.keyboard.press("Control+k")
    page.keyboard.type("heris")
    hit = page.get_by_role("search").get_by_role("link").filter(has_text="Where does")
    expect(hit.locator("mark")).to_have_text("hérisson")
    page.keyboard.press("ArrowDown")
    expect(hit).to_be_focused()
    page.keyboard.press("Enter")

    # It is 115 messages up, where no message is drawn before it is asked for.
    page.wait_for_url("**/c/AAAABBBBCCCCDDDD#7")
    expect(article(page, 7)).to_be_in_viewport()
    expect(article(page, 7)).to_be_focused()
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()  # only the messages moved

    # Another branch of the same conversation, and nothing in a text is markup.
    page.keyboard.press("Control+k")
    page.keyboard.type("zwieback tree")
    other = page.get_by_role("search").get_by_role("link").filter(has_text="<b>tree</b>")
    expect(other.locator("mark")).to_have_text(["zwieback", "tree"])
    other.click()
    expect(article(page, 6)).to_be_in_viewport()
    expect(article(page, 7)).to_have_count(0)

    page.reload()
    expect(article(page, 6)).to_be_in_viewport()
    expect(page.get_by_role("heading", level=1)).to_be_in_viewport()
    page.go_back()
    expect(article(page, 7)).to_be_in_viewport()

    page.keyboard.press("Control+k")
    page.keyboard.type("compte rendu d’ete.pdf")
    file = page.get_by_role("search").get_by_role("link")
    expect(file.locator("mark")).to_have_text(["Compte", "rendu", "d’été.pdf"])
    page.screenshot(path=str(PICTURES / "search-file.png"))
    file.click()
    expect(article(page, 9)).to_be_in_viewport()

    page.keyboard.press("Control+k")
    page.keyboard.type("ete")
    expect(page.get_by_role("search").get_by_role("link").first).to_have_text("Évasions d’été")
    page.keyboard.type(" qqq")
    expect(page.get_by_text("Nothing found.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("navigation").get_by_text("Évasions d’été")).to_be_visible()

    phone = open_page(site.address, viewport={"width": 390, "height": 844})
    log_in(phone, "ada")
    phone.get_by_role("button", name="Show the conversations").click()
    phone.get_by_label("Search in your conversations").fill("heris")
    phone.get_by_role("search").get_by_role("link").first.click()
    expect(article(phone, 7)).to_be_in_viewport()
    expect(phone.get_by_label("Search in your conversations")).not_to_be_visible()
