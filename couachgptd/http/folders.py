"""The socket's verbs of somebody's folders: each returns what its `ok` carries."""

from collections.abc import Mapping

from couachgptd.core.ids import ConversationId, FolderId
from couachgptd.core.users import User
from couachgptd.http import areas, fields
from couachgptd.http.fields import Json
from couachgptd.services.folders import FolderService


def _named(request: Json) -> FolderId:
    return FolderId(fields.number(request, "folder"))


async def _add(service: FolderService, user: User, request: Json) -> Json:
    return {"folder": await service.add(user, fields.text(request, "name"))}


async def _rename(service: FolderService, user: User, request: Json) -> Json:
    await service.rename(user, _named(request), fields.text(request, "name"))
    return {}


async def _remove(service: FolderService, user: User, request: Json) -> Json:
    await service.remove(user, _named(request))
    return {}


async def _restore(service: FolderService, user: User, request: Json) -> Json:
    await service.restore(user, _named(request))
    return {}


async def _move(service: FolderService, user: User, request: Json) -> Json:
    conversation = ConversationId(fields.text(request, "conversation"))
    folder = fields.optional_number(request, "folder")
    await service.move(user, conversation, None if folder is None else FolderId(folder))
    return {}


VERBS: Mapping[str, areas.Act] = {
    "folder.add": _add,
    "folder.rename": _rename,
    "folder.remove": _remove,
    "folder.restore": _restore,
    "conversation.move": _move,
}
