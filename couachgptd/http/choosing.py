"""The socket's verbs of what is chosen for a conversation: each returns what its `ok` carries."""

from collections.abc import Mapping
from dataclasses import asdict

from couachgptd.core.ids import ConversationId, MessageId
from couachgptd.core.users import User
from couachgptd.http import areas, fields
from couachgptd.http.fields import Json
from couachgptd.services.choosing import ChoosingService


def _named(request: Json) -> ConversationId:
    return ConversationId(fields.text(request, "conversation"))


async def _choose(service: ChoosingService, user: User, request: Json) -> Json:
    await service.choose(user, _named(request), service.read(request.get("choices")))
    return {}


async def _chosen(service: ChoosingService, user: User, request: Json) -> Json:
    return {"choices": asdict(await service.chosen(user, _named(request)))}


async def _preview(service: ChoosingService, user: User, request: Json) -> Json:
    conversation = fields.optional_text(request, "conversation")
    parent = fields.optional_number(request, "parent")
    return await service.preview(
        user,
        None if conversation is None else ConversationId(conversation),
        None if parent is None else MessageId(parent),
        service.read(request.get("choices")),
    )


async def _facts(service: ChoosingService, user: User, _request: Json) -> Json:
    return {"facts": await service.facts(user)}


VERBS: Mapping[str, areas.Act] = {
    "conversation.choices": _chosen,
    "conversation.choose": _choose,
    "chat.preview": _preview,
    "model.facts": _facts,
}
