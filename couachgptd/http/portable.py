"""Conversations as files: what a person takes away, and what they bring."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from aiohttp import web

from couachgptd.core import wire
from couachgptd.core.errors import CouachError, NotFound, StoreFull
from couachgptd.core.imports import ImportTooLarge
from couachgptd.core.portable import Form
from couachgptd.core.shares import ShareId
from couachgptd.http import pages
from couachgptd.http.bodies import while_coming
from couachgptd.http.dispositions import kept_as
from couachgptd.http.keys import CHAT, EXPORTS, IMPORTS, SHARES, SPOOL, USER
from couachgptd.http.routes import add
from couachgptd.http.streams import line, while_allowed
from couachgptd.i18n import mark, translations
from couachgptd.services.exports import ExportService
from couachgptd.services.imports import ImportService
from couachgptd.services.unpacking import SIGNATURE

EXPORT = "conversation.export"
NUMBER_MAX_LENGTH = 15
ATTACHED = mark("Attached file: {name}")
CHUNK_BYTES = 256 * 1024
MEDIA_TYPES = {"json": "application/json", "md": "text/markdown", "zip": "application/zip"}


def set_up_portable(
    app: web.Application, exports: ExportService, imports: ImportService, spool: Path
) -> None:
    """Register it; what comes is put into `spool`, nameless, while it is looked at."""
    app[EXPORTS], app[IMPORTS], app[SPOOL] = exports, imports, spool
    add(app, "GET", "/c/{conversation}/export/{form}", EXPORT, export_one)
    add(app, "GET", "/export/everything", EXPORT, export_everything)
    add(app, "GET", "/export/{form}", EXPORT, export_all)
    add(app, "GET", "/c/{conversation}/print", "page.print", show_to_print)
    add(app, "GET", "/s/{share}", "page.share", show_shared)
    add(app, "GET", "/s/{share}/content", "share.open", hand_out_shared)
    add(app, "POST", "/import", "conversation.import", bring, is_upload=True)


async def export_one(request: web.Request) -> web.StreamResponse:
    name, pieces = await request.config_dict[EXPORTS].one(
        request[USER],
        request.match_info["conversation"],
        _form(request),
        _leaf(request),
        _file(request),
    )
    return await _hand_out(request, name, pieces)


async def export_all(request: web.Request) -> web.StreamResponse:
    name, pieces = request.config_dict[EXPORTS].all(request[USER], _form(request), _file(request))
    return await _hand_out(request, name, pieces)


async def export_everything(request: web.Request) -> web.StreamResponse:
    name, pieces = request.config_dict[EXPORTS].everything(request[USER])
    return await _hand_out(request, name, pieces)


def _file(request: web.Request) -> str:
    return translations(pages.language_of(request)).gettext(ATTACHED)


def _leaf(request: web.Request) -> int | None:
    leaf = request.query.get("leaf", "")
    if leaf and not (leaf.isascii() and leaf.isdecimal() and len(leaf) <= NUMBER_MAX_LENGTH):
        raise NotFound
    return int(leaf) if leaf else None


def _form(request: web.Request) -> Form:
    try:
        return Form(request.match_info["form"])
    except ValueError:
        raise NotFound from None


async def _hand_out(
    request: web.Request, name: str, pieces: AsyncGenerator[bytes]
) -> web.StreamResponse:
    """Send a file to be kept, never to be shown: what is in it was written by anybody."""
    response = web.StreamResponse()
    response.content_type = MEDIA_TYPES[name.rpartition(".")[2]]
    response.charset = None if name.endswith(".zip") else "utf-8"
    response.headers["Content-Disposition"] = kept_as(name)
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "no-store"

    async def hand_out() -> None:
        async with aclosing(pieces):
            await response.prepare(request)
            if request.method == "HEAD":
                return
            async for piece in pieces:
                await response.write(piece)

    await while_allowed(request, hand_out, EXPORT)
    return response


async def show_to_print(request: web.Request) -> web.StreamResponse:
    """Show a branch for paper: the address of its JSON is all that the page is told of it."""
    conversation = await request.config_dict[CHAT].conversation(
        request[USER], request.match_info["conversation"]
    )
    return _document(
        request,
        source=f"/c/{conversation.id}/export/json",
        leaf=_leaf(request),
        share=None,
        owner=request[USER].name,
    )


async def show_shared(request: web.Request) -> web.StreamResponse:
    shared = await request.config_dict[SHARES].open(request[USER], _share(request))
    return _document(
        request,
        source=f"/s/{shared['id']}/content",
        leaf=None,
        share=shared["id"],
        owner=shared["owner"]["name"],
    )


async def hand_out_shared(request: web.Request) -> web.StreamResponse:
    pieces = await request.config_dict[SHARES].content(request[USER], _share(request))
    return await _hand_out(request, "shared.json", pieces)


def _share(request: web.Request) -> ShareId:
    return ShareId(request.match_info["share"])


def _document(request: web.Request, **about: object) -> web.Response:
    props = {
        "user": wire.user(request[USER]),
        "language": pages.language_of(request),
        "brand": pages.brand_of(request.config_dict)["name"],
        **about,
    }
    return pages.render(request, "document.html", props=props)


async def bring(request: web.Request) -> web.StreamResponse:
    """Take a file of conversations; a line of JSON tells how far it is, the last one the sum.

    Who goes away does not stop it: what has come whole is kept whole.
    """
    imports = request.config_dict[IMPORTS]
    with imports.place(request[USER].id), _spooled(request) as file:
        async with while_coming(request):
            await _receive(request, file)
        response = web.StreamResponse()
        response.content_type = "application/x-ndjson"
        events = imports.run(request[USER], file)
        try:
            async with aclosing(events):
                async for event in events:
                    with suppress(ConnectionError):
                        if not response.prepared:
                            await response.prepare(request)
                        await response.write(line(event))
        except CouachError as error:
            if not response.prepared:
                raise
            await response.write(line({"type": "error", "error": wire.error(error)}))
    return response


def _spooled(request: web.Request) -> IO[bytes]:
    """Return a file without a name beside the store: /tmp may be memory. Raises StoreError."""
    directory = request.config_dict[SPOOL]
    try:
        return TemporaryFile(dir=directory)
    except OSError as error:
        raise StoreFull(path=str(directory), reason=str(error)) from None


async def _receive(request: web.Request, file: IO[bytes]) -> None:
    """Raises ImportTooLarge, AttachmentsFull, StoreFull."""
    begin = b""  # by which a zip is known, however small the pieces that come
    try:
        while begin != SIGNATURE and SIGNATURE.startswith(begin):
            if not (more := await request.content.read(len(SIGNATURE) - len(begin))):
                break
            begin += more
        imports = request.config_dict[IMPORTS]
        most = await imports.require_room(begin, request.content_length)
        await asyncio.to_thread(file.write, begin)
        size = len(begin)
        async for chunk in request.content.iter_chunked(CHUNK_BYTES):
            size += len(chunk)
            if size > most:
                raise ImportTooLarge(limit_bytes=most)
            await asyncio.to_thread(file.write, chunk)
    except ConnectionError:
        raise
    except OSError as error:
        raise StoreFull(path=str(request.config_dict[SPOOL]), reason=str(error)) from None
