"""The WebSocket: one a tab; decodes requests, calls the chat's verbs, passes events on."""

import asyncio
import json
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.helpers import ChainMapProxy

from couachgptd.core import access, wire
from couachgptd.core.errors import BadRequest, CouachError
from couachgptd.core.ids import ConversationId, MessageId, UserId
from couachgptd.core.shares import SHARES_CHANGED
from couachgptd.core.users import User
from couachgptd.http import (
    attachments,
    choosing,
    conversations,
    fields,
    folders,
    ratings,
    shares,
)
from couachgptd.http.areas import answering
from couachgptd.http.keys import (
    ACCOUNTS,
    ATTACHMENTS,
    CHAT,
    CHOOSING,
    CONTROL,
    CONVERSATIONS,
    FOLDERS,
    MODELS,
    RATINGS,
    SEARCH,
    SESSION_ID,
    SHARES,
    SITE,
    TOPICS,
    USER,
)
from couachgptd.http.origin import is_same_origin
from couachgptd.http.overview import keep_telling
from couachgptd.http.streams import STREAMS, Stream
from couachgptd.services.chat import Asked, Question
from couachgptd.services.topics import encode

log = logging.getLogger(__name__)

PROTOCOL = 1
HEARTBEAT_SECONDS = 30.0
GOODBYE_SECONDS = 2.0  # a page that does not answer the closing must not hold up our end
MESSAGE_MAX_BYTES = 4 * 1024 * 1024
# A page that leaves this much unread is cut off; it comes back and gets a snapshot, which may be
# larger than that: what is sent to a page that reads is never refused for its length.
OUTBOX_MAX_CHARACTERS = 8 * 1024 * 1024
SIGNED_OUT = 4401
FOREIGN_ORIGIN = 4403

Json = dict[str, Any]
SOCKETS = web.AppKey("SOCKETS", set["Tab"])


