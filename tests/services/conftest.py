"""The services over a real store, with an engine whose every piece the test sends."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from couachgptd.core.errors import EngineError
from couachgptd.core.ids import ConversationId
from couachgptd.core.models import (
    ChatRequest,
    EngineStatus,
    Finished,
    LoadedModel,
    Model,
    Piece,
    PromptMessage,
    PullProgress,
    Text,
)
from couachgptd.core.turns import Timings
from couachgptd.core.users import Role, User, UserState
from couachgptd.services.attached import Attached
from couachgptd.services.chat import ChatService, Question
from couachgptd.services.models import ModelService
from couachgptd.services.prompts import Prompts
from couachgptd.services.runner import TurnRunner
from couachgptd.services.shutdown import Shutdown
from couachgptd.services.topics import Topics
from couachgptd.storage.database import Database
from couachgptd.storage.store import SqliteStore, opened_store
from couachgptd.storage.uploads import UploadFolder

Json = dict[str, Any]


class Call:
    """One call of the engine: the test sends its pieces, or an error, and sees it end."""

    def __init__(self, request: ChatRequest) -> None:
        self.request = request
        self.closed = asyncio.Event()
        self._pieces: asyncio.Queue[Piece | Exception | None] = asyncio.Queue()

    def send(self, *pieces: Piece | Exception | None) -> None:
        """Send pieces; None ends the stream without its closing frame."""
        for piece in pieces:
            self._pieces.put_nowait(piece)

    def finish(self, text: str = "Oui.") -> None:
        self.send(Text(text), Finished("stop", Timings(answer_tokens=2, write_seconds=1.0)))

    async def stream(self) -> AsyncGenerator[Piece]:
        try:
            while (piece := await self._pieces.get()) is not None:
                if isinstance(piece, Exception):
                    raise piece
                yield piece
        finally:
            self.closed.set()


class ScriptedEngine:
    """See `core.ports.Engine`; a token is a character."""

    def __init__(self) -> None:
        self.context = 4096
        self.up = True
        self.names = ["couac:1b", "couac:3b"]
        self.calls: list[Call] = []
        self._called = asyncio.Condition()

    async def call(self, number: int) -> Call:
        """Return the n-th call of the engine, once it has come."""
        async with asyncio.timeout(10), self._called:
            await self._called.wait_for(lambda: len(self.calls) > number)
        return self.calls[number]

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece]:
        call = Call(request)
        self.calls.append(call)
        async with self._called:
            self._called.notify_all()
        stream = call.stream()
        try:
            async for piece in stream:
                yield piece
        finally:
            await stream.aclose()

    async def status(self) -> EngineStatus:
        return EngineStatus("scripted", "nowhere", is_up=self.up)

    async def models(self) -> list[Model]:
        if not self.up:
            raise EngineError
        return [Model(name) for name in self.names]

    async def model(self, name: str) -> Model:
        return Model(name)

    async def loaded(self) -> list[LoadedModel]:
        return []

    async def count_tokens(self, model: str, messages: Sequence[PromptMessage]) -> list[int]:
        del model
        return [len(message.text) for message in messages]

    async def context_tokens(self, model: str) -> int:
        del model
        return self.context

    async def need(self, model: str, size_bytes: int | None = None) -> None: ...

    async def disk_free_bytes(self) -> None: ...

    async def load(self, model: str) -> None: ...

    async def unload(self, model: str) -> None: ...

    async def pull(self, model: str) -> AsyncGenerator[PullProgress]:
        no_stages: tuple[str, ...] = ()
        for stage in no_stages:
            yield PullProgress(f"{model}: {stage}")

    async def delete(self, model: str) -> None: ...

    async def close(self) -> None: ...


class FailingStore(SqliteStore):
    """A real store that a test can make fail, as a full disk does."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.failure: Exception | None = None
        self.refused = asyncio.Event()

    def _check(self) -> None:
        if self.failure is not None:
            self.refused.set()
            raise self.failure

    async def save_progress(self, progress: Any) -> None:
        self._check()
        await super().save_progress(progress)

    async def finish_turn(self, turn: Any, text: str, thinking: str) -> None:
        self._check()
        await super().finish_turn(turn, text, thinking)


@dataclass
class House:
    """The services put together as the daemon does."""

    store: FailingStore
    engine: ScriptedEngine
    topics: Topics
    models: ModelService
    runner: TurnRunner
    prompts: Prompts
    chat: ChatService
    claire: User
    marc: User
    _number: int = 0

    async def ask(
        self, user: User | None = None, conversation: ConversationId | None = None, **fields: Any
    ) -> Any:
        """Ask, watch from the first event on, and return what was accepted."""
        found: list[Any] = []
        self._number += 1
        asked = {"text": "Bonjour ?", "client_id": f"c{self._number}", **fields}
        question = Question(conversation_id=conversation, **asked)
        await self.chat.ask(user or self.claire, question, found.append)
        return found[0]

    async def turn_of(self, message_id: int, user: User | None = None) -> Any:
        found = await self.store.message_of((user or self.claire).id, message_id)  # type: ignore[arg-type]
        assert found is not None
        return found[1].turn

    async def ended(self, message_id: int, user: User | None = None) -> Any:
        """Return the turn of an answer as it is kept, once it has ended."""
        turn = await self.turn_of(message_id, user)
        live = self.runner.live(turn.id)
        if live is not None:
            await asyncio.wait_for(live.ended.wait(), 10)
            trying = self.runner.attempts.of(live)
            if trying is not None and trying.task is not None:
                await asyncio.wait_for(asyncio.wait([trying.task]), 10)
        return await self.turn_of(message_id, user)


class MakeHouse:
    def __init__(self, stack: AsyncExitStack, data: Path) -> None:
        self._stack = stack
        self._data = data

    async def __call__(
        self,
        *,
        slots: int = 1,
        per_person: int = 5,
        in_all: int = 100,
        exchanges: int = 5,
        answer_tokens: int = 1024,
        drain: float = 0.05,
    ) -> House:
        plain = await self._stack.enter_async_context(opened_store(self._data))
        store = FailingStore(plain._db)
        engine = ScriptedEngine()
        topics = Topics()
        models = ModelService(engine, "", store)
        runner = TurnRunner(engine, store, slots=slots, per_person=per_person, in_all=in_all)
        prompts = Prompts(
            engine,
            own_system_prompt="S",
            exchanges=exchanges,
            answer_tokens=answer_tokens,
            temperature=0.5,
            attached=Attached(engine, store, UploadFolder(self._data), 10),
        )
        chat = ChatService(store, topics, runner, models, prompts)
        claire = await known_person(store, "claire")
        marc = await known_person(store, "marc")
        await self._stack.enter_async_context(runner.running(Shutdown(drain)))
        return House(store, engine, topics, models, runner, prompts, chat, claire, marc)


async def known_person(store: SqliteStore, login: str) -> User:
    known = await store.user_by_login(login)
    return known[0] if known else await new_person(store, login)


async def new_person(store: SqliteStore, login: str) -> User:
    return await store.add_user(
        login=login,
        name=login,
        password_hash="h",
        role=Role.MEMBER,
        state=UserState.ACTIVE,
        language="fr",
    )


@pytest.fixture
async def make_house(tmp_path: Path) -> AsyncIterator[MakeHouse]:
    async with AsyncExitStack() as stack:
        yield MakeHouse(stack, tmp_path / "data")


@pytest.fixture
async def house(make_house: MakeHouse) -> House:
    return await make_house()
