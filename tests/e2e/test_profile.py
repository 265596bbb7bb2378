"""The profile page as people use it, beside the chat in another tab."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import LAN_NAME, OpenPage
from tests.e2e.people import ask, log_in, wait_for_end
from tests.running_daemon import PASSWORD, RunningDaemon

HIDE = """(isHidden) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => isHidden });
  document.dispatchEvent(new Event('visibilitychange'));
}"""
SHOWN = "window.shown.map(({ title, body }) => [title, body])"
# The browser that is run here has nowhere to show one: what it was asked for is noted.
NOTE_NOTIFICATIONS = """window.shown = [];
window.Notification = class {
  static permission = 'default';
  static requestPermission = async () => (window.Notification.permission = 'granted');
  constructor(title, { body }) { window.shown.push({ title, body }); }
  close() {}
};"""


def entered(daemon: RunningDaemon, open_page: OpenPage, login: str) -> Page:
    daemon.add_user(login)
    page = open_page(f"{daemon.address}/login", locale="fr-FR", timezone_id="Europe/Paris")
    log_in(page, login)
    return page


def profile_beside(page: Page, daemon: RunningDaemon) -> Page:
    other = page.context.new_page()
    other.goto(f"{daemon.address}/profile")
    return other


def test_a_name_and_a_time_zone_are_those_of_the_other_tab_at_once(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    chat = entered(daemon, open_page, "zoe")
    ask(chat, "[[tokens=3]] Bonjour")
    wait_for_end(chat)
    begun = chat.locator("header time")
    before = begun.inner_text()
    profile = profile_beside(chat, daemon)

    profile.get_by_label("Nom", exact=True).fill("Zoé Le Gall")
    profile.get_by_role("button", name="Enregistrer").click()
    profile.get_by_label("Fuseau horaire").last.select_option("Asia/Tokyo")

    expect(chat.locator("aside summary")).to_contain_text("Zoé Le Gall")
    expect(begun).not_to_have_text(before)


def test_no_word_of_a_choice_is_broken_on_a_phone(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    profile = profile_beside(entered(daemon, open_page, "maël"), daemon)
    profile.set_viewport_size({"width": 390, "height": 844})

    for word in ("Clair", "Sombre"):
        lines = profile.get_by_role("button", name=word).evaluate(
            "(button) => { const all = new Range(); all.selectNodeContents(button);"
            " return all.getClientRects().length; }"
        )
        assert lines == 1, word


def test_another_session_can_be_ended_and_an_account_goes_with_its_password_alone(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    away = entered(daemon, open_page, "yann")
    page = open_page(f"{daemon.address}/login", locale="fr-FR")
    log_in(page, "yann")
    page.locator("#question").fill("écrit, mais pas envoyé")
    page.goto(f"{daemon.address}/profile")

    page.get_by_role("button", name=re.compile("^Mettre fin|^Terminer|^Fermer")).click()
    expect(away).to_have_url(re.compile("/login"))

    page.get_by_text("Supprimer mon compte…").click()
    password = page.get_by_label("Votre mot de passe", exact=True)
    password.fill("pas le bon")
    password.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    password.fill(PASSWORD)
    password.press("Enter")
    expect(page).to_have_url(re.compile("/login"))
    assert page.evaluate("Object.keys(localStorage).filter((key) => /draft/.test(key))") == []


def test_who_looks_elsewhere_is_told_of_the_end_and_where_it_cannot_be_why(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    chat = entered(daemon, open_page, "xavier")
    chat.context.add_init_script(NOTE_NOTIFICATIONS)
    profile = profile_beside(chat, daemon)
    profile.get_by_role("checkbox", name=re.compile("^Me prévenir")).check()
    assert len(profile.evaluate(SHOWN)) == 1
    chat.reload()
    chat.evaluate("window.Notification.permission = 'granted'")

    chat.get_by_role("button", name="Prompts").click()
    expect(chat.get_by_role("listbox")).to_be_visible()
    chat.evaluate(f"({HIDE})(true)")
    ask(chat, "[[tokens=20]] secret")

    expect(chat).to_have_title(re.compile("^● "))
    assert chat.evaluate(SHOWN) == [["CouachGPT", "La réponse est terminée."]]
    chat.evaluate(f"({HIDE})(false)")
    expect(chat).not_to_have_title(re.compile("●"))

    plain = open_page(f"http://{LAN_NAME}:{daemon.port}/login", locale="fr-FR")
    log_in(plain, "xavier")
    plain.goto(f"http://{LAN_NAME}:{daemon.port}/profile")
    expect(plain.get_by_role("checkbox", name=re.compile("^Me prévenir"))).to_be_disabled()
    expect(plain.get_by_text("https")).to_be_visible()


def test_a_log_out_everywhere_leaves_nothing_unsent_in_the_browser(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = entered(daemon, open_page, "wanda")
    page.locator("#question").fill("un brouillon")
    page.goto(f"{daemon.address}/profile")
    unsent = "Object.keys(localStorage).filter((key) => /draft|ahead/.test(key)).length"
    page.evaluate("localStorage.setItem('couachgpt.ahead.1.c', '[]')")
    assert page.evaluate(unsent) == 2

    page.get_by_role("button", name="Se déconnecter partout").click()
    expect(page).to_have_url(re.compile("/login"))

    assert page.evaluate(unsent) == 0
