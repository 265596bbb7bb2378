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
    ImportTooLarge,
    ImportUnknown,
    Taken,
    check_head,
    imported,
)
from couachgptd.core.ports import Store
from couachgptd.core.users import User
from couachgptd.core.wire import Json
from couachgptd.services.attachments import MIB, AttachmentService
from couachgptd.services.conversations import ConversationService
from couachgptd.services.import_files import ImportFiles
from couachgptd.services.unpacking import MAX_BYTES, SIGNATURE, UNREADABLE, Source

READ_BYTES = 256 * 1024
BATCH_LENGTH = 512 * 1024  # characters that a thread reads before anybody is told of it
BATCH_COUNT = 100  # and so many at most, however short they are
SHAPELESS_MAX = 1000  # things that are no conversation: after so many it is another kind of file
AT_ONCE = 2  # of all people; who comes later waits
TOLD = 20  # titles of what was not taken
TAKEN_BACK_AT_ONCE = 20

Outcome = tuple[int, Imported | Skipped]


class ImportService:
    def __init__(
        self, store: Store, conversations: ConversationService, attachments: AttachmentService
    ) -> None:
        self._store = store
        self._conversations = conversations
        self._attachments = attachments
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

    async def require_room(self, first: bytes, size: int | None) -> int:
        """Return how much may come of what begins so. Raises ImportTooLarge, AttachmentsFull.

        A zip has files, too: all that a person may have here.
        """
        is_zip = first.startswith(SIGNATURE)
        most = MAX_BYTES + (self._attachments.limits.person_mib * MIB if is_zip else 0)
        if (size or 0) > most:
            raise ImportTooLarge(limit_bytes=most)
        if is_zip:
            await self._attachments.require_disk(size or most)
        return most

    async def run(self, user: User, file: IO[bytes]) -> AsyncGenerator[Json]:
        """Look at all of the file, then keep what is in it; yields how far it is, last the sum.

        A conversation is kept whole or not at all; where one cannot be, those before it are taken
        back. What the person has already stays as it is. Raises ImportBroken, ImportLocked,
        ImportTooLarge, ImportTooNew, ImportUnknown, StoreError; NotFound where the account went
        or was suspended meanwhile.
        """
        async with self._gate:
            sum_of = _Sum()
            source = await asyncio.to_thread(Source, file)
            files = ImportFiles(self._attachments, user, source)
            async for batch in _batches(source):
                for outcome in batch:
                    sum_of.look(outcome)
                yield {"type": "progress", "stage": "reading", "count": sum_of.good, "total": None}
            sum_of.require_any()
            added: list[ConversationId] = []
            try:
                async for batch in _batches(source):
                    for outcome in batch:
                        if isinstance(outcome, Skipped):
                            continue
                        taken = await self._files_of(user, outcome, files)
                        kept = await self._keep(user, outcome, files, taken)
                        added += [kept] if kept else []
                        sum_of.keep(outcome, taken, is_new=kept is not None)
                        if taken:  # that took its time
                            yield sum_of.progress()
                    yield sum_of.progress()
            except BaseException:
                await asyncio.shield(self._take_back(user, added))
                raise
            await self._conversations.list_anew(user.id)
            yield sum_of.told()

    async def _files_of(self, user: User, value: Imported, files: ImportFiles) -> Taken:
        if not value.files or await self._store.has_imported(user.id, value):
            return {}
        return await files.take(value)

    async def _keep(
        self, user: User, value: Imported, files: ImportFiles, taken: Taken
    ) -> ConversationId | None:
        try:
            kept = await self._store.add_imported(user.id, value, taken)
        except BaseException:
            await asyncio.shield(files.drop(taken))
            raise
        if kept is None:
            await files.drop(taken)
        return kept

    async def _take_back(self, user: User, added: list[ConversationId]) -> None:
        for start in range(0, len(added), TAKEN_BACK_AT_ONCE):
            await self._store.remove_imported(user.id, added[start : start + TAKEN_BACK_AT_ONCE])


class _Sum:
    def __init__(self) -> None:
        self.good = self._added = self._known = self._files = 0
        self._skipped: list[Json] = []
        self._skips = self._shapeless = 0
        self._is_any = False

    def look(self, outcome: Imported | Skipped) -> None:
        """Raises ImportUnknown where too much is no conversation."""
        if isinstance(outcome, Imported):
            self.good += 1
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

    def keep(self, value: Imported, taken: Taken, *, is_new: bool) -> None:
        if is_new:
            self._added += 1
            self._files += value.files - sum(map(len, taken.values()))
        else:
            self._known += 1

    def progress(self) -> Json:
        count = self._added + self._known
        return {"type": "progress", "stage": "keeping", "count": count, "total": self.good}

    def told(self) -> Json:
        return {
            "type": "done",
            "imported": self._added,
            "known": self._known,
            "skipped": self._skips,
            "reasons": self._skipped,
            "files": self._files,
        }


async def _batches(source: Source) -> AsyncGenerator[list[Imported | Skipped]]:
    """Read the file from its start, on a thread, a bit at a time."""
    outcomes = _outcomes(source, datetime.now(UTC))
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


def _outcomes(source: Source, now: datetime) -> Iterator[Outcome]:
    for head, text in elements(_texts(source), max_length=ELEMENT_MAX_LENGTH):
        check_head(head)
        try:
            if text is None:
                raise Skipped("too_large")
            yield len(text), imported(head, parsed(text), now)
        except Skipped as skipped:
            yield len(text or ""), skipped


def _texts(source: Source) -> Iterator[str]:
    decode = codecs.getincrementaldecoder("utf-8")().decode
    try:
        file = source.begin()
        while data := file.read(READ_BYTES):
            yield decode(data)
        yield decode(b"", final=True)
    except UNREADABLE:
        raise ImportBroken from None
