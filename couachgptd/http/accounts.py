"""The pages of log-in, registration and first setup: parse, call one verb, render."""

from aiohttp import web

from couachgptd.core.errors import CouachError, NotFound, TooManyAttempts
from couachgptd.core.users import User
from couachgptd.http.keys import ACCOUNTS, USER
from couachgptd.http.origin import client_address
from couachgptd.http.pages import LANGUAGE_COOKIE, language_of, render, set_preference
from couachgptd.http.routes import add, local_path
from couachgptd.http.sessions import begin_session, end_session
from couachgptd.i18n import LANGUAGES

NOTICES = ("registered_pending", "signed_out", "session_ended", "password_set", "account_deleted")


def set_up_accounts(app: web.Application) -> None:
    add(app, "GET", "/login", "page.login", login_page)
    add(app, "POST", "/login", "account.login", log_in)
    add(app, "POST", "/logout", "account.logout", log_out)
    add(app, "GET", "/register", "page.register", register_page)
    add(app, "POST", "/register", "account.register", register)
    add(app, "GET", "/setup/{token}", "page.setup", setup_page)
    add(app, "POST", "/setup/{token}", "account.setup", set_up)
    add(app, "POST", "/language", "page.language", choose)


async def form_of(request: web.Request) -> dict[str, str]:
    """Return the texts of a form that was sent."""
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _status(error: CouachError) -> int:
    return 429 if isinstance(error, TooManyAttempts) else 400


# log-in


async def login_page(request: web.Request) -> web.StreamResponse:
    if request.get(USER) is not None:
        raise web.HTTPSeeOther(local_path(request.query.get("next")))
    notice = request.query.get("notice")
    return _login(request, notice=notice if notice in NOTICES else None)


async def log_in(request: web.Request) -> web.StreamResponse:
    form = await form_of(request)
    login = form.get("login", "")
    try:
        user = await request.config_dict[ACCOUNTS].log_in(
            login, form.get("password", ""), client_address(request)
        )
    except CouachError as error:
        return _login(request, error=error, login=login, next_path=form.get("next"))
    await begin_session(request, user)
    raise web.HTTPSeeOther(local_path(form.get("next")))


def _login(
    request: web.Request,
    *,
    error: CouachError | None = None,
    login: str = "",
    next_path: str | None = None,
    notice: str | None = None,
) -> web.Response:
    return render(
        request,
        "login.html",
        status=_status(error) if error else 200,
        error=error.code if error else None,
        fields=error.fields if error else {},
        login=login,
        next=local_path(next_path or request.query.get("next")),
        notice=notice,
        registration=request.config_dict[ACCOUNTS].registration,
    )


async def log_out(request: web.Request) -> web.StreamResponse:
    await end_session(request)
    raise web.HTTPSeeOther("/login?notice=signed_out")


# registration


async def register_page(request: web.Request) -> web.StreamResponse:
    return account_form(request, "register.html")


async def register(request: web.Request) -> web.StreamResponse:
    form = await form_of(request)
    try:
        user = await request.config_dict[ACCOUNTS].register(
            **new_account(request, form),
            address=client_address(request),
        )
    except CouachError as error:
        return account_form(request, "register.html", error=error, values=form)
    return await enter(request, user)


def account_form(
    request: web.Request,
    template: str,
    *,
    error: CouachError | None = None,
    values: dict[str, str] | None = None,
    is_invited: bool = False,
) -> web.Response:
    accounts = request.config_dict[ACCOUNTS]
    known = values or {}
    return render(
        request,
        template,
        status=_status(error) if error else 200,
        error=error.code if error else None,
        fields=error.fields if error else {},
        values={"login": known.get("login", ""), "name": known.get("name", "")},
        registration=accounts.registration,
        is_invited=is_invited,
        min_length=accounts.min_length,
    )


def new_account(request: web.Request, form: dict[str, str]) -> dict[str, str]:
    """Return what a form for a new account says, by the names under which services take it."""
    return {
        "login": form.get("login", ""),
        "name": form.get("name", ""),
        "password": form.get("password", ""),
        "again": form.get("password_again", ""),
        "language": language_of(request),
    }


async def enter(request: web.Request, user: User) -> web.StreamResponse:
    """Log a new person in, or say that they wait for approval."""
    if not user.is_active:
        raise web.HTTPSeeOther("/login?notice=registered_pending")
    await begin_session(request, user)
    raise web.HTTPSeeOther("/")


# the first administrator


async def setup_page(request: web.Request) -> web.StreamResponse:
    try:
        await request.config_dict[ACCOUNTS].require_setup_link(request.match_info["token"])
    except CouachError as error:
        return account_form(request, "setup.html", error=error)
    return account_form(request, "setup.html")


async def set_up(request: web.Request) -> web.StreamResponse:
    form = await form_of(request)
    try:
        user = await request.config_dict[ACCOUNTS].make_first_admin(
            request.match_info["token"], **new_account(request, form)
        )
    except CouachError as error:
        return account_form(request, "setup.html", error=error, values=form)
    return await enter(request, user)


# language


async def choose(request: web.Request) -> web.StreamResponse:
    form = await form_of(request)
    language = form.get("language", "")
    if language not in LANGUAGES:
        raise NotFound
    user = request.get(USER)
    if user is not None:
        await request.config_dict[ACCOUNTS].set_language(user, language)
    response = web.HTTPSeeOther(local_path(form.get("next")))
    set_preference(request, response, LANGUAGE_COOKIE, language)
    raise response
