"""What people do, from the first visit to the answer that survives everything."""

import re
from contextlib import closing

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import LAN_NAME, OpenPage
from tests.e2e.people import (
    LONG,
    answer,
    ask,
    database,
    kept_answer,
    log_in,
    submit,
    text_length_grows,
    wait_for_end,
)
from tests.running_daemon import PASSWORD, RunningDaemon


def plain(text: str) -> str:
    """Reduce a text to its letters and digits: what markdown shows and what it was made of."""
    return re.sub(r"[\W_]+", "", text)


def test_the_main_job_from_registration_to_an_answer_that_survives(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{site.address}/register")
    page.fill("input[name=login]", "tom")
    page.fill("input[name=name]", "Tom Martin")
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=password_again]", PASSWORD)
    submit(page)
    expect(page.get_by_role("status").or_(page.get_by_role("alert")).first).to_be_visible()

    page.fill("input[name=login]", "tom")
    page.fill("input[name=password]", PASSWORD)
    submit(page)
    expect(page.get_by_role("alert")).to_contain_text("approv")

    assert site.control("POST", "/v1/users/tom/approve")[0] == 200
    log_in(page, "tom")
    ask(page, LONG)
    first = text_length_grows(page)
    second = text_length_grows(page, beyond=first + 40)

    page.reload()
    after_reload = text_length_grows(page, beyond=second)
    assert after_reload > second
    expect(page.locator("article.answer")).to_have_count(1)
    wait_for_end(page)
    shown = answer(page).inner_text()
    text, state = kept_answer(site)
    assert state == "done"
    assert plain(shown) == plain(text), "the answer is complete, and there once"

    site.stop()
    site.start()
    page.reload()
    expect(page.locator("article.answer")).to_have_count(1)
    expect(answer(page)).to_have_text(re.compile(re.escape(shown.split("\n")[0][:40])))
    assert plain(answer(page).inner_text()) == plain(text)


def test_two_people_see_nothing_of_one_another(site: RunningDaemon, open_page: OpenPage) -> None:
    site.add_user("bob", language="en")
    hers = open_page(site.address)
    log_in(hers, "ada")
    ask(hers, "Say hello.")
    text_length_grows(hers)
    hers.wait_for_url("**/c/*")

    his = open_page(site.address)
    log_in(his, "bob")
    expect(his.get_by_role("navigation").get_by_text("Say hello.")).to_have_count(0)
    response = his.goto(hers.url)
    assert response is not None
    assert response.status == 404
    unknown = his.goto(f"{site.address}/c/AAAAAAAAAAAAAAAA")
    assert unknown is not None
    assert unknown.status == 404, "what is hers and what is nowhere look the same"


