"""Registers handlers under a verb of the access table, and nothing without one."""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from aiohttp import web
from aiohttp_session import get_session

from couachgptd.core import access
from couachgptd.core.errors import NotAllowed
from couachgptd.http import csrf
from couachgptd.http.keys import USER
from couachgptd.logs import user_id

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_guarded: set[object] = set()


def add(
    app: web.Application,
    method: str,
    path: str,
    verb: str,
    handler: Handler,
    refuse_upgrade: Handler | None = None,
    *,
    is_upload: bool = False,
) -> None:
    """Add a route. Raises UnknownVerb, at start, for a verb that nobody thought about.

    Whoever may not is sent to log in, or refused; a POST must come from a form of ours, and what
    `is_upload`, whose body the handler reads by itself, must say so in a header.
    """
    access.audience_of(verb)

    async def guarded(request: web.Request) -> web.StreamResponse:
        await get_session(request)
        user = request.get(USER)
        if not access.may(user, verb):
            if refuse_upgrade is not None and "Upgrade" in request.headers:
                return await refuse_upgrade(request)
            if user is None and request.method in ("GET", "HEAD"):
                raise web.HTTPSeeOther(f"/login?next={quote(request.path, safe='')}")
            raise NotAllowed(verb=verb)
        if is_upload:
            csrf.require_header(request)
        elif request.method == "POST":
            await csrf.require_token(request)
        with user_id.bound(str(user.id) if user else ""):
            return await handler(request)

    _guarded.add(guarded)
    app.router.add_route(method, path, guarded)
    if method == "GET" and verb != "socket.open":
        app.router.add_route("HEAD", path, guarded)  # what health checks send


def require_all_guarded(app: web.Application) -> None:
    """Raise UnknownVerb if a route was added past the table; static files have verb page.static."""
    for route in app.router.routes():
        is_static = isinstance(route.resource, web.StaticResource)
        if not is_static and route.handler not in _guarded:
            raise access.UnknownVerb(f"{route} was not added by couachgptd.http.routes.add")


def local_path(text: str | None) -> str:
    """Return where to go after log-in: a path of ours, never another site."""
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")):
        return "/"
    return text if text.isprintable() and "\\" not in text else "/"
