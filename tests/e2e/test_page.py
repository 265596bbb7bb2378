"""The page itself: its sidebar, the full screen, and what it says where the server refuses."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.conftest import StartFakeOllama
from tests.e2e.conftest import OpenPage
from tests.e2e.people import ask, log_in, wait_for_end
from tests.running_daemon import RunningDaemon

MIB = 1024 * 1024


@pytest.fixture
def narrow_site(tmp_path: Path, start_fake_ollama: StartFakeOllama) -> Iterator[RunningDaemon]:
    """A daemon with little room: for files, and for questions that wait."""
    running = RunningDaemon(
        tmp_path,
        start_fake_ollama("--rate", "20", "--think").url,
        "engine.slots=1",
        "chat.waiting_per_person=1",
        "files.max_mib=1",
        "files.person_mib=1",
    ).start()
    running.add_user("anne", language="fr")
    yield running
    running.stop()


def test_a_shut_sidebar_stays_shut_and_the_screen_can_be_filled(
    daemon: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(daemon.address)
    log_in(page, "claire")
    conversations = page.get_by_role("complementary")
    expect(conversations).to_be_visible()

    page.get_by_role("button", name="Masquer les conversations").click()
    expect(conversations).to_be_hidden()
    show = page.get_by_role("button", name="Afficher les conversations")
    expect(show).to_be_focused()
    page.reload()
    expect(show).to_be_visible()
    expect(conversations).to_be_hidden()
    show.press("Enter")
    expect(conversations).to_be_visible()

    page.get_by_role("button", name="Plein écran").click()
    page.wait_for_function("() => document.fullscreenElement !== null")
    page.get_by_role("button", name="Quitter le plein écran").click()
    page.wait_for_function("() => document.fullscreenElement === null")


def choose_file(page: Page, name: str, length: int) -> None:
    text = FilePayload(name=name, mimeType="text/plain", buffer=b"ligne\n" * (length // 6))
    page.locator("input[type=file]").set_input_files(text)


def test_what_the_server_has_no_room_for_is_said_and_stays_in_the_page(
    narrow_site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(narrow_site.address)
    log_in(page, "anne")
    expect(page.locator("input[type=file]")).to_be_attached()
    choose_file(page, "trop.txt", 2 * MIB)  # 413
    expect(page.get_by_text("Ce fichier est trop grand")).to_be_visible()
    choose_file(page, "un.txt", 600 * 1024)
    expect(page.get_by_role("button", name="un.txt", exact=True)).to_be_visible()
    choose_file(page, "deux.txt", 600 * 1024)  # 507
    expect(page.get_by_text("Vos fichiers prennent toute la place")).to_be_visible()
    for _ in range(3):
        page.locator(".file-remove").first.click()

    ask(page, "[[tokens=5000]] La première")
    expect(page.locator("article.answer")).to_be_visible()
    other = page.context.new_page()
    other.goto(narrow_site.address)
    ask(other, "[[tokens=5]] La deuxième")
    expect(other.locator("article.answer")).to_be_visible()
    third = page.context.new_page()
    third.goto(narrow_site.address)
    ask(third, "[[tokens=5]] La troisième")  # 429
    expect(third.get_by_role("alert")).to_contain_text("Trop de questions sont en attente")
    expect(third.locator("#question")).to_have_value("[[tokens=5]] La troisième")
    page.get_by_role("button", name=re.compile("^Arrêter")).click()
    wait_for_end(other)
    third.locator("#question").press("Enter")
    wait_for_end(third)


def test_a_conversation_can_be_told_not_to_think(
    narrow_site: RunningDaemon, open_page: OpenPage
) -> None:
    page = open_page(narrow_site.address)
    log_in(page, "anne")
    ask(page, "[[tokens=5]] Réfléchis")
    wait_for_end(page)
    expect(page.locator(".thinking")).to_have_count(1)

    page.get_by_role("button", name=re.compile("^Réglages")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Réflexion").select_option("répondre tout de suite")
    dialog.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(dialog).to_have_count(0)
    ask(page, "[[tokens=5]] Réponds")
    expect(page.locator("article.answer")).to_have_count(2)
    wait_for_end(page)
    expect(page.locator(".thinking")).to_have_count(1)

    page.reload()
    ask(page, "[[tokens=5]] Encore")
    expect(page.locator("article.answer")).to_have_count(3)
    wait_for_end(page)
    expect(page.locator(".thinking")).to_have_count(1)
