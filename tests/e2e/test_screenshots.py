"""Pictures of every page, to be looked at; and that each could be drawn without a complaint."""

import os
import re
from collections.abc import Callable, Collection
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from couachgptd.http.admin import PAGES
from tests.conftest import StartFakeOllama
from tests.e2e.conftest import NO_OLLAMA, PICTURES, OpenPage
from tests.e2e.people import ask, log_in, submit, text_length_grows, wait_for_end
from tests.e2e.places import WALKS, Visit
from tests.running_daemon import PASSWORD, RunningDaemon

SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
GRID = list(product(("fr", "en"), ("light", "dark"), SIZES))
# Two opposite corners each time; the whole grid in `make soak`.
CORNERS = [("fr", "light", "desktop"), ("en", "dark", "phone")]
# A hang is recognised within seconds; this engine keeps its model when told to drop it, and nobody
# may restart it: we give up.
IMPATIENT = [
    f"watchdog.{key}={value}"
    for key, value in {
        "gap_soft_min_seconds": 2,
        "gap_soft_max_seconds": 2,
        "confirm_seconds": 1,
        "drain_soft_min_seconds": 2,
        "drain_batch_tokens": 1,
        "hard_factor": 1,
        "unload_seconds": 2,
    }.items()
]
EXPECTED_WAIT = re.compile("between|about|less than|entre|environ|moins de")
QUESTION_KEPT = re.compile("is kept|est gardée")
STOP = re.compile("^(Stop|Arrêter)")
PICTURE_MODEL = "COUACHGPT_PICTURE_MODEL"  # a GGUF file that speaks French, for the README


