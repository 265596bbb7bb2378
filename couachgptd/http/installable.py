"""The page as an app of its own: manifest, service worker, and what it shows without a server."""

import json

from aiohttp import web

from couachgptd import __version__, paths
from couachgptd.http.assets import BASE
from couachgptd.http.keys import ASSETS
from couachgptd.http.pages import brand_of, language_of, render
from couachgptd.http.routes import add
from couachgptd.i18n import translations

OFFLINE = "/offline"
WORKER = "/service-worker.js"
PAPER = "#faf8f3"  # of the light theme, behind the icon while the app starts
ICONS = (
    ("icon-192.png", "192x192", "any"),
    ("icon-512.png", "512x512", "any"),
    ("icon-maskable-512.png", "512x512", "maskable"),
)


def set_up_installable(app: web.Application) -> None:
    add(app, "GET", "/manifest.webmanifest", "page.static", manifest)
    add(app, "GET", WORKER, "page.static", service_worker)
    add(app, "GET", OFFLINE, "page.offline", offline)


async def manifest(request: web.Request) -> web.Response:
    brand = brand_of(request.config_dict)
    texts = translations(language_of(request))
    shape = {
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "name": brand["name"],
        "short_name": brand["name"],
        "description": texts.gettext("The private AI chat of your company"),
        "lang": language_of(request),
        "background_color": PAPER,
        "theme_color": brand["accent"],
        "icons": [
            {"src": BASE + name, "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in ICONS
        ],
    }
    return web.Response(
        text=json.dumps(shape, ensure_ascii=False),
        content_type="application/manifest+json",
        headers={"Cache-Control": "no-cache"},  # its language and its name may change
    )


async def service_worker(request: web.Request) -> web.Response:
    """Send our worker and what it is to keep: other bytes after an upgrade, so it is taken."""
    files = [*request.config_dict[ASSETS].files("src/entries/base.ts"), "/brand.css"]
    source = (paths.web_dir() / "public" / "service-worker.js").read_text(encoding="utf-8")
    given = {"VERSION": __version__, "OFFLINE": OFFLINE, "FILES": files}
    head = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in given.items())
    return web.Response(
        text=head + source,
        content_type="text/javascript",
        headers={"Cache-Control": "no-cache"},
    )


async def offline(request: web.Request) -> web.Response:
    response = render(request, "offline.html")
    response.headers["Content-Language"] = language_of(request)
    return response
