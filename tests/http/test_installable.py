"""The manifest in the person's language and the company's name; a worker that browsers take."""

import json

from couachgptd.core.access import Audience, audience_of
from tests.running_daemon import RunningDaemon


async def test_the_manifest_speaks_the_language_of_who_asks(daemon: RunningDaemon) -> None:
    async with daemon.browser() as browser:
        icons = []
        for language, word in (("fr", "entreprise"), ("en", "company")):
            headers = {"Accept-Language": language}
            async with browser.session.get("/manifest.webmanifest", headers=headers) as answer:
                assert answer.content_type == "application/manifest+json"
                manifest = json.loads(await answer.text())
            assert (manifest["lang"], manifest["name"]) == (language, "CouachGPT")
            assert word in manifest["description"]
            icons += manifest["icons"]
        for icon in icons:
            async with browser.session.get(icon["src"]) as answer:
                assert (answer.status, answer.content_type) == (200, "image/png")


async def test_the_worker_is_asked_for_again_at_each_visit(daemon: RunningDaemon) -> None:
    async with daemon.browser() as browser, browser.session.get("/service-worker.js") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
        assert answer.content_type == "text/javascript"
        text = await answer.text()
    files = json.loads(text.split("const FILES = ")[1].split(";\n")[0])
    async with daemon.browser() as browser:
        for path in ("/offline", *files):
            async with browser.session.get(path) as answer:
                assert answer.status == 200, path


def test_it_is_there_for_who_has_not_logged_in() -> None:
    assert audience_of("page.offline") is Audience.ANYONE
