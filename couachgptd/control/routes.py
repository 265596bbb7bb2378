"""Where each verb of the control socket is: the daemon and both clients read it here."""

from collections.abc import Mapping
from urllib.parse import quote

API = "1"
API_HEADER = "X-Couachgpt-Api"
BEHALF_HEADER = "X-Couachgpt-On-Behalf"

ROUTES: Mapping[str, tuple[str, str]] = {
    "control.status": ("GET", "/v1/status"),
    # people
    "control.user.list": ("GET", "/v1/users"),
    "control.user.add": ("POST", "/v1/users"),
    "control.user.approve": ("POST", "/v1/users/{login}/approve"),
    "control.user.state": ("POST", "/v1/users/{login}/state"),
    "control.user.role": ("POST", "/v1/users/{login}/role"),
    "control.user.passwd": ("POST", "/v1/users/{login}/password"),
    "control.setup-link": ("POST", "/v1/setup-link"),
    # models
    "control.model.list": ("GET", "/v1/models"),
    # the queue
    "control.queue": ("GET", "/v1/queue"),
    # the engine
    "control.engine.incidents": ("GET", "/v1/engine/incidents"),
    "control.engine.reset": ("POST", "/v1/engine/reset"),
    "control.engine.maintenance": ("POST", "/v1/engine/maintenance"),
    # a question
    "control.ask": ("POST", "/v1/ask"),
}


def place_of(verb: str, names: Mapping[str, object]) -> tuple[str, str]:
    """Return a verb's method and its address: a name is in its path, or else in its query.

    A name stays one segment of the path, whatever is in it; one that is None is left out.
    """
    method, path = ROUTES[verb]
    query = []
    for name, value in names.items():
        text = quote(str(value), safe="")
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", text)
        elif value is not None:
            query.append(f"{name}={text}")
    return method, "?".join([path, "&".join(query)] if query else [path])
