"""Attached files over HTTP, which carries their bytes, and the socket's verbs of them."""

from collections.abc import AsyncIterator, Mapping
from urllib.parse import unquote

from aiohttp import web

from couachgptd.core import wire
from couachgptd.core.attachments import Part
from couachgptd.core.errors import BadRequest
from couachgptd.core.ids import AttachmentId
from couachgptd.core.users import User
from couachgptd.http import areas, fields
from couachgptd.http.dispositions import kept_as
from couachgptd.http.fields import Json
from couachgptd.http.keys import ATTACHMENTS, USER
from couachgptd.http.routes import add
from couachgptd.services.attachments import AttachmentService

NAME_HEADER = "X-File-Name"  # percent-encoded UTF-8: a header has no other letters
CHUNK_BYTES = 256 * 1024
ASKED_MAX = 100
# Whatever a file says it is, a browser that is sent to it runs nothing and keeps it as a file.
HEADERS = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}
# Whom a file is only shared with has it no longer than that: their browser asks each time.
CACHED = {True: "private, max-age=3600", False: "private, no-cache"}


def set_up_attachments(app: web.Application) -> None:
    add(app, "POST", "/attachments", "attachment.add", take_in, is_upload=True)
    add(app, "GET", "/attachments/{attachment}", "attachment.get", hand_out)


async def take_in(request: web.Request) -> web.StreamResponse:
    """Take one file, whose body is its bytes; they go to the disk as they come."""
    size = request.content_length
    if size is None:
        raise BadRequest(reason="length")
    try:
        name = unquote(request.headers.get(NAME_HEADER, ""), errors="strict")
    except UnicodeDecodeError:
        raise BadRequest(reason="name") from None

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in request.content.iter_chunked(CHUNK_BYTES):
            yield chunk

    service = request.config_dict[ATTACHMENTS]
    found = await service.add(request[USER], name, size, chunks())
    return web.json_response({"attachment": wire.attachment(found)}, status=201)


async def hand_out(request: web.Request) -> web.StreamResponse:
    named = AttachmentId(request.match_info["attachment"])
    found, path = await request.config_dict[ATTACHMENTS].path_of(request[USER], named)
    response = web.FileResponse(path, headers={**HEADERS, "Content-Type": found.media_type})
    response.headers["Cache-Control"] = CACHED[found.owner_id == request[USER].id]
    response.headers["Content-Disposition"] = kept_as(found.name)
    return response


# --- the socket's verbs ------------------------------------------------------------------------


def _named(request: Json) -> AttachmentId:
    return AttachmentId(fields.text(request, "attachment"))


async def _show(service: AttachmentService, user: User, request: Json) -> Json:
    return await service.show(user, _named(request))


async def _cost(service: AttachmentService, user: User, request: Json) -> Json:
    return await service.cost(
        user,
        optional_ids(request) or (),
        fields.text(request, "text"),
        fields.optional_text(request, "model"),
    )


async def _part(service: AttachmentService, user: User, request: Json) -> Json:
    part = Part.read(request.get("part"))
    return {"attachment": wire.attachment(await service.choose_part(user, _named(request), part))}


async def _remove(service: AttachmentService, user: User, request: Json) -> Json:
    await service.remove(user, _named(request))
    return {}


def optional_ids(request: Json) -> tuple[AttachmentId, ...] | None:
    """Return the files that a request names; None where it says nothing of them."""
    given = request.get("attachments")
    if given is None:
        return None
    if not isinstance(given, list) or len(given) > ASKED_MAX:
        raise BadRequest(reason="attachments")
    return tuple(AttachmentId(fields.text({"attachments": each}, "attachments")) for each in given)


VERBS: Mapping[str, areas.Act] = {
    "attachment.show": _show,
    "attachment.cost": _cost,
    "attachment.part": _part,
    "attachment.remove": _remove,
}
