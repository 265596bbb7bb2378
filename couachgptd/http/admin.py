"""The admin page: five pages of one island, whose every action is a verb of the control socket."""

import asyncio
import json
from collections.abc import Collection
from contextlib import aclosing
from typing import Any

from aiohttp import web
from aiohttp.helpers import content_disposition_header

from couachgptd import __version__
from couachgptd.core import access, wire
from couachgptd.core.errors import BadRequest, CouachError, NotFound
from couachgptd.core.wire import Json
from couachgptd.http import csrf, pages
from couachgptd.http.keys import CONFIRMATIONS, CONTROL, SESSION_ID, USER
from couachgptd.http.origin import client_address
from couachgptd.http.routes import add
from couachgptd.http.streams import line, while_allowed
from couachgptd.services.confirmations import STANDS_SECONDS

ROOT = "/admin"
SETTINGS = "control.setting.list"
# What each page shows before anybody clicks, so that it comes in one piece.
PAGES: dict[str, tuple[str, ...]] = {
    "overview": ("control.status", "control.queue", "control.samples"),
    "engine": (
        "control.status",
        "control.queue",
        "control.model.list",
        "control.ratings",
        "control.starter.list",
        "control.engine.incidents",
    ),
    "people": ("control.user.list", "control.invitation.list", "control.session.list", SETTINGS),
    "data": ("control.db.show", "control.db.backup.list", "control.audit", SETTINGS),
    "server": (
        "control.status",
        SETTINGS,
        "control.banner.show",
        "control.logo.show",
        "control.config.show",
    ),
}
FIRST = "overview"
OPERATORS = "control."  # how the names of the operator's verbs begin
_OBJECTS = frozenset(
    verb
    for verb in access.TABLE.keys() - access.STREAMS - access.FILES
    if verb.startswith(OPERATORS)
)


def create_admin_app() -> web.Application:
    """Make the sub-application. Raises UnknownVerb, at start."""
    app = web.Application()
    for name in PAGES:
        add(app, "GET", f"/{'' if name == FIRST else name}", "page.admin", show)
    add(app, "POST", "/confirm", "admin.confirm", confirm)
    add(app, "POST", "/call/{verb}", "admin.call", call)
    add(app, "POST", "/stream/{verb}", "admin.call", stream)
    add(app, "POST", "/file/{verb}", "admin.call", download)
    return app


async def without_slash(_request: web.Request) -> web.StreamResponse:
    raise web.HTTPSeeOther(f"{ROOT}/")


async def show(request: web.Request) -> web.StreamResponse:
    page = request.path.removeprefix(f"{ROOT}/") or FIRST
    user = request[USER]
    answers = await asyncio.gather(*(_looked_up(request, verb) for verb in PAGES[page]))
    props = {
        "page": page,
        "user": wire.user(user),
        "language": pages.language_of(request),
        "csrf": csrf.token(request),
        "version": __version__,
        "brand": pages.brand_of(request.config_dict)["name"],
        "data": dict(zip(PAGES[page], answers, strict=True)),
    }
    return pages.render(request, "admin.html", props=props, page=page, pages=list(PAGES))


async def _looked_up(request: web.Request, verb: str) -> Json:
    """Return a verb's answer, or its `error`: one that fails must not take the page with it."""
    try:
        return await request.config_dict[CONTROL].call(verb, request[USER].id)
    except CouachError as error:
        return {"error": wire.error(error)}


async def confirm(request: web.Request) -> web.StreamResponse:
    """Take the password again; for a while this session may do what is dangerous."""
    password = (await request.post()).get("password")
    await request.config_dict[CONFIRMATIONS].confirm(
        request[USER],
        password if isinstance(password, str) else "",
        client_address(request),
        request[SESSION_ID],
    )
    return web.json_response({"seconds": STANDS_SECONDS})


async def call(request: web.Request) -> web.StreamResponse:
    verb, names, body = await _asked(request, _OBJECTS)
    answer = await request.config_dict[CONTROL].call(verb, request[USER].id, body, **names)
    return web.json_response(answer)


async def stream(request: web.Request) -> web.StreamResponse:
    """Pass on the events of a verb that streams, a line each; leaving the page ends the work."""
    verb, names, body = await _asked(request, access.STREAMS)
    events = request.config_dict[CONTROL].stream(verb, request[USER].id, body, **names)
    response = web.StreamResponse()
    response.content_type = "application/x-ndjson"

    async def tell() -> None:
        async with aclosing(events):
            event = await anext(events, None)  # what is refused is refused before it begins
            await response.prepare(request)
            while event is not None:
                await response.write(line(event))
                event = await anext(events, None)

    try:
        await while_allowed(request, tell)
    except CouachError as error:
        if not response.prepared:
            raise
        await response.write(line({"type": "error", "error": wire.error(error)}))
    return response


async def download(request: web.Request) -> web.StreamResponse:
    """Hand out the file that a verb answers with."""
    verb, names, _ = await _asked(request, access.FILES)
    chunks = request.config_dict[CONTROL].download(verb, request[USER].id, **names)
    name = str(names.get("backup", verb.removeprefix(OPERATORS)))
    response = web.StreamResponse()
    response.content_type = "application/octet-stream"
    response.headers["Content-Disposition"] = content_disposition_header(
        "attachment", filename=name
    )

    async def hand_out() -> None:
        async with aclosing(chunks):
            chunk = await anext(chunks, b"")  # what is refused is refused before the file begins
            await response.prepare(request)
            await response.write(chunk)
            async for chunk in chunks:
                await response.write(chunk)

    try:
        await while_allowed(request, hand_out)
    except CouachError:
        if not response.prepared:
            raise
        if request.transport is not None:  # a file that ends well would be taken for whole
            request.transport.abort()
    return response


async def _asked(request: web.Request, verbs: Collection[str]) -> tuple[str, Json, Json | None]:
    """Return the verb, which is one of these, the names in its path or query, and its body.

    Raises NotFound, BadRequest; PasswordNeeded for what is dangerous.
    """
    verb = request.match_info["verb"]
    if verb not in verbs:
        raise NotFound
    form = await request.post()
    names, body = _object(form.get("names")) or {}, _object(form.get("body"))
    if access.is_dangerous(verb, body or {}):
        request.config_dict[CONFIRMATIONS].require(request[SESSION_ID])
    if body is not None and verb in access.FILES:  # it would not be sent
        raise BadRequest(reason="body")
    return verb, names, body


def _object(text: Any) -> Json | None:
    """Return the object of a form's field; None where it is empty. Raises BadRequest."""
    if not text:
        return None
    try:
        value = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        raise BadRequest(reason="json") from None
    if not isinstance(value, dict):
        raise BadRequest(reason="json")
    return value