class Tab:
    """One open page of one person."""

    def __init__(self, request: web.Request, ws: web.WebSocketResponse, user: User) -> None:
        self.user_id: UserId = user.id
        self.offered = (user.role, user.model)  # what decides which models it is told of
        self._ws = ws
        self.services = request.config_dict
        self._session_id = request[SESSION_ID]
        self._accounts = request.config_dict[ACCOUNTS]
        self._chat = request.config_dict[CHAT]
        self._control = request.config_dict[CONTROL]
        self._models = request.config_dict[MODELS]
        self._search = request.config_dict[SEARCH]
        self._topics = request.config_dict[TOPICS]
        self._site = request.config_dict[SITE]
        self._outbox: deque[str] = deque()
        self._outbox_size = 0
        self._filled = asyncio.Event()
        self._watched: set[str] = set()
        self._overview: asyncio.Task[None] | None = None
        self._transport = request.transport

    # sending: never waits, so that one slow page holds up nobody

    def send(self, text: str) -> None:
        if self._outbox_size > OUTBOX_MAX_CHARACTERS and self._transport is not None:
            # At once: the writer may be waiting for this very page, and a closing frame would too.
            self._transport.abort()
            return
        self._outbox.append(text)
        self._outbox_size += len(text)
        self._filled.set()

    def tell(self, kind: str, fields: Json) -> None:
        self.send(encode({"type": kind, **fields}))

    async def _write(self) -> None:
        while True:
            await self._filled.wait()
            self._filled.clear()
            while self._outbox:
                text = self._outbox.popleft()
                self._outbox_size -= len(text)
                await self._ws.send_str(text)

    # receiving

    async def run(self, user: User) -> None:
        """Speak the protocol until either side closes."""
        writer: asyncio.Task[None] | None = None
        self._topics.enter(user.id, self, self.send)
        try:
            # Events may come while the hello is made: it still goes first.
            hello = encode({"type": "hello", **await self._hello(user)})
            self._outbox.appendleft(hello)
            self._outbox_size += len(hello)
            self._filled.set()
            if self._site.banner is not None:
                self.tell("banner", {"banner": self._site.banner})
            writer = asyncio.create_task(self._write(), name="socket-writer")
            async for message in self._ws:
                if message.type is WSMsgType.TEXT:
                    await self._answer(message.data)
        finally:
            self._topics.leave(user.id, self)
            for name in self._watched:
                self._topics.unwatch(name, self)
            for task in (self._overview, writer):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError, ConnectionError):
                        await task

    async def _hello(self, user: User) -> Json:
        return {
            "protocol": PROTOCOL,
            "epoch": self._topics.epoch,
            "user": wire.own_user(user),
            **await self.services[CONVERSATIONS].listed(user.id),
            "folders": await self.services[FOLDERS].listed(user.id),
            **self._models.overview(user.role, user.model),
        }

    async def _answer(self, text: str) -> None:
        request_id = None
        try:
            request = _decode(text)
            request_id = request["id"]
            verb = request["type"]
            handler = _VERBS.get(verb)
            if handler is None:
                raise BadRequest(reason="type")
            found = await self._accounts.session(self._session_id)
            if found is None:
                await self.sign_out()
                return
            access.require(found[0], verb)
            await handler(self, found[0], request)
        except CouachError as error:
            self.tell("error", {"id": request_id, **wire.error(error)})
        except Exception:  # the edge of a request: one fault must not end the others' streams
            log.exception("a socket request failed by a fault of ours")
            self.tell("error", {"id": request_id, **wire.error(CouachError())})

    def ok(self, request: Json, **fields: Any) -> None:
        self.tell("ok", {"id": request["id"], **fields})

    # verbs

    async def search(self, user: User, request: Json) -> None:
        before = fields.optional_number(request, "before")
        self.ok(request, **await self._search.search(user, fields.text(request, "text"), before))

    async def list_models(self, user: User, request: Json) -> None:
        overview = self._models.overview(user.role, user.model)
        self.ok(request, models=overview["models"], default=overview["default_model"])

    async def watch(self, user: User, request: Json) -> None:
        name = fields.text(request, "conversation")
        conversation = await self._chat.conversation(user, name)
        self.ok(request, conversation=wire.conversation(conversation))
        self._watched.add(name)
        await self._chat.watch(user, name, request.get("position"), self, self.send)

    async def unwatch(self, _user: User, request: Json) -> None:
        name = fields.text(request, "conversation")
        self._watched.discard(name)
        self._topics.unwatch(name, self)
        self.ok(request)

    async def ask(self, user: User, request: Json) -> None:
        is_watched = False

        def accepted(asked: Asked) -> None:
            nonlocal is_watched
            conversation = asked.conversation.id
            is_watched = asked.is_new_conversation or conversation in self._watched
            self._watched.add(conversation)
            self.ok(
                request,
                conversation=conversation,
                question=asked.question,
                answer=asked.answer,
            )
            if asked.is_new_conversation:
                self._chat.watch_new(asked.conversation, self, self.send)

        conversation_id = fields.optional_text(request, "conversation")
        parent_id = fields.optional_number(request, "parent")
        edited_id = fields.optional_number(request, "edits")
        question = Question(
            text=fields.text(request, "text"),
            client_id=fields.text(request, "client_id"),
            conversation_id=None if conversation_id is None else ConversationId(conversation_id),
            parent_id=None if parent_id is None else MessageId(parent_id),
            edited_id=None if edited_id is None else MessageId(edited_id),
            model=fields.optional_text(request, "model"),
            choices=self.services[CHOOSING].read(request.get("choices")),
            attachments=attachments.optional_ids(request),
        )
        conversation = await self._chat.ask(user, question, accepted)
        if not is_watched:
            await self._chat.watch(user, conversation, None, self, self.send)

    async def stop(self, user: User, request: Json) -> None:
        await self._chat.stop(user, fields.number(request, "turn"))
        self.ok(request)

    async def regenerate(self, user: User, request: Json) -> None:
        model = fields.optional_text(request, "model")
        answer = await self._chat.regenerate(user, fields.number(request, "message"), model)
        self.ok(request, answer=answer)

    async def go_on(self, user: User, request: Json) -> None:
        self.ok(request, answer=await self._chat.go_on(user, fields.number(request, "message")))

    async def watch_overview(self, user: User, request: Json) -> None:
        self.ok(request)
        if self._overview is None:
            self._overview = asyncio.create_task(
                keep_telling(self._control, user.id, self.tell), name="overview"
            )

    # ends

    async def sign_out(self) -> None:
        self.tell("closing", {"reason": "signed_out"})
        await self._close(SIGNED_OUT)

    def warn_of_restart(self) -> None:
        self.tell("closing", {"reason": "server_restarting"})

    async def go_away(self) -> None:
        self.warn_of_restart()
        await self._close(WSCloseCode.SERVICE_RESTART)

    async def _close(self, code: int) -> None:
        await asyncio.sleep(0)  # the writer takes what is in the outbox first
        await self._ws.close(code=code)

    async def check_session(self) -> None:
        """Close where the session ended, or where the page shows what its person may not do.

        The page then goes to the log-in, which sends whoever is still logged in back to a new one.
        """
        found = await self._accounts.session(self._session_id)
        if found is None or found[0].role is not self.offered[0]:
            await self.sign_out()