def scroll_width_fits(page: Page) -> bool:
    root = "document.documentElement"
    return bool(page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"))


Picture = Callable[[Page, str], None]


def in_each_look(each_time: Collection[tuple[str, str, str]]) -> pytest.MarkDecorator:
    """Run a test in the whole grid, but each time only in these looks."""
    looks = [
        pytest.param(*each, marks=() if each in each_time else pytest.mark.soak, id="-".join(each))
        for each in GRID
    ]
    return pytest.mark.parametrize(("language", "scheme", "size"), looks)


def look_of(language: str, scheme: str, size: str) -> tuple[dict[str, Any], Picture]:
    """Return what a page is opened with, and what takes its picture."""
    width, height = SIZES[size]
    options = {
        "viewport": {"width": width, "height": height},
        "has_touch": size == "phone",
        "color_scheme": scheme,
        "locale": f"{language}-FR",
    }
    folder = PICTURES / f"{language}-{scheme}-{size}"

    def picture(page: Page, name: str) -> None:
        page.wait_for_load_state("networkidle")
        page.screenshot(path=folder / f"{name}.png")
        assert scroll_width_fits(page), f"{name} is wider than the screen"

    return options, picture


@in_each_look(CORNERS)
def test_screenshots_of_every_page(
    tmp_path: Path,
    start_fake_ollama: StartFakeOllama,
    open_page: OpenPage,
    language: str,
    scheme: str,
    size: str,
) -> None:
    options, picture = look_of(language, scheme, size)
    site = RunningDaemon(tmp_path, start_fake_ollama("--rate", "60").url)
    site.start()
    try:
        _outside(site, open_page, options, picture)
        _inside(site, open_page, options, picture, language)
        _administration(site, open_page, options, picture, language)
    finally:
        site.stop()


@in_each_look(CORNERS[:1])
def test_screenshots_of_waiting_and_of_trouble(
    tmp_path: Path,
    start_fake_ollama: StartFakeOllama,
    open_page: OpenPage,
    language: str,
    scheme: str,
    size: str,
) -> None:
    options, picture = look_of(language, scheme, size)
    fake = start_fake_ollama("--rate", "20", "--script", '{"unload_ignored": true}')
    site = RunningDaemon(tmp_path, fake.url, *IMPATIENT)
    site.start()
    try:
        pages = []
        for login in ("jeanne", "louise", "marie"):
            site.add_user(login, "admin" if login == "jeanne" else "member", language=language)
            page = open_page(site.address, **options)
            log_in(page, login)
            pages.append(page)
        admin, member, other = pages

        ask(admin, "Bonjour [[tokens=2000]]")
        text_length_grows(admin)
        for page in (member, other):
            ask(page, "Et les câbles ? Merci de répondre en une phrase. [[tokens=20 rate=60]]")
        expect(other.locator(".stage").filter(has_text=EXPECTED_WAIT)).to_be_visible()
        picture(other, "chat-queued")
        site.control("POST", "/v1/engine/maintenance", {"is_on": True})
        expect(member.locator(".banner").filter(has_text="maintenance")).to_be_visible()
        picture(member, "chat-maintenance")
        site.control("POST", "/v1/engine/maintenance", {"is_on": False})
        admin.get_by_role("button", name=STOP).click()
        for page in (admin, member, other):
            wait_for_end(page)

        ask(member, "Pourquoi ? [[tokens=60 rate=60 hang_after=40]]")
        text_length_grows(member, beyond=60)
        expect(member.locator(".stage").filter(has_text=QUESTION_KEPT)).to_be_visible()
        picture(member, "chat-healing")
        expect(admin.locator(".banner-more")).to_be_visible(timeout=60_000)
        picture(admin, "chat-failed-admin")
        picture(member, "chat-failed")
    finally:
        site.stop()


def _outside(
    site: RunningDaemon, open_page: OpenPage, options: dict[str, Any], picture: Picture
) -> None:
    found = re.search(r"http://\S+/setup/\S+", site.log)
    assert found is not None
    picture(open_page(found[0], **options), "setup")
    page = open_page(f"{site.address}/login", **options)
    picture(page, "login")
    page.fill("input[name=login]", "personne")
    page.fill("input[name=password]", "un mauvais mot de passe")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    picture(page, "login-refused")
    picture(open_page(f"{site.address}/register", **options), "register")
    picture(open_page(f"{site.address}/nowhere", **options), "not-found")


def _inside(
    site: RunningDaemon,
    open_page: OpenPage,
    options: dict[str, Any],
    picture: Picture,
    language: str,
) -> None:
    site.add_user("jeanne", name="Jeanne Barret", language=language)
    page = open_page(site.address, **options)
    log_in(page, "jeanne")
    picture(page, "chat-empty")
    ask(page, "Comment calculer la moyenne d’une liste ? [[tokens=160 rate=60]]")
    text_length_grows(page, beyond=60)
    picture(page, "chat-writing")
    expect(page.locator("article.answer").last).to_have_attribute("aria-busy", "false")
    picture(page, "chat-done")
    if options["viewport"]["width"] < 768:
        page.locator("header button").first.click()
        page.wait_for_timeout(400)  # the drawer slides in
        picture(page, "chat-drawer")


def _administration(
    site: RunningDaemon,
    open_page: OpenPage,
    options: dict[str, Any],
    picture: Picture,
    language: str,
) -> None:
    site.add_user("ada", "admin", name="Ada Lovelace", language=language)
    site.control("POST", "/v1/db/backups")
    page = open_page(f"{site.address}/admin/", **options)
    page.fill("input[name=login]", "ada")
    page.fill("input[name=password]", PASSWORD)
    submit(page)
    for name in PAGES:
        page.goto(f"{site.address}/admin/{'' if name == 'overview' else name}")
        expect(page.locator(".panel").first).to_be_visible()
        picture(page, f"admin-{name}")
    page.locator(".panel .button-quiet").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    picture(page, "admin-dialog")


@in_each_look(())
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.__name__)
def test_screenshots_of_every_place_of_the_chat(
    daemon: RunningDaemon,
    open_page: OpenPage,
    walk: Callable[[Visit], None],
    language: str,
    scheme: str,
    size: str,
) -> None:
    options, picture = look_of(language, scheme, size)
    walk(Visit(daemon, open_page, picture, language, **options))


@pytest.mark.soak
def test_the_picture_of_the_readme(tmp_path: Path, open_page: OpenPage) -> None:
    model = Path(os.environ[PICTURE_MODEL])
    site = RunningDaemon(
        tmp_path, NO_OLLAMA, "engine.kind=embedded", f"embedded.models_dir={model.parent}"
    )
    site.start()
    try:
        site.add_user("jeanne", name="Jeanne Barret")
        page = open_page(site.address, locale="fr-FR")
        page.context.set_default_timeout(120_000)
        log_in(page, "jeanne")
        for question in (
            "Quelle est la capitale de l’Italie ?",
            "Écris une fonction Python qui calcule la moyenne d’une liste.",
        ):
            ask(page, question)
            text_length_grows(page)
            expect(page.locator("article.answer").last).to_have_attribute(
                "aria-busy", "false", timeout=120_000
            )
        page.wait_for_timeout(300)
        page.screenshot(path=PICTURES / "readme.png")
    finally:
        site.stop()
