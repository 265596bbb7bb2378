"""The socket's verbs of sharing: each returns what its `ok` carries."""

from collections.abc import Mapping

from couachgptd.core.ids import ConversationId, MessageId
from couachgptd.core.shares import ShareId
from couachgptd.core.users import User
from couachgptd.http import areas, fields
from couachgptd.http.fields import Json
from couachgptd.services.shares import ShareService


def _conversation(request: Json) -> ConversationId:
    return ConversationId(fields.text(request, "conversation"))


def _share(request: Json) -> ShareId:
    return ShareId(fields.text(request, "share"))


def _leaf(request: Json) -> MessageId | None:
    leaf = fields.optional_number(request, "leaf")
    return None if leaf is None else MessageId(leaf)


async def _show(service: ShareService, user: User, request: Json) -> Json:
    return await service.show(user, _conversation(request))


async def _people(service: ShareService, user: User, request: Json) -> Json:
    return {"people": await service.people(user, fields.text(request, "text"))}


async def _add(service: ShareService, user: User, request: Json) -> Json:
    login = fields.text(request, "login")
    return await service.add(user, _conversation(request), login, _leaf(request))


async def _renew(service: ShareService, user: User, request: Json) -> Json:
    return await service.renew(user, _conversation(request), _leaf(request))


async def _remove(service: ShareService, user: User, request: Json) -> Json:
    login = fields.optional_text(request, "login")
    return await service.remove(user, _conversation(request), login)


async def _list(service: ShareService, user: User, _request: Json) -> Json:
    return {"shared": await service.listed(user)}


async def _open(service: ShareService, user: User, request: Json) -> Json:
    return {"shared": await service.open(user, _share(request))}


async def _fork(service: ShareService, user: User, request: Json) -> Json:
    return {"conversation": await service.fork(user, _share(request))}


VERBS: Mapping[str, areas.Act] = {
    "share.show": _show,
    "share.people": _people,
    "share.add": _add,
    "share.renew": _renew,
    "share.remove": _remove,
    "share.list": _list,
    "share.open": _open,
    "share.fork": _fork,
}
