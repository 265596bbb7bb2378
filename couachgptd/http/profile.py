"""One's own account: a page of its own, and what is done there, each a form answered in JSON."""

from aiohttp import web

from couachgptd import __version__
from couachgptd.core import wire
from couachgptd.core.users import LOGIN_MAX_LENGTH, PASSWORD_MAX_LENGTH, User
from couachgptd.core.wire import Json
from couachgptd.http import csrf, pages
from couachgptd.http.accounts import form_of
from couachgptd.http.keys import ACCOUNTS, CHAT, MODELS, PROFILE, SESSION_ID, USER
from couachgptd.http.origin import client_address
from couachgptd.http.routes import add
from couachgptd.http.socket import tell_user
from couachgptd.services.accounts import NAME_MAX_LENGTH

ROOT = "/profile"


def set_up_profile(app: web.Application) -> None:
    add(app, "GET", ROOT, "page.profile", show)
    add(app, "POST", f"{ROOT}/names", "profile.rename", rename)
    add(app, "POST", f"{ROOT}/password", "profile.password", set_password)
    add(app, "POST", f"{ROOT}/preferences", "profile.prefer", prefer)
    add(app, "POST", f"{ROOT}/leave", "profile.leave", leave)
    add(app, "POST", f"{ROOT}/sessions/end", "profile.end-session", end_session)


async def show(request: web.Request) -> web.StreamResponse:
    user = request[USER]
    models = request.config_dict[MODELS]
    props = {
        "user": wire.own_user(user),
        "language": pages.language_of(request),
        "csrf": csrf.token(request),
        "brand": pages.brand_of(request.config_dict)["name"],
        "version": __version__,
        "models": [each["name"] for each in models.shapes(user.role) if not each["is_broken"]],
        "default_model": models.default_for(user.role),
        "sessions": await _sessions(request, user),
        "bounds": {
            "login": LOGIN_MAX_LENGTH,
            "name": NAME_MAX_LENGTH,
            "password_least": request.config_dict[ACCOUNTS].min_length,
            "password": PASSWORD_MAX_LENGTH,
        },
    }
    return pages.render(request, "profile.html", props=props)


async def rename(request: web.Request) -> web.StreamResponse:
    form = await form_of(request)
    user = await request.config_dict[PROFILE].rename(
        request[USER], login=form.get("login", ""), name=form.get("name", "")
    )
    return _told(request, user)


async def set_password(request: web.Request) -> web.StreamResponse:
    form = await form_of(request)
    user = request[USER]
    await request.config_dict[PROFILE].set_password(
        user,
        old=form.get("password", ""),
        new=form.get("new", ""),
        again=form.get("again", ""),
        address=client_address(request),
        session_id=request[SESSION_ID],
    )
    return web.json_response({"sessions": await _sessions(request, user)})


async def prefer(request: web.Request) -> web.StreamResponse:
    form = await form_of(request)
    user = await request.config_dict[PROFILE].prefer(
        request[USER], zone=form.get("zone"), model=form.get("model")
    )
    return _told(request, user)


async def end_session(request: web.Request) -> web.StreamResponse:
    """End the session that is named; where none is, all of them, this one too."""
    profile, user = request.config_dict[PROFILE], request[USER]
    session = (await form_of(request)).get("session")
    if session is None:
        await profile.end_sessions(user)
        return web.json_response({"sessions": []})
    await profile.end_session(user, session)
    return web.json_response({"sessions": await _sessions(request, user)})


async def leave(request: web.Request) -> web.StreamResponse:
    """Delete the account and all it owns, for who types its password."""
    user, accounts = request[USER], request.config_dict[ACCOUNTS]
    password = (await form_of(request)).get("password", "")
    await accounts.log_in(user.login, password, client_address(request))
    await request.config_dict[CHAT].stop_all(user.id)
    await accounts.remove(user.login, None, user.login)
    return web.json_response({})


def _told(request: web.Request, user: User) -> web.Response:
    """Answer with who it is by now, and tell their other pages."""
    tell_user(request.config_dict, user)
    return web.json_response({"user": wire.own_user(user)})


async def _sessions(request: web.Request, user: User) -> list[Json]:
    found = await request.config_dict[PROFILE].sessions(user, request[SESSION_ID])
    return [
        {
            "id": session.id,
            "is_here": is_here,
            "agent": session.agent,
            "address": session.address,
            "created_at": wire.moment(session.created_at),
            "seen_at": wire.moment(session.seen_at),
        }
        for session, is_here in found
    ]
