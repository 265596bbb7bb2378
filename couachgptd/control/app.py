"""The control socket's application: serves the table of verbs to who may, in one form."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

from aiohttp import web

from couachgptd.control import caller
from couachgptd.control.caller import CALLER
from couachgptd.control.peer import Groups
from couachgptd.control.routes import API, API_HEADER
from couachgptd.control.verb import Verb
from couachgptd.control.verbs import VERBS
from couachgptd.core import access, wire
from couachgptd.core.errors import (
    AccountSuspended,
    BadRequest,
    CouachError,
    EngineError,
    LastAdministrator,
    LoginTaken,
    NotAllowed,
    NotFound,
    QueueFull,
    RestartUnavailable,
    SandboxFailed,
    SandboxMissing,
    ServerStopping,
    SetupDone,
    StoreError,
    TurnRunning,
)
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk, Document
from couachgptd.services.streams import has_left, while_heard

log = logging.getLogger(__name__)

BODY_MAX_BYTES = 4 * 1024 * 1024
BODY_SECONDS = 5.0  # it comes from this machine, right behind its head
CLIENT_GONE = 499  # nginx's word for it; it is never sent

GROUPS = web.AppKey("GROUPS", Groups)
IS_ENDING = web.AppKey("IS_ENDING", asyncio.Event)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_STATUS: tuple[tuple[type[CouachError], int], ...] = (
    (NotFound, 404),
    (SetupDone, 409),
    (RestartUnavailable, 409),
    (NotAllowed, 403),
    (LoginTaken, 409),
    (AccountSuspended, 409),
    (LastAdministrator, 409),
    (TurnRunning, 409),
    (QueueFull, 429),
    (SandboxMissing, 503),
    (SandboxFailed, 503),
    (EngineError, 503),
    (StoreError, 507),
)


def create_control_app(desk: Desk) -> web.Application:
    """Put the application together. Raises UnknownVerb, at start."""
    app = web.Application(client_max_size=BODY_MAX_BYTES, middlewares=[_guard])
    app[GROUPS] = Groups.of_machine()
    app[IS_ENDING] = asyncio.Event()
    app.on_shutdown.append(_end)
    for verb in VERBS:
        access.audience_of(verb.name)
        app.router.add_route(verb.method, verb.path, _handler(desk, verb))
    return app


async def _end(app: web.Application) -> None:
    """Let go of who only listens: our end would wait for them."""
    app[IS_ENDING].set()


def _handler(desk: Desk, verb: Verb) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        actor = await request[CALLER].actor(desk.store, verb.name)
        body = await _body(request, verb.keys)
        call = Call(actor, dict(request.match_info), dict(request.query), body)
        work = verb.run(desk, call)
        if isinstance(work, AsyncGenerator):
            return await _streamed(request, work)
        answer = await work
        if isinstance(answer, Document):
            return _document(answer)
        return web.json_response(answer, status=verb.status)

    return handle


@web.middleware
async def _guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let operators in, browsers never, and answer every failure in one form."""
    try:
        request[CALLER] = caller.of(request, request.app[GROUPS])
        _require_operator(request)
        response = await handler(request)
    except web.HTTPException as error:
        codes = {404: "not_found", 405: "bad_request", 413: "bad_request"}
        response = web.json_response(
            {"error": {"code": codes.get(error.status, "bad_request"), "fields": {}}},
            status=error.status,
        )
    except CouachError as error:
        if isinstance(error, NotAllowed):
            peer = request[CALLER].peer
            told = {"path": request.path, "uid": peer.uid, "pid": peer.pid}
            log.warning("control request refused", extra=told)
        response = _refusal(error)
    except Exception as error:  # the edge of a request
        if isinstance(error, ConnectionError) and has_left(request.transport):
            # Nobody is left to answer; aiohttp would log what is raised as a fault of ours.
            return web.Response(status=CLIENT_GONE)
        log.exception("control request failed by a fault of ours", extra={"path": request.path})
        response = _refusal(CouachError())
    if not response.prepared:
        response.headers[API_HEADER] = API
    return response


def _document(document: Document) -> web.StreamResponse:
    headers = {
        "Content-Type": document.media_type,
        "Content-Disposition": f'attachment; filename="{document.name}"',
    }
    if isinstance(document.content, Path):
        return web.FileResponse(document.content, headers=headers)
    return web.Response(body=document.content.encode(), headers=headers)


def _require_operator(request: web.Request) -> None:
    """Raise NotAllowed for a browser, and for who has no business here."""
    is_browser = "Origin" in request.headers or "Referer" in request.headers
    if is_browser or not request[CALLER].rights:
        raise NotAllowed(verb=request.path)


def _refusal(error: CouachError) -> web.Response:
    status = next((status for kind, status in _STATUS if isinstance(error, kind)), 400)
    if type(error) is CouachError:
        status = 500
    return web.json_response({"error": wire.error(error)}, status=status)


async def _body(request: web.Request, keys: frozenset[str]) -> Json:
    """Return the body. Raises BadRequest, also for a key that the verb would pass over.

    Who asks for a dry run of a verb that has none must not get the real one.
    """
    if not request.can_read_body:
        return {}
    try:
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.json()
    except TimeoutError:
        raise BadRequest(reason="body") from None
    except (ValueError, LookupError, RecursionError):
        raise BadRequest(reason="json") from None
    if not isinstance(body, dict):
        raise BadRequest(reason="json")
    if unknown := sorted(body.keys() - keys):
        raise BadRequest(reason=unknown[0])
    return body


# --- streams -----------------------------------------------------------------------------------


async def _streamed(request: web.Request, events: AsyncGenerator[Json]) -> web.StreamResponse:
    """Write a line an event; what fails after the first is the last line, of type `error`."""
    response = web.StreamResponse(headers={API_HEADER: API})
    response.content_type = "application/x-ndjson"

    async def tell() -> None:
        async with aclosing(events):
            # What is refused is refused before the stream begins, with a status of its own.
            event = await anext(events, None)
            await response.prepare(request)
            while event is not None:
                await response.write(_line(event))
                event = await anext(events, None)

    def check() -> None:
        if has_left(request.transport):  # which ends the work
            raise ConnectionResetError
        if request.app[IS_ENDING].is_set():
            raise ServerStopping

    try:
        await while_heard(tell, check)
    except CouachError as error:
        if not response.prepared:
            raise
        await response.write(_line({"type": "error", "error": wire.error(error)}))
    return response


def _line(event: Json) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
