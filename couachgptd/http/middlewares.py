"""What every request goes through: its id, errors to pages, security headers."""

import logging
import secrets

from aiohttp import web

from couachgptd.core import wire
from couachgptd.core.attachments import (
    AttachmentsFull,
    AttachmentTooLarge,
    TooManyAttachments,
)
from couachgptd.core.errors import (
    CouachError,
    FormExpired,
    NotAllowed,
    NotFound,
    PasswordNeeded,
    SetupLinkInvalid,
    StoreError,
    TooManyAttempts,
)
from couachgptd.core.imports import ImportTooLarge
from couachgptd.http.keys import HAS_BEGUN, REQUEST_ID
from couachgptd.http.origin import is_secure
from couachgptd.http.pages import render
from couachgptd.http.routes import Handler
from couachgptd.logs import request_id
from couachgptd.services.streams import has_left

log = logging.getLogger(__name__)

REQUEST_ID_BYTES = 6

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types svelte-trusted-html dompurify couach-sw"
)
SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_STATUS: tuple[tuple[type[CouachError], int], ...] = (
    (NotFound, 404),
    (SetupLinkInvalid, 404),
    (NotAllowed, 403),
    (FormExpired, 403),
    (PasswordNeeded, 403),
    (TooManyAttempts, 429),
    (ImportTooLarge, 413),
    (TooManyAttachments, 429),
    (AttachmentTooLarge, 413),
    (AttachmentsFull, 507),
    (StoreError, 507),
)
_CODES = {403: "not_allowed", 404: "not_found", 405: "bad_request", 413: "bad_request"}
_SERVER_ERROR = 500
_CLIENT_GONE = 499  # nginx's word for it; it is never sent


def status_of(error: CouachError) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 400)


@web.middleware
async def identify(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give the request the id that its log lines and its error page carry."""
    request[REQUEST_ID] = secrets.token_hex(REQUEST_ID_BYTES)
    with request_id.bound(request[REQUEST_ID]):
        return await handler(request)


@web.middleware
async def explain_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every failure into an answer of ours; a fault is logged, once, with its id."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:  # noqa: PLR2004 -- a redirect
            raise
        code = _CODES.get(error.status, "bad_request")
        return _answer(request, error.status, {"code": code, "fields": {}})
    except CouachError as error:
        status = status_of(error)
        if status >= _SERVER_ERROR:
            log.warning("request failed", extra={"route": _route(request), "error": str(error)})
        return _answer(request, status, wire.error(error))
    except web.RequestPayloadError:  # a body that is not what its headers say
        return _answer(request, 400, {"code": "bad_request", "fields": {}})
    except Exception as error:  # the edge of a request
        if isinstance(error, ConnectionError) and has_left(request.transport):
            # Nobody is left to answer; aiohttp would log what is raised as a fault of ours.
            return web.Response(status=_CLIENT_GONE)
        log.exception("request failed by a fault of ours", extra={"route": _route(request)})
        return _answer(request, _SERVER_ERROR, wire.error(CouachError()))


def _route(request: web.Request) -> str:
    """Return the route and not the address, which may hold the secret of a set-up link."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""


def _answer(request: web.Request, status: int, error: wire.Json) -> web.Response:
    """Say it as a page, or in the form that a script of ours asked for."""
    if request.get(HAS_BEGUN):
        return _cut(request)
    if request.headers.get("Accept") == "application/json":
        return web.json_response({"error": error}, status=status)
    return render(request, "error.html", status=status, code=error["code"])


def _cut(request: web.Request) -> web.Response:
    """What has begun cannot become another answer; one that ended well would be taken for whole."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=_CLIENT_GONE)


async def mark_begun(request: web.Request, _response: web.StreamResponse) -> None:
    request[HAS_BEGUN] = True


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if is_secure(request):
        # Browsers ignore it on plain HTTP, and complain in their console.
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Server"] = "couachgptd"  # whose version helps nobody but an attacker
    response.headers["X-Request-Id"] = request.get(REQUEST_ID, "-")
    if response.content_type == "text/html":
        response.headers["Cache-Control"] = "no-store"
