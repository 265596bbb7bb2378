"""The people of the nemesis: they ask, stop, ask again, lose their connection and come back."""

import asyncio
import json
import secrets
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import aiohttp

from benchmarks.nemesis_history import History, Json, Request, View

ANSWER_SECONDS = 30.0  # each request gets its one answer; a stopped daemon is back long before
CONNECT_SECONDS = 10.0
WAIT_SECONDS = 90.0  # until somebody has had enough; what is stuck shows before
WRITING_SECONDS = 10.0  # and of reading an answer that comes too slowly
POLL_SECONDS = 0.25
TALK_QUESTIONS = 10  # then the conversation is closed, as snapshots of it grow and grow
LEAST_TOKENS, SHORT_TOKENS, LONG_TOKENS = 5, 20, 90
MODELS = (None, None, None, None, "couac:3b")
BACK = (aiohttp.ClientError, ConnectionError, TimeoutError, OSError)
# What aiohttp raises besides, where the connection goes away while it is made.
CUT_SHORT = (*BACK, RuntimeError, TypeError, AssertionError)


class Offline(Exception):
    """The connection is not there, or was lost before the answer came."""


class Tab:
    """One socket of one person, which drops now and then and comes back with its positions."""

    def __init__(self, person: "Person", number: int) -> None:
        self._person = person
        self._random = Random(f"{person.history.seed}/{person.number}/{number}")  # noqa: S311 -- not a secret
        self.view = View(f"person {person.number} tab {number}")
        self.online = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._pending: dict[int, asyncio.Future[Json]] = {}
        self._watching: dict[int, str] = {}
        self._next_id = 0

    async def live(self) -> None:
        """Be there, for as long as the task."""
        while True:
            try:
                await self._connected()
            except (*BACK, Offline) as error:
                self.view.note(f"lost: {type(error.__cause__ or error).__name__}", time.time())
            finally:
                self.online.clear()
                self._ws = None
                for waiting in self._pending.values():
                    if not waiting.done():
                        waiting.set_exception(Offline())
                self._pending.clear()
                self._watching.clear()
            self._person.history.reconnections += 1
            await asyncio.sleep(self._random.uniform(0.1, 0.8))

    async def drop(self) -> None:
        """Lose the connection, politely or by just being gone."""
        if self._ws is not None and self._random.random() < 0.3:
            self.view.note("closes", time.time())
            with suppress(*BACK):
                await self._ws.close()
        elif self._session is not None:
            self.view.note("is cut off", time.time())
            await self._session.close()

    async def haunted(self, every: float) -> None:
        while True:
            await asyncio.sleep(self._random.uniform(0.3 * every, 1.7 * every))
            await self.drop()

    async def request(self, verb: str, **fields: object) -> Json:
        """Return the `ok` or `error` of a request. Raises Offline."""
        if not self.online.is_set():
            raise Offline
        answered: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        number = await self._send(verb, answered, **fields)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answered
        except TimeoutError:
            told = f"no answer to {verb} {number} within {ANSWER_SECONDS:g} s"
            self.view.blame("answered", told, time.time())
            raise Offline from None

    async def watch(self, conversation: str) -> None:
        """Ask for what was missed of a conversation, or for all of it."""
        position = self.view.position(conversation)
        with suppress(Offline):
            number = await self._send(
                "conversation.watch", None, conversation=conversation, position=position
            )
            self._watching[number] = conversation

    async def let_go(self, conversation: str) -> None:
        """Unwatch a conversation that has come to rest; what is shown of it is to be right."""
        try:
            answer = await self.request("conversation.unwatch", conversation=conversation)
            shown = self.view.shown.get(conversation)
            if answer["type"] == "ok" and shown is not None:
                shown.is_watched = False
                return
        except Offline:
            pass
        self.view.shown.pop(conversation, None)  # it was away: it may have missed something

    async def _send(
        self, verb: str, answered: "asyncio.Future[Json] | None", **fields: object
    ) -> int:
        if self._ws is None:
            raise Offline
        self._next_id += 1
        number = self._next_id
        self.view.note(f"asks {verb} {number}", time.time())
        if answered is not None:
            self._pending[number] = answered
        try:
            await self._ws.send_str(json.dumps({"type": verb, "id": number, **fields}))
        except BACK:
            self.online.clear()
            self._pending.pop(number, None)
            raise Offline from None
        return number

    async def _connected(self) -> None:
        person = self._person
        connector = aiohttp.TCPConnector(force_close=True)
        headers = {"Origin": person.url, "Cookie": f"couachgpt={person.cookie}"}
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            self._session = session
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    address = f"{person.url}/ws"
                    ws = await session.ws_connect(address, headers=headers, max_msg_size=0)
                    hello = await ws.receive_json(timeout=CONNECT_SECONDS)
            except CUT_SHORT as error:
                raise Offline from error
            self._ws = ws
            self._take(hello)
            for name in [name for name, each in self.view.shown.items() if each.is_watched]:
                await self.watch(name)
            for name in person.talks.keys() - self.view.shown.keys():
                await self.watch(name)
            self.online.set()
            async for message in ws:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(json.loads(message.data))

    def _take(self, message: Json) -> None:
        at = time.time()
        self.view.apply(message, at)
        kind = message["type"]
        if kind in {"ok", "error"}:
            self._answered(message, at)
        elif kind == "text":
            self._person.history.saw_text(at)
        elif kind == "conversation":
            name = message["conversation"]["id"]
            if name not in self.view.shown and name in self._person.talks:
                self._person.start(self.watch(name))
        else:
            self._person.saw(message)

    def _answered(self, message: Json, at: float) -> None:
        watched = self._watching.pop(message["id"], None)
        if watched is not None and message["type"] == "error":
            told = f"{watched} cannot be watched any more: {message['code']}"
            self.view.blame("kept", told, at)
        waiting = self._pending.pop(message["id"], None)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)


