"""Forms that only our own pages can send: a token bound to the browser and to the session."""

import hashlib
import hmac
import secrets

from aiohttp import web

from couachgptd.core.errors import FormExpired
from couachgptd.http.keys import CSRF_COOKIE, CSRF_SECRET, SESSION_ID
from couachgptd.http.origin import is_same_origin, is_secure

COOKIE = "couachgpt_form"
FIELD = "csrf"
COOKIE_BYTES = 16


def token(request: web.Request) -> str:
    """Return the token for this browser and session; its cookie is sent with the page."""
    browser = request.cookies.get(COOKIE) or request.get(CSRF_COOKIE)
    if not browser:
        browser = request[CSRF_COOKIE] = secrets.token_urlsafe(COOKIE_BYTES)
    return _token(request, browser)


def _token(request: web.Request, browser: str) -> str:
    bound = f"{browser}\0{request.get(SESSION_ID, '')}".encode()
    return hmac.new(request.config_dict[CSRF_SECRET], bound, hashlib.sha256).hexdigest()


async def require_token(request: web.Request) -> None:
    """Raise FormExpired unless one of our own pages sent this form."""
    browser = request.cookies.get(COOKIE, "")
    form = await request.post()
    given = form.get(FIELD)
    if (
        not browser
        or not isinstance(given, str)
        or not is_same_origin(request, required=False)
        or not hmac.compare_digest(given.encode(), _token(request, browser).encode())
    ):
        raise FormExpired


def send_cookie(request: web.Request, response: web.StreamResponse) -> None:
    """Set the browser's half of a token that this request was the first to need."""
    if browser := request.get(CSRF_COOKIE):
        response.set_cookie(
            COOKIE, browser, httponly=True, samesite="Lax", secure=is_secure(request)
        )
