"""Where a request comes from: which address, over TLS or not, from a page of ours or not."""

from urllib.parse import urlsplit

from aiohttp import web

from couachgptd.http.keys import SERVER


def client_address(request: web.Request) -> str:
    """Return the browser's address; a trusted proxy's word counts, anybody else's does not."""
    peer = request.remote or ""
    if peer not in request.config_dict[SERVER].trusted_proxies:
        return peer
    forwarded = request.headers.get("X-Forwarded-For", "")
    return forwarded.rsplit(",", 1)[-1].strip() or peer


def is_secure(request: web.Request) -> bool:
    """Say whether the browser speaks TLS, to us or to a trusted proxy."""
    server = request.config_dict[SERVER]
    if request.secure or server.public_url.startswith("https://"):
        return True
    proxied = (request.remote or "") in server.trusted_proxies
    return proxied and request.headers.get("X-Forwarded-Proto") == "https"


def is_same_origin(request: web.Request, *, required: bool) -> bool:
    """Say whether the request's Origin is the host it was sent to.

    Browsers send Origin with every WebSocket and every POST; `required` False lets through
    what has none at all, which only programs send.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return not required
    try:
        host = urlsplit(origin).netloc.lower()
    except ValueError:  # such as `http://[`
        return False
    public = urlsplit(request.config_dict[SERVER].public_url).netloc.lower()
    return bool(host) and host in {request.host.lower(), public}