def test_a_daemon_killed_in_mid_answer_keeps_the_question_and_what_was_written(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(site.address)
    log_in(page, "ada")
    ask(page, LONG)
    length = text_length_grows(page, beyond=200)
    page.wait_for_timeout(1500)  # so that a flush lies behind; the point is its age
    seen = int(page.evaluate("document.querySelector('.markdown').textContent.length"))
    site.kill()

    site.start()
    expect(page.get_by_role("button", name="Continue", exact=True)).to_be_enabled()
    expect(page.get_by_role("button", name="Answer again", exact=True)).to_be_enabled()
    expect(page.locator("article.question")).to_have_text(re.compile("Write a very long story"))
    text, state = kept_answer(site)
    assert state == "interrupted"
    assert len(text) >= length
    # At most about a second of it is lost: SmolLM2 writes under 250 tokens a second here.
    assert len(text) >= seen - 250 * 5
    with closing(database(site)) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    page.get_by_role("button", name="Continue", exact=True).click()
    text_length_grows(page, beyond=len(text))


def test_stop_keeps_what_was_written_and_offers_to_go_on(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(site.address)
    log_in(page, "ada")
    ask(page, LONG)
    text_length_grows(page, beyond=100)
    page.get_by_role("button", name="Stop").click()

    wait_for_end(page)
    text, state = kept_answer(site)
    assert state == "stopped"
    assert len(text) > 100
    expect(page.get_by_role("button", name="Continue", exact=True)).to_be_enabled()


def test_two_tabs_of_one_person_see_the_same(site: RunningDaemon, open_page: OpenPage) -> None:
    one = open_page(site.address)
    log_in(one, "ada")
    ask(one, LONG)
    text_length_grows(one)
    one.wait_for_url("**/c/*")

    two = one.context.new_page()
    two.goto(one.url)
    text_length_grows(two, beyond=50)
    two.get_by_role("button", name="Stop").click()

    wait_for_end(one)
    wait_for_end(two)
    assert answer(one).inner_text() == answer(two).inner_text()


def test_a_tab_that_is_closed_neither_stops_nor_loses_the_answer(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(site.address)
    log_in(page, "ada")
    ask(page, LONG)
    before = text_length_grows(page)
    page.wait_for_url("**/c/*")
    address = page.url
    again = page.context.new_page()
    page.close()

    again.goto(address)
    assert text_length_grows(again, beyond=before) > before


def test_everything_works_on_plain_http_under_another_name(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"http://{LAN_NAME}:{site.port}/")
    assert page.evaluate("window.isSecureContext") is False
    log_in(page, "ada")
    ask(page, "Say hello.")
    text_length_grows(page)
    wait_for_end(page)
    page.locator("article.answer").get_by_role("button", name="Copy").first.click()
    expect(page.locator("article.answer").get_by_text("Copied").first).to_be_visible()


@pytest.mark.parametrize(
    ("values", "alert"),
    [
        (("ada", "Ada", PASSWORD, PASSWORD), "taken"),
        (("eve", "Eve", "short", "short"), "10"),
        (("eve", "Eve", PASSWORD, PASSWORD + "?"), "differ"),
    ],
)
def test_a_refused_registration_says_why_and_keeps_what_was_typed(
    site: RunningDaemon, open_page: OpenPage, values: tuple[str, ...], alert: str
) -> None:
    page = open_page(f"{site.address}/register")
    for name, value in zip(("login", "name", "password", "password_again"), values, strict=True):
        page.fill(f"input[name={name}]", value)
    page.locator("main form").first.evaluate("form => { form.noValidate = true; }")
    submit(page)

    expect(page.get_by_role("alert")).to_contain_text(alert)
    expect(page.locator("input[name=login]")).to_have_value(values[0])


def test_a_wrong_password_and_a_suspended_log_in_say_what_to_do(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(f"{site.address}/login", locale="fr-FR")
    page.fill("input[name=login]", "ada")
    page.fill("input[name=password]", "pas le bon mot de passe")
    submit(page)

    expect(page.get_by_role("alert")).to_contain_text("mot de passe")
    expect(page.locator("input[name=login]")).to_have_value("ada")


def test_pages_that_do_not_exist_are_ours(site: RunningDaemon, open_page: OpenPage) -> None:
    page = open_page(f"{site.address}/nowhere", locale="fr-FR")

    expect(page.locator("h1")).to_be_visible()
    expect(page.get_by_role("link").first).to_be_visible()


def test_the_first_administrator_comes_from_the_printed_link(
    new_site: RunningDaemon, open_page: OpenPage
) -> None:
    found = re.search(r"http://\S+/setup/\S+", new_site.log)
    assert found is not None
    page = open_page(found[0])
    page.fill("input[name=name]", "Le capitaine")
    page.fill("input[name=login]", "capitaine")
    page.fill("input[name=password]", PASSWORD)
    page.fill("input[name=password_again]", PASSWORD)
    submit(page)

    expect(page.locator("textarea")).to_be_visible()
    users = new_site.control("GET", "/v1/users")[1]["users"]
    assert [(user["login"], user["role"]) for user in users] == [("capitaine", "admin")]


def test_a_question_sent_while_the_server_is_away_leaves_once_it_is_back(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(site.address)
    log_in(page, "ada")
    site.stop()
    expect(page.get_by_text(re.compile("restarting|Connection lost"))).to_be_visible()
    page.locator("textarea").fill("Say hello.")
    page.keyboard.press("Enter")
    expect(page.locator("textarea")).to_have_value("Say hello.")

    site.start()
    text_length_grows(page)
    expect(page.locator("article.question")).to_have_count(1)
    expect(page.locator("textarea")).to_have_value("")


def test_logging_out_says_so_and_leaves_nothing_behind(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(site.address)
    log_in(page, "ada")
    ask(page, "Say hello.")
    text_length_grows(page)
    page.get_by_text("Ada Lovelace").click()
    page.get_by_role("button", name="Log out").click()

    page.wait_for_url("**/login?notice=signed_out")
    expect(page.get_by_role("status")).to_be_visible()
    page.go_back()
    expect(page.locator("input[name=password]")).to_be_visible()


def test_a_conversation_is_renamed_deleted_and_brought_back_in_every_tab(
    site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(site.address)
    log_in(page, "ada")
    ask(page, "Say hello.")
    page.wait_for_url("**/c/*")
    wait_for_end(page)
    other = page.context.new_page()
    other.goto(page.url)

    page.get_by_role("button", name="Actions for Say hello.").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Rename…")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Title")).to_have_value("Say hello.")
    page.keyboard.type("Greetings")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Actions for Greetings")).to_be_focused()
    expect(other.locator("h1")).to_have_text("Greetings")

    page.get_by_role("button", name="Actions for this conversation").click()
    page.get_by_role("menuitem", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("“Greetings” is in the bin.")).to_be_visible()
    expect(page.locator("h1")).to_have_text("New conversation")
    for _ in range(2):
        expect(other.get_by_text("This conversation is in the bin.")).to_be_visible()
        expect(other.locator("textarea")).to_have_count(0)
        expect(other.locator("article.answer")).to_have_count(1)
        other.reload()

    page.get_by_role("button", name="Undo").click()
    expect(page.locator("h1")).to_have_text("Greetings")
    expect(page.locator("textarea")).to_be_visible()
    expect(other.locator("textarea")).to_be_visible()
    expect(other.get_by_role("navigation").get_by_text("Greetings")).to_be_visible()

    other.set_viewport_size({"width": 390, "height": 844})
    other.get_by_role("button", name="Show the conversations").click()
    other.get_by_role("button", name="Actions for Greetings").click()
    other.get_by_role("menuitem", name="Pin").click()
    expect(other.get_by_role("heading", name="Pinned")).to_be_visible()
    other.keyboard.press("Escape")
    expect(other.get_by_role("button", name="Show the conversations")).to_be_focused()
    expect(page.get_by_role("heading", name="Pinned")).to_be_visible()
