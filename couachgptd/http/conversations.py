"""The socket's verbs of somebody's conversations: each returns what its `ok` carries."""

from collections.abc import Mapping

from couachgptd.core.conversations import Place, Shelf
from couachgptd.core.ids import ConversationId, FolderId
from couachgptd.core.users import User
from couachgptd.http import areas, fields
from couachgptd.http.fields import Json
from couachgptd.services.conversations import ConversationService


def _named(request: Json) -> ConversationId:
    return ConversationId(fields.text(request, "conversation"))


def _before(request: Json) -> Place | None:
    """Read the place of the last conversation that the page has of a shelf; None: it has none."""
    if request.get("before") is None:
        return None
    place = fields.record(request, "before")
    return Place(
        fields.moment(place, "at"),
        ConversationId(fields.text(place, "id")),
        is_pinned=fields.flag(place, "is_pinned"),
    )


async def _list(service: ConversationService, user: User, request: Json) -> Json:
    folder = fields.optional_number(request, "folder")
    folder_id = None if folder is None else FolderId(folder)
    return await service.listed(user.id, before=_before(request), folder_id=folder_id)


async def _archived(service: ConversationService, user: User, request: Json) -> Json:
    return await service.listed(user.id, Shelf.ARCHIVE, before=_before(request))


async def _bin(service: ConversationService, user: User, request: Json) -> Json:
    return await service.in_bin(user.id, before=_before(request))


async def _empty_bin(service: ConversationService, user: User, request: Json) -> Json:
    return {"count": await service.empty_bin(user, fields.moment(request, "until"))}


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


VERBS: Mapping[str, areas.Act] = {
    "conversation.list": _list,
    "conversation.archived": _archived,
    "conversation.bin": _bin,
    "conversation.rename": _rename,
    "conversation.pin": _pin,
    "conversation.archive": _archive,
    "conversation.delete": _delete,
    "conversation.restore": _restore,
    "conversation.purge": _purge,
    "conversation.empty_bin": _empty_bin,
}
