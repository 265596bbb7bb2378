"""Tells every open page of another banner, brand or logo."""

from aiohttp import web

from couachgptd.http.keys import LOGO, SITE
from couachgptd.http.pages import brand_of
from couachgptd.http.socket import SOCKETS


def set_up_looks(app: web.Application) -> None:
    """Register what tells every page of another banner, brand or logo."""

    def show_banner() -> None:
        for tab in app[SOCKETS]:
            tab.tell("banner", {"banner": app[SITE].banner})

    def show_brand() -> None:
        for tab in app[SOCKETS]:
            tab.tell("brand", {"brand": brand_of(app)})

    def setting_changed(name: str) -> None:
        if name.startswith("brand."):
            show_brand()

    app[SITE].banner_changed = show_banner
    app[SITE].changed = setting_changed
    app[LOGO].changed = show_brand
