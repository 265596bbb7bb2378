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
    "control.user.rm": ("POST", "/v1/users/{login}/remove"),
    "control.user.reset-link": ("POST", "/v1/users/{login}/reset-link"),
    "control.session.list": ("GET", "/v1/sessions"),
    "control.session.kick": ("POST", "/v1/sessions/kick"),
    "control.invitation.list": ("GET", "/v1/invitations"),
    "control.invitation.add": ("POST", "/v1/invitations"),
    "control.invitation.rm": ("DELETE", "/v1/invitations/{invitation}"),
    "control.setup-link": ("POST", "/v1/setup-link"),
    # models
    "control.model.list": ("GET", "/v1/models"),
    "control.model.fit": ("GET", "/v1/models/{model}/fit"),
    "control.model.pull": ("POST", "/v1/models/{model}/pull"),
    "control.starter.list": ("GET", "/v1/starters"),
    "control.starter.fetch": ("POST", "/v1/starters/{starter}/fetch"),
    "control.model.rm": ("DELETE", "/v1/models/{model}"),
    "control.model.load": ("POST", "/v1/models/{model}/load"),
    "control.model.unload": ("POST", "/v1/models/{model}/unload"),
    "control.model.default": ("POST", "/v1/models/{model}/default"),
    "control.model.set": ("POST", "/v1/models/{model}"),
    # the queue
    "control.queue": ("GET", "/v1/queue"),
    "control.queue.pause": ("POST", "/v1/queue/pause"),
    "control.queue.cancel": ("POST", "/v1/queue/{turn}/cancel"),
    # the engine
    "control.engine.show": ("GET", "/v1/engine"),
    "control.engine.start": ("POST", "/v1/engine/start"),
    "control.engine.stop": ("POST", "/v1/engine/stop"),
    "control.engine.restart": ("POST", "/v1/engine/restart"),
    "control.engine.unload": ("POST", "/v1/engine/unload"),
    "control.engine.incidents": ("GET", "/v1/engine/incidents"),
    "control.engine.reset": ("POST", "/v1/engine/reset"),
    "control.engine.maintenance": ("POST", "/v1/engine/maintenance"),
    # what is kept
    "control.conversation.purge": ("POST", "/v1/conversations/purge"),
    "control.db.show": ("GET", "/v1/db"),
    "control.db.check": ("POST", "/v1/db/check"),
    "control.db.vacuum": ("POST", "/v1/db/vacuum"),
    "control.db.old": ("GET", "/v1/db/clean"),
    "control.db.clean": ("POST", "/v1/db/clean"),
    "control.db.backup.list": ("GET", "/v1/db/backups"),
    "control.db.backup.add": ("POST", "/v1/db/backups"),
    "control.db.backup.download": ("GET", "/v1/db/backups/{backup}"),
    "control.db.backup.rm": ("DELETE", "/v1/db/backups/{backup}"),
    "control.db.restore": ("POST", "/v1/db/restore"),
    "control.audit": ("GET", "/v1/audit"),
    "control.audit.csv": ("GET", "/v1/audit.csv"),
    "control.ratings": ("GET", "/v1/ratings"),
    "control.samples": ("GET", "/v1/samples"),
    # the daemon
    "control.restart": ("POST", "/v1/restart"),
    "control.drain": ("POST", "/v1/drain"),
    # what is changed while it runs
    "control.setting.list": ("GET", "/v1/settings"),
    "control.setting.change": ("POST", "/v1/settings"),
    "control.banner.show": ("GET", "/v1/banner"),
    "control.banner.set": ("POST", "/v1/banner"),
    "control.logo.show": ("GET", "/v1/settings/logo"),
    "control.logo.set": ("POST", "/v1/settings/logo"),
    "control.logo.rm": ("DELETE", "/v1/settings/logo"),
    "control.config.show": ("GET", "/v1/config"),
    "control.config.reload": ("POST", "/v1/config/reload"),
    "control.logs": ("GET", "/v1/logs"),
    "control.engine.logs": ("GET", "/v1/engine/logs"),
    "control.events": ("GET", "/v1/events"),
    "control.dump": ("GET", "/v1/dump"),
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