_VERBS: dict[str, Callable[[Tab, User, Json], Awaitable[None]]] = {
    "conversation.search": Tab.search,
    **answering(conversations.VERBS, CONVERSATIONS),
    **answering(choosing.VERBS, CHOOSING),
    **answering(folders.VERBS, FOLDERS),
    **answering(attachments.VERBS, ATTACHMENTS),
    **answering(shares.VERBS, SHARES),
    **answering(ratings.VERBS, RATINGS),
    "conversation.watch": Tab.watch,
    "conversation.unwatch": Tab.unwatch,
    "chat.ask": Tab.ask,
    "chat.stop": Tab.stop,
    "chat.regenerate": Tab.regenerate,
    "chat.continue": Tab.go_on,
    "model.list": Tab.list_models,
    "admin.watch": Tab.watch_overview,
}


def tell_user(app: web.Application | ChainMapProxy, user: User) -> None:
    """Tell every page of a person who they are by now, and which model answers by default."""
    for tab in app[SOCKETS]:
        if tab.user_id == user.id:
            tab.offered = (user.role, user.model)
            tab.tell("user", {"user": wire.own_user(user)})
            tab.tell("engine", app[MODELS].overview(*tab.offered))


def set_up_sockets(app: web.Application) -> None:
    """Register what closes sockets and streams.

    Raises UnknownVerb, at start, for a verb past the table.
    """
    for verb in _VERBS:
        access.audience_of(verb)
    app[SOCKETS], app[STREAMS] = set(), set()
    checks: set[asyncio.Task[None]] = set()

    def changed(user_id: UserId) -> None:
        app[TOPICS].tell_all(SHARES_CHANGED, {})  # those of a person who is gone are gone
        opened: list[Tab | Stream] = [*app[SOCKETS], *app[STREAMS]]
        for each in opened:
            if each.user_id == user_id:
                task = asyncio.create_task(each.check_session(), name="check-session")
                checks.add(task)
                task.add_done_callback(checks.discard)

    async def say_goodbye(app: web.Application) -> None:
        await asyncio.gather(*(tab.go_away() for tab in app[SOCKETS].copy()))

    def tell_all() -> None:
        texts = {
            offered: encode({"type": "engine", **app[MODELS].overview(*offered)})
            for offered in {tab.offered for tab in app[SOCKETS]}
        }
        for tab in app[SOCKETS]:
            tab.send(texts[tab.offered])

    app[ACCOUNTS].changed = changed
    app[MODELS].changed = tell_all
    app.on_shutdown.append(say_goodbye)


def warn_of_restart(app: web.Application) -> None:
    """Tell every tab that we go; what it watches goes on until it is closed with 1012."""
    for tab in app[SOCKETS]:
        tab.warn_of_restart()


async def open_socket(request: web.Request) -> web.StreamResponse:
    ws = await _accepted(request)
    if ws.closed:
        return ws
    user = request[USER]
    tab = Tab(request, ws, user)
    request.app[SOCKETS].add(tab)
    try:
        await tab.run(user)
    except Exception:  # the handshake is over: no page of ours could say it
        log.exception("a socket ended by a fault of ours")
        await ws.close(code=WSCloseCode.INTERNAL_ERROR)
    finally:
        request.app[SOCKETS].discard(tab)
    return ws


async def refuse_socket(request: web.Request) -> web.StreamResponse:
    """Say in a way that a page can read, which a status is not, that nobody is logged in."""
    ws = await _accepted(request)
    if not ws.closed:
        await ws.send_str(encode({"type": "closing", "reason": "signed_out"}))
        await ws.close(code=SIGNED_OUT)
    return ws


async def _accepted(request: web.Request) -> web.WebSocketResponse:
    """Return the socket past its handshake, already closed where another site opened it."""
    ws = web.WebSocketResponse(
        heartbeat=HEARTBEAT_SECONDS,
        max_msg_size=MESSAGE_MAX_BYTES,
        compress=False,
        timeout=GOODBYE_SECONDS,
    )
    await ws.prepare(request)
    if not is_same_origin(request, required=True):
        await ws.close(code=FOREIGN_ORIGIN)
    return ws


def _decode(text: str) -> Json:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest(reason="json") from None
    if not isinstance(request, dict) or not isinstance(request.get("type"), str):
        raise BadRequest(reason="type")
    if type(request.setdefault("id", None)) not in (int, type(None)):
        raise BadRequest(reason="id")
    return request
