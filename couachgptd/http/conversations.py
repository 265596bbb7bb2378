"""The socket's verbs of somebody's conversations: each returns what its `ok` carries."""

from collections.abc import Awaitable, Callable, Mapping

from couachgptd.core.conversations import Shelf
from couachgptd.core.ids import ConversationId
from couachgptd.core.users import User
from couachgptd.http import fields
from couachgptd.http.fields import Json
from couachgptd.services.conversations import ConversationService

Act = Callable[[ConversationService, User, Json], Awaitable[Json]]


def _named(request: Json) -> ConversationId:
    return ConversationId(fields.text(request, "conversation"))


def _listing(shelf: Shelf) -> Act:
    async def act(service: ConversationService, user: User, _request: Json) -> Json:
        return {"conversations": await service.listed(user.id, shelf)}

    return act


async def _bin(service: ConversationService, user: User, _request: Json) -> Json:
    return {
        "conversations": await service.listed(user.id, Shelf.BIN),
        "days": service.bin_days,
    }


async def _rename(service: ConversationService, user: User, request: Json) -> Json:
    await service.rename(user, _named(request), fields.text(request, "title"))
    return {}


async def _pin(service: ConversationService, user: User, request: Json) -> Json:
    await service.pin(user, _named(request), is_on=fields.flag(request, "is_on"))
    return {}


async def _archive(service: ConversationService, user: User, request: Json) -> Json:
    await service.archive(user, _named(request), is_on=fields.flag(request, "is_on"))
    return {}


async def _delete(service: ConversationService, user: User, request: Json) -> Json:
    await service.delete(user, _named(request))
    return {}


async def _restore(service: ConversationService, user: User, request: Json) -> Json:
    await service.restore(user, _named(request))
    return {}


async def _purge(service: ConversationService, user: User, request: Json) -> Json:
    await service.purge_binned(user, _named(request))
    return {}


VERBS: Mapping[str, Act] = {
    "conversation.list": _listing(Shelf.LIST),
    "conversation.archived": _listing(Shelf.ARCHIVE),
    "conversation.bin": _bin,
    "conversation.rename": _rename,
    "conversation.pin": _pin,
    "conversation.archive": _archive,
    "conversation.delete": _delete,
    "conversation.restore": _restore,
    "conversation.purge": _purge,
}
