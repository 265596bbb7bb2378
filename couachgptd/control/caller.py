"""Who calls the control socket: a process of this machine, or a person through the admin page."""

from dataclasses import dataclass

from aiohttp import web

from couachgptd.control.peer import Groups, Peer, peer_of
from couachgptd.control.routes import BEHALF_HEADER
from couachgptd.core import access
from couachgptd.core.access import Audience
from couachgptd.core.errors import NotAllowed
from couachgptd.core.ids import UserId
from couachgptd.core.ports import Store
from couachgptd.core.users import Role


@dataclass(frozen=True, slots=True)
class Caller:
    """`behalf` is the header that names a person, as it came."""

    peer: Peer
    rights: frozenset[Audience]
    behalf: str | None = None

    async def actor(self, store: Store, verb: str) -> str:
        """Return who the audit names. Raises NotAllowed unless this caller may use the verb.

        Only the daemon itself may speak for a person, and the person is looked up at each call:
        who is no administrator any more has lost the right in that moment.
        """
        if access.audience_of(verb) not in self.rights:
            raise NotAllowed(verb=verb)
        if self.behalf is None:
            return str(self.peer)
        if not self.peer.is_ourselves or not self.behalf.isdecimal():
            raise NotAllowed(verb=verb)
        person = await store.user(UserId(int(self.behalf)))
        if person is None or not person.is_active or person.role is not Role.ADMIN:
            raise NotAllowed(verb=verb)
        return f"{person.login} {self.peer}"


CALLER = web.RequestKey("CALLER", Caller)


def of(request: web.Request, groups: Groups) -> Caller:
    """Return who is at the other end. Raises ConnectionResetError where nobody is any more."""
    if request.transport is None:
        raise ConnectionResetError
    peer = peer_of(request.transport.get_extra_info("socket"))
    return Caller(peer, groups.rights_of(peer), request.headers.get(BEHALF_HEADER))
