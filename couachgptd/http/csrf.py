"""Forms that only our own pages can send: a token bound to the session, and the Origin."""

import hashlib
import hmac

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from couachgptd.core.errors import BadRequest, FormExpired
from couachgptd.http.keys import CSRF_SECRET, SESSION_ID
from couachgptd.http.origin import is_same_origin

FIELD = "csrf"
HEADER = "X-Form-Token"  # of what is no form: a file that is sent as it is


def token(request: web.Request) -> str:
    """Return the token of this session.

    Before log-in there is no session to bind it to, and what guards is the Origin alone. A cookie
    of its own was tried: two tabs opened at once then each undo the other's form.
    """
    bound = request.get(SESSION_ID, "").encode()
    return hmac.new(request.config_dict[CSRF_SECRET], bound, hashlib.sha256).hexdigest()


async def require_token(request: web.Request) -> None:
    """Raise FormExpired unless one of our own pages sent this form."""
    try:
        given = (await request.post()).get(FIELD)
    except (
        ValueError,
        LookupError,
        AssertionError,
        RuntimeError,
        HttpProcessingError,
    ):  # what aiohttp says of a broken body
        raise BadRequest(reason="form") from None
    if not is_same_origin(request, required=False):
        raise FormExpired
    _require(request, given)


def require_header(request: web.Request) -> None:
    """Raise FormExpired unless one of our own pages sent this, before any of its body is read."""
    if not is_same_origin(request, required=True):
        raise FormExpired
    _require(request, request.headers.get(HEADER))


def _require(request: web.Request, given: object) -> None:
    expected = token(request).encode()
    if not isinstance(given, str) or not hmac.compare_digest(
        given.encode(errors="replace"), expected
    ):
        raise FormExpired
