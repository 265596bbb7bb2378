"""The verb of bringing conversations in: the whole file is looked at before anything is kept."""

import asyncio
import codecs
from collections.abc import AsyncGenerator, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import IO

from couachgptd.core.elements import ImportBroken, elements, parsed
from couachgptd.core.ids import ConversationId, UserId
from couachgptd.core.import_trees import Imported, Skipped
from couachgptd.core.imports import (
    ELEMENT_MAX_LENGTH,
    ImportRunning,
    ImportUnknown,
    check_head,
    imported,
)
from couachgptd.core.ports import Store
from couachgptd.core.users import User
from couachgptd.core.wire import Json
from couachgptd.services.conversations import ConversationService

MAX_BYTES = 200 * 1024 * 1024
READ_BYTES = 256 * 1024
BATCH_LENGTH = 512 * 1024  # characters that a thread reads before anybody is told of it
BATCH_COUNT = 100  # and so many at most, however short they are
SHAPELESS_MAX = 1000  # things that are no conversation: after so many it is another kind of file
AT_ONCE = 2  # of all people; who comes later waits
TOLD = 20  # titles of what was not taken
TAKEN_BACK_AT_ONCE = 20

Outcome = tuple[int, Imported | Skipped]


class ImportService:
    def __init__(self, store: Store, conversations: ConversationService) -> None:
        self._store = store
        self._conversations = conversations
        self._people: set[UserId] = set()
        self._gate = asyncio.Semaphore(AT_ONCE)

    @contextmanager
    def place(self, user_id: UserId) -> Generator[None]:
        """Hold a person's one place while their file comes and is read. Raises ImportRunning."""
        if user_id in self._people:
            raise ImportRunning
        self._people.add(user_id)
        try:
            yield
        finally:
            self._people.discard(user_id)

    async def run(self, user: User, file: IO[bytes]) -> AsyncGenerator[Json]:
        """Look at all of the file, then keep what is in it; yields how far it is, last the sum.

        A conversation is kept whole or not at all; where one cannot be, those before it are taken
        back. What the person has already stays as it is. Raises ImportBroken, ImportTooNew,
        ImportUnknown, StoreError; NotFound where the account went meanwhile.
        """
        async with self._gate:
            sum_of = _Sum()
            async for batch in _batches(file):
                for outcome in batch:
                    sum_of.look(outcome)
                yield {"type": "progress", "stage": "reading", "count": sum_of.good, "total": None}
            sum_of.require_any()
            added: list[ConversationId] = []
            try:
                async for batch in _batches(file):
                    for outcome in batch:
                        if isinstance(outcome, Imported):
                            kept = await self._store.add_imported(user.id, outcome)
                            added += [kept] if kept else []
                            sum_of.known += kept is None
                    count = len(added) + sum_of.known
                    yield {
                        "type": "progress", "stage": "keeping",
                        "count": count, "total": sum_of.good,
                    }  # fmt: skip
            except BaseException:
                await asyncio.shield(self._take_back(user, added))
                raise
            await self._conversations.list_anew(user.id)
            yield sum_of.told(len(added))

    async def _take_back(self, user: User, added: list[ConversationId]) -> None:
        for start in range(0, len(added), TAKEN_BACK_AT_ONCE):
            await self._store.remove_imported(user.id, added[start : start + TAKEN_BACK_AT_ONCE])


class _Sum:
    def __init__(self) -> None:
        self.good = self.known = self.files = 0
        self._skipped: list[Json] = []
        self._skips = self._shapeless = 0
        self._is_any = False

    def look(self, outcome: Imported | Skipped) -> None:
        """Raises ImportUnknown where too much is no conversation."""
        if isinstance(outcome, Imported):
            self.good += 1
            self.files += outcome.files
            return
        self._is_any = self._is_any or outcome.reason != "shape"
        self._skips += 1
        self._shapeless += outcome.reason == "shape"
        if self._shapeless > max(SHAPELESS_MAX, self.good):
            raise ImportUnknown
        if len(self._skipped) < TOLD:
            self._skipped.append({"title": outcome.title, "reason": outcome.reason})

    def require_any(self) -> None:
        """Raises ImportUnknown where nothing looked like a conversation."""
        if not self.good and not self._is_any:
            raise ImportUnknown

    def told(self, added: int) -> Json:
        return {
            "type": "done",
            "imported": added,
            "known": self.known,
            "skipped": self._skips,
            "reasons": self._skipped,
            "files": self.files,
        }


async def _batches(file: IO[bytes]) -> AsyncGenerator[list[Imported | Skipped]]:
    """Read the file from its start, on a thread, a bit at a time."""
    outcomes = _outcomes(file, datetime.now(UTC))
    while batch := await asyncio.to_thread(_some, outcomes):
        yield batch


def _some(outcomes: Iterator[Outcome]) -> list[Imported | Skipped]:
    batch: list[Imported | Skipped] = []
    length = 0
    for size, outcome in outcomes:
        batch.append(outcome)
        length += size
        if length >= BATCH_LENGTH or len(batch) >= BATCH_COUNT:
            break
    return batch


def _outcomes(file: IO[bytes], now: datetime) -> Iterator[Outcome]:
    file.seek(0)
    for head, text in elements(_texts(file), max_length=ELEMENT_MAX_LENGTH):
        check_head(head)
        try:
            if text is None:
                raise Skipped("too_large")
            yield len(text), imported(head, parsed(text), now)
        except Skipped as skipped:
            yield len(text or ""), skipped


def _texts(file: IO[bytes]) -> Iterator[str]:
    decode = codecs.getincrementaldecoder("utf-8")().decode
    try:
        while data := file.read(READ_BYTES):
            yield decode(data)
        yield decode(b"", final=True)
    except UnicodeDecodeError:
        raise ImportBroken from None
