"""The control socket's application: one table of verbs, for operators only."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from couachgptd.control.peer import Peer, peer_of
from couachgptd.core import access, wire
from couachgptd.core.errors import (
    AccountSuspended,
    BadRequest,
    CouachError,
    EngineError,
    LoginTaken,
    NotAllowed,
    NotFound,
    QueueFull,
    StoreError,
    TurnRunning,
)
from couachgptd.services.control import ControlService

log = logging.getLogger(__name__)

API = "1"
API_HEADER = "X-Couachgpt-Api"
BODY_MAX_BYTES = 4 * 1024 * 1024
INCIDENTS, INCIDENTS_MAX = 200, 2000
CALLER_CHECK_SECONDS = 0.5

Json = dict[str, Any]
PEER = web.RequestKey("PEER", Peer)

_STATUS: tuple[tuple[type[CouachError], int], ...] = (
    (NotFound, 404),
    (NotAllowed, 403),
    (LoginTaken, 409),
    (AccountSuspended, 409),
    (TurnRunning, 409),
    (QueueFull, 429),
    (EngineError, 503),
    (StoreError, 507),
)


@dataclass(frozen=True, slots=True)
class Verb:
    """A row of the table: its name in `core.access`, where it is, and what it does."""

    name: str
    method: str
    path: str
    run: Callable[[ControlService, web.Request], Awaitable[web.StreamResponse]]


async def _status(control: ControlService, _request: web.Request) -> web.StreamResponse:
    return web.json_response(await control.status())


async def _users(control: ControlService, _request: web.Request) -> web.StreamResponse:
    return web.json_response({"users": await control.users()})


async def _add_user(control: ControlService, request: web.Request) -> web.StreamResponse:
    user = await control.add_user(await _body(request), _actor(request))
    return web.json_response({"user": user}, status=201)


async def _approve(control: ControlService, request: web.Request) -> web.StreamResponse:
    user = await control.approve(request.match_info["login"], _actor(request))
    return web.json_response({"user": user})


async def _state(control: ControlService, request: web.Request) -> web.StreamResponse:
    login = request.match_info["login"]
    user = await control.set_state(login, await _body(request), _actor(request))
    return web.json_response({"user": user})


async def _role(control: ControlService, request: web.Request) -> web.StreamResponse:
    login = request.match_info["login"]
    user = await control.set_role(login, await _body(request), _actor(request))
    return web.json_response({"user": user})


async def _passwd(control: ControlService, request: web.Request) -> web.StreamResponse:
    login = request.match_info["login"]
    user = await control.set_password(login, await _body(request), _actor(request))
    return web.json_response({"user": user})


async def _setup_link(control: ControlService, request: web.Request) -> web.StreamResponse:
    try:
        return web.json_response(await control.setup_link(_actor(request)))
    except NotAllowed as error:
        return _error(error, 409)


async def _models(control: ControlService, _request: web.Request) -> web.StreamResponse:
    return web.json_response(await control.models())


async def _queue(control: ControlService, _request: web.Request) -> web.StreamResponse:
    return web.json_response(await control.queue())


async def _incidents(control: ControlService, request: web.Request) -> web.StreamResponse:
    given = request.query.get("limit", str(INCIDENTS))
    try:
        limit = int(given)
    except ValueError:
        limit = 0
    if not 0 < limit <= INCIDENTS_MAX:
        raise BadRequest(reason="limit")
    return web.json_response({"incidents": await control.incidents(limit)})


async def _reset_engine(control: ControlService, request: web.Request) -> web.StreamResponse:
    return web.json_response({"engine": await control.reset_engine(_actor(request))})


async def _maintenance(control: ControlService, request: web.Request) -> web.StreamResponse:
    is_on = (await _body(request)).get("is_on")
    if not isinstance(is_on, bool):
        raise BadRequest(reason="is_on")
    return web.json_response({"engine": await control.set_maintenance(is_on, _actor(request))})


async def _ask(control: ControlService, request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={API_HEADER: API})
    response.content_type = "application/x-ndjson"
    async with aclosing(control.ask(await _body(request))) as events:
        # What is refused is refused before the stream begins, with a status of its own.
        event = await _next(request, events)
        await response.prepare(request)
        # Whoever asked may leave at any time; closing `events` then stops the turn.
        with suppress(ConnectionResetError):
            while event is not None:
                await response.write(_line(event))
                event = await _next(request, events)
    return response


async def _next(request: web.Request, events: AsyncGenerator[Json]) -> Json | None:
    """Return the next event, None after the last.

    Raises ConnectionResetError once the caller has gone, which a write alone would tell much
    later: an engine that loads or reads says nothing for minutes.
    """
    task = asyncio.ensure_future(anext(events, None))
    try:
        while not (await asyncio.wait({task}, timeout=CALLER_CHECK_SECONDS))[0]:
            if request.transport is None or request.transport.is_closing():
                raise ConnectionResetError
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})


VERBS = (
    Verb("control.status", "GET", "/v1/status", _status),
    Verb("control.user.list", "GET", "/v1/users", _users),
    Verb("control.user.add", "POST", "/v1/users", _add_user),
    Verb("control.user.approve", "POST", "/v1/users/{login}/approve", _approve),
    Verb("control.user.state", "POST", "/v1/users/{login}/state", _state),
    Verb("control.user.role", "POST", "/v1/users/{login}/role", _role),
    Verb("control.user.passwd", "POST", "/v1/users/{login}/password", _passwd),
    Verb("control.setup-link", "POST", "/v1/setup-link", _setup_link),
    Verb("control.model.list", "GET", "/v1/models", _models),
    Verb("control.queue", "GET", "/v1/queue", _queue),
    Verb("control.engine.incidents", "GET", "/v1/engine/incidents", _incidents),
    Verb("control.engine.reset", "POST", "/v1/engine/reset", _reset_engine),
    Verb("control.engine.maintenance", "POST", "/v1/engine/maintenance", _maintenance),
    Verb("control.ask", "POST", "/v1/ask", _ask),
)


def create_control_app(control: ControlService) -> web.Application:
    """Put the application together. Raises UnknownVerb, at start."""
    app = web.Application(client_max_size=BODY_MAX_BYTES, middlewares=[_guard])
    for verb in VERBS:
        access.audience_of(verb.name)
        app.router.add_route(verb.method, verb.path, _handler(control, verb))
    return app


def _handler(
    control: ControlService, verb: Verb
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await verb.run(control, request)

    return handle


@web.middleware
async def _guard(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Let operators in, browsers never, and answer every failure in one form."""
    try:
        if request.transport is None:
            raise ConnectionResetError
        connection = request.transport.get_extra_info("socket")
        request[PEER] = peer_of(connection)
        from_browser = "Origin" in request.headers or "Referer" in request.headers
        if from_browser or not request[PEER].is_operator:
            log.warning("control request refused", extra={"uid": request[PEER].uid})
            raise NotAllowed(verb=request.path)
        response = await handler(request)
    except web.HTTPException as error:
        codes = {404: "not_found", 405: "bad_request", 413: "bad_request"}
        response = web.json_response(
            {"error": {"code": codes.get(error.status, "bad_request"), "fields": {}}},
            status=error.status,
        )
    except CouachError as error:
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 400)
        response = _error(error, status)
    except ConnectionResetError:
        raise  # the caller went away: there is nobody to answer
    except Exception:  # the edge of a request
        log.exception("control request failed by a fault of ours", extra={"path": request.path})
        response = _error(CouachError(), 500)
    if not response.prepared:
        response.headers[API_HEADER] = API
    return response


def _error(error: CouachError, status: int) -> web.Response:
    return web.json_response({"error": wire.error(error)}, status=status)


def _line(event: Json) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _actor(request: web.Request) -> str:
    return f"uid:{request[PEER].uid}"


async def _body(request: web.Request) -> Json:
    try:
        body = await request.json()
    except (ValueError, LookupError, RecursionError):
        raise BadRequest(reason="json") from None
    if not isinstance(body, dict):
        raise BadRequest(reason="json")
    return body
