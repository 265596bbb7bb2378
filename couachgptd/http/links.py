"""The pages behind one-time links: a new password, an account by invitation."""

from aiohttp import web

from couachgptd.core.errors import CouachError
from couachgptd.core.links import LinkKind
from couachgptd.http.accounts import account_form, enter, form_of, new_account
from couachgptd.http.keys import LINKS
from couachgptd.http.routes import add


def set_up_links(app: web.Application) -> None:
    add(app, "GET", "/password/{token}", "page.password", password_page)
    add(app, "POST", "/password/{token}", "account.password", set_password)
    add(app, "GET", "/register/{token}", "page.register", invitation_page)
    add(app, "POST", "/register/{token}", "account.register", register)


async def password_page(request: web.Request) -> web.StreamResponse:
    try:
        await request.config_dict[LINKS].require(request.match_info["token"], LinkKind.PASSWORD)
    except CouachError as error:
        return account_form(request, "password.html", error=error)
    return account_form(request, "password.html")


async def set_password(request: web.Request) -> web.StreamResponse:
    form = await form_of(request)
    try:
        await request.config_dict[LINKS].set_password(
            request.match_info["token"], form.get("password", ""), form.get("password_again", "")
        )
    except CouachError as error:
        return account_form(request, "password.html", error=error)
    raise web.HTTPSeeOther("/login?notice=password_set")


async def invitation_page(request: web.Request) -> web.StreamResponse:
    try:
        await request.config_dict[LINKS].require_invitation(request.match_info["token"])
    except CouachError as error:
        return account_form(request, "register.html", error=error, is_invited=True)
    return account_form(request, "register.html", is_invited=True)


async def register(request: web.Request) -> web.StreamResponse:
    form = await form_of(request)
    try:
        user = await request.config_dict[LINKS].register(
            request.match_info["token"], **new_account(request, form)
        )
    except CouachError as error:
        return account_form(request, "register.html", error=error, values=form, is_invited=True)
    return await enter(request, user)
