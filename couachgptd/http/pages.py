"""Renders our templates with what every page needs: language, brand, form token, theme."""

import re
from pathlib import Path
from typing import Any

import aiohttp_jinja2
import jinja2
from aiohttp import web
from aiohttp.helpers import ChainMapProxy

from couachgptd import paths
from couachgptd.http import csrf
from couachgptd.http.keys import ASSETS, BRAND, LOGO, REQUEST_ID, USER
from couachgptd.http.origin import is_secure
from couachgptd.i18n import choose_language, translations
from couachgptd.settings import LOGO_TYPES, Brand

LANGUAGE_COOKIE = "language"
THEME_COOKIE = "theme"
THEMES = ("auto", "light", "dark")
YEAR_SECONDS = 31_536_000
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
LOGO_PATH = "/brand/logo"


def set_up_templates(app: web.Application) -> None:
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.FileSystemLoader(paths.web_dir() / "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
    )
    environment.globals["assets"] = app[ASSETS].tags


def language_of(request: web.Request) -> str:
    """Return the cookie's language, else the account's, else the browser's, else French."""
    user = request.get(USER)
    return choose_language(
        preferred=request.cookies.get(LANGUAGE_COOKIE) or (user.language if user else None),
        accept_language=request.headers.get("Accept-Language"),
    )


def render(
    request: web.Request, template: str, *, status: int = 200, **context: Any
) -> web.Response:
    language = language_of(request)
    texts = translations(language)
    return aiohttp_jinja2.render_template(
        template,
        request,
        {
            "_": texts.gettext,
            "gettext": texts.gettext,
            "ngettext": texts.ngettext,
            "language": language,
            "brand": brand_of(request.config_dict),
            "csrf": csrf.token(request),
            "user": request.get(USER),
            "path": request.path,
            "request_id": request[REQUEST_ID],
            "theme": theme_of(request),
            "status": status,
            **context,
        },
        status=status,
    )


def theme_of(request: web.Request) -> str:
    theme = request.cookies.get(THEME_COOKIE)
    return theme if theme in THEMES else THEMES[0]


def brand_of(app: web.Application | ChainMapProxy) -> dict[str, str]:
    brand = app[BRAND]()
    sent = app[LOGO].shown
    logo = LOGO_PATH if brand.logo else ""
    return {
        "name": brand.name,
        "logo": f"{LOGO_PATH}?v={sent.version}" if sent else logo,
        "accent": brand.accent,
        "accent_dark": brand.accent_dark,
    }


def brand_css(brand: Brand) -> str:
    """Return the brand's colours as custom properties. Raises ValueError for another notation."""
    for name in ("accent", "accent_dark"):
        if not COLOUR.fullmatch(getattr(brand, name)):
            raise ValueError(f"brand.{name}: expected a colour such as #0f5c7a")
    return f":root{{--brand-accent:{brand.accent};--brand-accent-dark:{brand.accent_dark}}}\n"


async def brand_stylesheet(request: web.Request) -> web.Response:
    return web.Response(
        text=brand_css(request.config_dict[BRAND]()),
        content_type="text/css",
        headers={"Cache-Control": "public, max-age=300"},
    )


async def brand_logo(request: web.Request) -> web.StreamResponse:
    headers = {"Content-Security-Policy": "default-src 'none'; sandbox"}
    if sent := request.config_dict[LOGO].shown:
        headers |= {"Content-Type": sent.media_type, "Cache-Control": "public, max-age=300"}
        return web.Response(body=sent.data, headers=headers)
    logo = Path(request.config_dict[BRAND]().logo)
    kind = LOGO_TYPES.get(logo.suffix.lower())
    if kind is None:
        raise web.HTTPNotFound
    return web.FileResponse(logo, headers=headers | {"Content-Type": kind})


async def favicon(_request: web.Request) -> web.StreamResponse:
    """Browsers ask for it by this name whatever the page says."""
    raise web.HTTPMovedPermanently("/static/app/favicon.svg")


def set_preference(
    request: web.Request, response: web.StreamResponse, cookie: str, value: str
) -> None:
    response.set_cookie(
        cookie, value, max_age=YEAR_SECONDS, samesite="Lax", secure=is_secure(request)
    )
