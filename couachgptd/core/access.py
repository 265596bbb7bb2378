"""Who may do what: one table of every verb; what is not in it cannot be registered."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from couachgptd.core.errors import NotAllowed
from couachgptd.core.users import Role, User


class Audience(StrEnum):
    """Who a verb is for, from the widest to the narrowest.

    ANYONE needs no account; READER is any active account; MEMBER may also write; ADMIN is an
    administrator; MONITOR is who may look through the control socket, OPERATOR who may act through
    it: processes of the machine, and nobody on the web.
    """

    ANYONE = "anyone"
    READER = "reader"
    MEMBER = "member"
    ADMIN = "admin"
    MONITOR = "monitor"
    OPERATOR = "operator"


_ROLES: Mapping[Audience, frozenset[Role]] = {
    Audience.READER: frozenset({Role.READER, Role.MEMBER, Role.ADMIN}),
    Audience.MEMBER: frozenset({Role.MEMBER, Role.ADMIN}),
    Audience.ADMIN: frozenset({Role.ADMIN}),
    Audience.MONITOR: frozenset(),
    Audience.OPERATOR: frozenset(),
}

# Verbs are named noun.verb. Whose thing it is (one's own conversation, one's own turn) is not
# said here: services look only among what the person may see, so another's is not found.
TABLE: Mapping[str, Audience] = {
    # pages
    "page.chat": Audience.READER,
    "page.print": Audience.READER,
    "page.share": Audience.READER,
    "page.login": Audience.ANYONE,
    "page.register": Audience.ANYONE,
    "page.setup": Audience.ANYONE,
    "page.password": Audience.ANYONE,
    "page.language": Audience.ANYONE,
    "page.static": Audience.ANYONE,
    "page.admin": Audience.ADMIN,
    "page.profile": Audience.READER,
    "page.health": Audience.ANYONE,
    "page.offline": Audience.ANYONE,
    "account.login": Audience.ANYONE,
    "account.register": Audience.ANYONE,
    "account.setup": Audience.ANYONE,
    "account.password": Audience.ANYONE,
    "account.logout": Audience.READER,
    # one's own account
    "profile.rename": Audience.READER,
    "profile.password": Audience.READER,
    "profile.prefer": Audience.READER,
    "profile.end-session": Audience.READER,
    "profile.leave": Audience.READER,
    # the admin page: what it does, it does by the verbs of the control socket, below
    "admin.confirm": Audience.ADMIN,
    "admin.call": Audience.ADMIN,
    "admin.watch": Audience.ADMIN,
    # files that are attached to questions
    "attachment.add": Audience.MEMBER,
    "attachment.get": Audience.READER,
    "attachment.show": Audience.READER,
    "attachment.cost": Audience.MEMBER,
    "attachment.part": Audience.MEMBER,
    "attachment.remove": Audience.MEMBER,
    # the WebSocket and its verbs
    "socket.open": Audience.READER,
    "conversation.list": Audience.READER,
    "conversation.search": Audience.READER,
    "conversation.watch": Audience.READER,
    "conversation.unwatch": Audience.READER,
    "conversation.archived": Audience.READER,
    "conversation.bin": Audience.READER,
    "conversation.rename": Audience.MEMBER,
    "conversation.pin": Audience.MEMBER,
    "conversation.archive": Audience.MEMBER,
    "conversation.delete": Audience.MEMBER,
    "conversation.restore": Audience.MEMBER,
    "conversation.purge": Audience.MEMBER,
    "conversation.export": Audience.READER,
    "conversation.import": Audience.MEMBER,
    "conversation.choices": Audience.READER,
    "conversation.choose": Audience.MEMBER,
    "conversation.empty_bin": Audience.MEMBER,
    "conversation.move": Audience.MEMBER,
    "folder.add": Audience.MEMBER,
    "folder.rename": Audience.MEMBER,
    "folder.remove": Audience.MEMBER,
    "folder.restore": Audience.MEMBER,
    "share.show": Audience.MEMBER,
    "share.people": Audience.MEMBER,
    "share.add": Audience.MEMBER,
    "share.renew": Audience.MEMBER,
    "share.remove": Audience.MEMBER,
    "share.list": Audience.READER,
    "share.open": Audience.READER,
    "share.fork": Audience.MEMBER,
    "chat.ask": Audience.MEMBER,
    "chat.stop": Audience.MEMBER,
    "chat.regenerate": Audience.MEMBER,
    "chat.continue": Audience.MEMBER,
    "chat.rate": Audience.MEMBER,
    "chat.preview": Audience.MEMBER,
    "model.list": Audience.READER,
    "model.facts": Audience.READER,
    "preset.list": Audience.READER,
    "preset.add": Audience.MEMBER,
    "preset.change": Audience.MEMBER,
    "preset.delete": Audience.MEMBER,
    "prompt.list": Audience.READER,
    "prompt.add": Audience.MEMBER,
    "prompt.change": Audience.MEMBER,
    "prompt.delete": Audience.MEMBER,
    # the control socket
    "control.status": Audience.MONITOR,
    "control.user.list": Audience.MONITOR,
    "control.user.add": Audience.OPERATOR,
    "control.user.approve": Audience.OPERATOR,
    "control.user.state": Audience.OPERATOR,
    "control.user.role": Audience.OPERATOR,
    "control.user.passwd": Audience.OPERATOR,
    "control.user.rm": Audience.OPERATOR,
    "control.user.reset-link": Audience.OPERATOR,
    "control.session.list": Audience.OPERATOR,
    "control.session.kick": Audience.OPERATOR,
    "control.invitation.list": Audience.OPERATOR,
    "control.invitation.add": Audience.OPERATOR,
    "control.invitation.rm": Audience.OPERATOR,
    "control.setup-link": Audience.OPERATOR,
    "control.model.list": Audience.MONITOR,
    "control.model.fit": Audience.MONITOR,
    "control.ratings": Audience.MONITOR,
    "control.engine.incidents": Audience.MONITOR,
    "control.engine.reset": Audience.OPERATOR,
    "control.engine.maintenance": Audience.OPERATOR,
    "control.queue": Audience.MONITOR,
    "control.conversation.purge": Audience.OPERATOR,
    "control.db.show": Audience.MONITOR,
    "control.db.check": Audience.OPERATOR,
    "control.db.vacuum": Audience.OPERATOR,
    "control.db.old": Audience.MONITOR,
    "control.db.clean": Audience.OPERATOR,
    "control.db.backup.list": Audience.MONITOR,
    "control.db.backup.add": Audience.OPERATOR,
    "control.db.backup.download": Audience.OPERATOR,
    "control.db.backup.rm": Audience.OPERATOR,
    "control.db.restore": Audience.OPERATOR,
    "control.audit": Audience.OPERATOR,
    "control.audit.csv": Audience.OPERATOR,
    "control.samples": Audience.MONITOR,
    "control.queue.pause": Audience.OPERATOR,
    "control.queue.cancel": Audience.OPERATOR,
    "control.engine.show": Audience.MONITOR,
    "control.engine.start": Audience.OPERATOR,
    "control.engine.stop": Audience.OPERATOR,
    "control.engine.restart": Audience.OPERATOR,
    "control.engine.unload": Audience.OPERATOR,
    "control.starter.list": Audience.MONITOR,
    "control.starter.fetch": Audience.OPERATOR,
    "control.model.pull": Audience.OPERATOR,
    "control.model.rm": Audience.OPERATOR,
    "control.model.load": Audience.OPERATOR,
    "control.model.unload": Audience.OPERATOR,
    "control.model.default": Audience.OPERATOR,
    "control.model.set": Audience.OPERATOR,
    "control.restart": Audience.OPERATOR,
    "control.drain": Audience.OPERATOR,
    "control.setting.list": Audience.MONITOR,
    "control.setting.change": Audience.OPERATOR,
    "control.banner.show": Audience.MONITOR,
    "control.banner.set": Audience.OPERATOR,
    "control.logo.show": Audience.MONITOR,
    "control.logo.set": Audience.OPERATOR,
    "control.logo.rm": Audience.OPERATOR,
    "control.config.show": Audience.OPERATOR,
    "control.config.reload": Audience.OPERATOR,
    "control.logs": Audience.OPERATOR,
    "control.engine.logs": Audience.OPERATOR,
    "control.events": Audience.MONITOR,
    "control.dump": Audience.OPERATOR,
    "control.ask": Audience.OPERATOR,
}

# What the admin page asks the password again for, and says the effects of beforehand: what ends or
# destroys something, what lets people in or shuts them out for all, and what makes somebody else
# powerful. A setting may do any of these: retention deletes, registration lets in. An invitation
# makes members, as user.add does, and can be taken back.
DANGEROUS = frozenset(
    {
        "control.engine.stop",
        "control.engine.restart",
        "control.model.rm",
        "control.restart",
        "control.drain",
        "control.setting.change",
        "control.user.state",
        "control.user.role",
        "control.user.passwd",
        "control.user.reset-link",
        "control.user.rm",
        "control.conversation.purge",
        "control.db.clean",
        "control.db.backup.rm",
        "control.db.backup.download",
        "control.db.restore",
    }
)

# The dangerous verbs that know `is_dry_run` and then only tell what would go. No other verb heeds
# that key, so with any other it must not spare anybody the password.
DRY_RUNS = frozenset({"control.user.rm", "control.conversation.purge"})

# What a verb of the control socket answers, where that is not one object.
STREAMS = frozenset(
    {
        "control.ask",
        "control.events",
        "control.logs",
        "control.model.pull",
        "control.starter.fetch",
    }
)
FILES = frozenset({"control.audit.csv", "control.db.backup.download"})


class UnknownVerb(LookupError):
    """A route or a message names a verb that is not in the table: a mistake of ours, at start."""


def audience_of(verb: str) -> Audience:
    """Return who may use a verb. Raises UnknownVerb."""
    try:
        return TABLE[verb]
    except KeyError:
        raise UnknownVerb(
            f"{verb!r} is not in couachgptd/core/access.py: say there who may use it"
        ) from None


def is_dangerous(verb: str, body: Mapping[str, Any]) -> bool:
    """Say whether the password is asked for again; only telling what would go is harmless."""
    if verb == "control.user.add":
        return body.get("role") == Role.ADMIN.value
    is_dry_run = verb in DRY_RUNS and body.get("is_dry_run") is True
    return verb in DANGEROUS and not is_dry_run


def may(user: User | None, verb: str) -> bool:
    """Say whether this person, or nobody in particular, may use a verb."""
    audience = audience_of(verb)
    if audience is Audience.ANYONE:
        return True
    return user is not None and user.is_active and user.role in _ROLES[audience]


def require(user: User | None, verb: str) -> None:
    """Raise NotAllowed unless this person may use a verb."""
    if not may(user, verb):
        raise NotAllowed(verb=verb)