@dataclass(slots=True)
class Talk:
    """One conversation of a person's: its newest answer, and how many questions it has had."""

    answer: int
    questions: int = 1


@dataclass(eq=False)
class Person:
    """Somebody with one tab or two, who does one thing after the other, as people do."""

    number: int
    url: str
    cookie: str
    history: History
    talks: dict[str, Talk] = field(default_factory=dict)
    turns: dict[int, Json] = field(default_factory=dict)  # the newest of each answer

    def __post_init__(self) -> None:
        self._random = Random(f"{self.history.seed}/{self.number}")  # noqa: S311 -- not a secret
        self.tabs = [Tab(self, number) for number in range(1 + self.number % 2)]
        self._tasks: set[asyncio.Task[None]] = set()
        self.history.views += [tab.view for tab in self.tabs]

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def saw(self, message: Json) -> None:
        if message["type"] == "turn":
            self.turns[message["message"]] = message["turn"]
            self.history.saw_turn(message["turn"], time.time())
        for each in message.get("messages", ()) if "conversation" in message else ():
            if each["turn"] is not None:
                self.turns[each["id"]] = each["turn"]

    async def live(self, until: float) -> None:
        """Do one thing after the other until a moment."""
        while time.time() < until:
            await self._act(until)
            await asyncio.sleep(self._random.uniform(0.1, 1.2))

    async def _act(self, until: float) -> None:
        at_rest = [name for name, talk in self.talks.items() if self._has_ended(talk.answer)]
        old = [name for name in at_rest if self.talks[name].questions >= TALK_QUESTIONS]
        for name in old:
            del self.talks[name]
            await asyncio.gather(*(tab.let_go(name) for tab in self.tabs))
        at_rest = [name for name in at_rest if name in self.talks]
        dice = self._random.random()
        if not at_rest or (dice < 0.1 and len(self.talks) < 3):
            talk = await self._ask(None, until) if len(self.talks) < 3 else None
        elif dice < 0.2:
            talk = await self._again(self._random.choice(at_rest), until)
        else:
            talk = await self._ask(self._random.choice(at_rest), until)
        if talk is None:
            return
        if self._random.random() < 0.12:
            await asyncio.sleep(self._random.uniform(0.1, 3))
            await self._stop(talk.answer)
        elif self._random.random() < 0.8:
            await self._await(talk.answer)
        else:
            self.start(self._await(talk.answer))

    # what people do

    async def _ask(self, conversation: str | None, until: float) -> Talk | None:
        rare = self._random.random() < 0.4
        tokens = self._random.randint(*(SHORT_TOKENS, LONG_TOKENS) if rare else (LEAST_TOKENS, 20))
        text = f"Une question de {self.number} ? [[tokens={tokens}]]"
        asked = Request(self.number, "chat.ask", time.time(), text, secrets.token_hex(8))
        ok = await self._insist(
            asked, until, conversation=conversation, client_id=asked.client_id, text=text,
            parent=None, model=self._random.choice(MODELS),
        )  # fmt: skip
        if ok is None:
            return None
        talk = self.talks.setdefault(ok["conversation"], Talk(ok["answer"], 0))
        talk.answer, talk.questions = ok["answer"], talk.questions + 1
        return talk

    async def _again(self, conversation: str, until: float) -> Talk | None:
        """Have the newest answer made once more, or gone on with where it was cut."""
        talk = self.talks[conversation]
        turn = self.turns.get(talk.answer, {})
        is_cut = turn.get("state") != "done" or turn.get("finish_reason") == "length"
        verb = "chat.continue" if is_cut and self._random.random() < 0.6 else "chat.regenerate"
        wanted = Request(self.number, verb, time.time(), message=talk.answer)
        more = {"model": None} if verb == "chat.regenerate" else {}
        ok = await self._insist(wanted, until, message=talk.answer, **more)
        if ok is None:
            return None
        if verb == "chat.continue":
            self.turns.pop(talk.answer, None)  # of the attempt before
        talk.answer = ok["answer"]
        talk.questions += 1
        return talk

    async def _insist(self, wanted: Request, until: float, **fields: object) -> Json | None:
        """Send a request; a question, which may be sent twice, until there is an answer."""
        self.history.requests.append(wanted)
        while True:
            tab = await self._online(until + ANSWER_SECONDS)
            if tab is None:
                return None
            try:
                wanted.sent += 1
                answer = await tab.request(wanted.verb, **fields)
            except Offline:
                if wanted.verb != "chat.ask":
                    return None
                await asyncio.sleep(POLL_SECONDS)
                continue
            if answer["type"] == "ok":
                wanted.ok, wanted.acknowledged_at = answer, time.time()
                return answer
            wanted.error = str(answer["code"])
            return None

    async def _online(self, until: float) -> Tab | None:
        while time.time() < until:
            there = [tab for tab in self.tabs if tab.online.is_set()]
            if there:
                return self._random.choice(there)
            await asyncio.sleep(POLL_SECONDS)
        return None

    async def _stop(self, answer: int) -> None:
        turn = self.turns.get(answer)
        tab = await self._online(time.time() + 1)
        if turn is None or turn["finished_at"] or tab is None:
            return
        wanted = Request(self.number, "chat.stop", time.time(), message=answer, sent=1)
        self.history.requests.append(wanted)
        with suppress(Offline):
            found = await tab.request("chat.stop", turn=turn["id"])
            wanted.ok = found if found["type"] == "ok" else None
            wanted.error = found.get("code")

    async def _await(self, answer: int) -> None:
        """Wait for an answer, though not for ever."""
        began, writing_from = time.time(), None
        while not self._has_ended(answer):
            await asyncio.sleep(POLL_SECONDS)
            now = time.time()
            if self.turns.get(answer, {}).get("state") == "writing":
                writing_from = writing_from or now
            is_slow = writing_from is not None and now - writing_from > WRITING_SECONDS
            if is_slow or now - began > WAIT_SECONDS:
                await self._stop(answer)
                return

    def _has_ended(self, answer: int) -> bool:
        return bool(self.turns.get(answer, {}).get("finished_at"))

    # at the end

    async def settle(self, until: float) -> None:
        """Let every tab read on to its newest event."""
        for tab in self.tabs:
            tab.view.is_whole = False
            while time.time() < until and not tab.view.is_whole:
                with suppress(Offline):
                    found = await tab.request("conversation.list")
                    tab.view.is_whole = found["type"] == "ok"
                await asyncio.sleep(POLL_SECONDS)
            if not tab.view.is_whole:
                tab.view.blame("answered", "could not come back at the end", time.time())
