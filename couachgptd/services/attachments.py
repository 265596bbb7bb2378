"""Files of people: taken in, read behind the wall, shown, and gone once nobody has them."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from couachgptd.core import wire
from couachgptd.core.attachments import (
    IMAGE_TOKENS,
    Attachment,
    AttachmentRefused,
    AttachmentsFull,
    AttachmentTooLarge,
    Extracted,
    Kind,
    Part,
    Received,
    TooManyAttachments,
    Uploads,
    block,
    extracted,
    is_page,
    require_ending,
    require_name,
)
from couachgptd.core.choices import NOTHING_CHOSEN
from couachgptd.core.errors import BadRequest, FileRefused, NotFound, SandboxFailed
from couachgptd.core.ids import AttachmentId, UserId
from couachgptd.core.ports import Sandbox, Store
from couachgptd.core.users import User
from couachgptd.core.wire import Json
from couachgptd.services.models import ModelService
from couachgptd.services.prompts import Prompts

log = logging.getLogger(__name__)

SECONDS = 20.0  # for a worker on a busy machine; by itself it works for a few seconds only
MIB = 1024 * 1024
READ_AT_ONCE = 2  # workers: what they take together is no more than what the units allow
COMING_AT_ONCE = 10  # files of one person
COMING_SECONDS = 600.0  # for one file to come, however slow the network
SWEEP_SECONDS = 5.0  # one look into a table that is mostly empty
STRAY_AFTER = timedelta(days=1)
TEXT_SHOWN = 200_000  # characters that one answer has


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings of `[files]`; MiB, but `per_question`, which is a number of files."""

    max_mib: int
    per_question: int
    person_mib: int
    total_mib: int
    min_free_mib: int


class AttachmentService:
    def __init__(
        self,
        store: Store,
        uploads: Uploads,
        sandbox: Sandbox,
        models: ModelService,
        prompts: Prompts,
        limits: Limits,
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._sandbox = sandbox
        self._models = models
        self._prompts = prompts
        self.limits = limits
        self._workers = asyncio.Semaphore(READ_AT_ONCE)
        self._coming: Counter[UserId] = Counter()  # bytes that are on their way
        self._files: Counter[UserId] = Counter()

    # taken in

    async def add(
        self, user: User, name: str, size: int, chunks: AsyncIterable[bytes]
    ) -> Attachment:
        """Take a file in, and what text is in it.

        What is refused by its size is refused before a byte of it is read. Raises
        AttachmentRefused, AttachmentTooLarge, AttachmentsFull, TooManyAttachments, SandboxMissing.
        """
        if self._files[user.id] >= COMING_AT_ONCE:
            raise TooManyAttachments(limit=COMING_AT_ONCE)
        return await self.take(user, name, size, chunks)

    async def take(
        self, user: User, name: str, size: int, chunks: AsyncIterable[bytes]
    ) -> Attachment:
        """Take in what comes one after the other, however many come at once beside it.

        Raises what `add` does but TooManyAttachments; NotFound where the account went meanwhile.
        """
        shown = require_name(name)
        if size == 0:
            raise AttachmentRefused(reason="empty")
        if size > self.limits.max_mib * MIB:
            raise AttachmentTooLarge(limit_bytes=self.limits.max_mib * MIB)
        with self._counted(user.id, size):
            await self._require_room(user.id)
            try:
                async with asyncio.timeout(COMING_SECONDS):
                    received = await self._uploads.receive(chunks, size)
            except TimeoutError:
                raise AttachmentRefused(reason="time") from None
            try:
                found = await self._read(shown, received)
                return await self._store.add_attachment(user.id, shown, received, found)
            except BaseException:
                await self._uploads.delete([received.stored])
                raise

    @contextmanager
    def _counted(self, user_id: UserId, size: int) -> Iterator[None]:
        self._files[user_id] += 1
        self._coming[user_id] += size
        try:
            yield
        finally:
            self._files[user_id] -= 1
            self._coming[user_id] -= size

    async def _require_room(self, user_id: UserId) -> None:
        own, whole = await self._store.attached_bytes(user_id)
        coming = self._coming.total()
        if own + self._coming[user_id] > self.limits.person_mib * MIB:
            raise AttachmentsFull(of="person")
        if whole + coming > self.limits.total_mib * MIB:
            raise AttachmentsFull(of="all")
        await self.require_disk(coming)

    async def require_disk(self, size: int) -> None:
        """Raises AttachmentsFull where the disk would have too little left."""
        if await self._uploads.free_bytes() - size < self.limits.min_free_mib * MIB:
            raise AttachmentsFull(of="disk")

    async def _read(self, name: str, received: Received) -> Extracted:
        job = "extract_html" if is_page(name) else "extract"
        try:
            async with self._workers:
                path = self._uploads.path(received.stored)
                found = extracted(await self._sandbox.run(job, path, seconds=SECONDS))
        except FileRefused as refusal:
            raise AttachmentRefused(reason=refusal.fields["reason"]) from None
        except (SandboxFailed, ValueError) as failure:
            log.warning("a file could not be read", extra={"error": str(failure)})
            raise AttachmentRefused(reason="too_complex") from None
        require_ending(name, found.kind)
        return found

    # shown

    async def find(self, user: User, attachment_id: AttachmentId) -> Attachment:
        """Raises NotFound, also for somebody else's."""
        found = await self._store.attachment(user.id, attachment_id)
        if found is None:
            raise NotFound
        return found

    async def path_of(self, user: User, attachment_id: AttachmentId) -> tuple[Attachment, Path]:
        """Return a file and where its bytes are. Raises NotFound."""
        found = await self.find(user, attachment_id)
        return found, self._uploads.path(found.stored)

    async def show(self, user: User, attachment_id: AttachmentId) -> Json:
        """Return what was read of a file, as far as one answer holds it. Raises NotFound."""
        found = await self.find(user, attachment_id)
        text = (await self._store.attachment_texts([found.id])).get(found.id, "")
        return {
            "attachment": wire.attachment(found),
            "text": text[:TEXT_SHOWN].replace("\f", "\n\f\n"),
            "is_whole": len(text) <= TEXT_SHOWN,
            "characters": len(text),
            "lines": text.count("\n") + text.count("\f") + 1,
            "pages": text.count("\f") + 1 if found.kind is Kind.PDF else 0,
        }

    async def cost(
        self, user: User, ids: Sequence[AttachmentId], question: str, model: str | None
    ) -> Json:
        """Say what each file takes of the model's context, and what there is for all.

        `sees` is whether the model can see. Raises NotFound, and what `ModelService.resolve` does.
        """
        found = [await self.find(user, each) for each in ids]
        chosen = await self._models.resolve(model, user.role)
        texts = await self._store.attachment_texts([each.id for each in found])
        made = self._prompts.made(chosen, NOTHING_CHOSEN, can_think=False)
        counted = await self._prompts.cost(
            chosen, [question, *(block(each, texts.get(each.id, "")) for each in found)]
        )
        tokens = {
            each.id: IMAGE_TOKENS if each.kind is Kind.IMAGE else count
            for each, count in zip(found, counted[1:], strict=True)
        }
        return {
            "model": chosen,
            "tokens": tokens,
            "question_tokens": counted[0],
            "room_tokens": await self._prompts.room(chosen, made, user.language),
            "sees": await self._prompts.attached.sees(chosen),
        }

    async def choose_part(
        self, user: User, attachment_id: AttachmentId, part: Part | None
    ) -> Attachment:
        """Have only a part sent. Raises NotFound; BadRequest for one in which nothing stands."""
        found = await self.find(user, attachment_id)
        text = (await self._store.attachment_texts([found.id])).get(found.id, "")
        if part is not None and not part.of(text).strip():
            raise BadRequest(reason="part")
        return await self._store.choose_part(user.id, attachment_id, part)

    async def remove(self, user: User, attachment_id: AttachmentId) -> None:
        await self._store.remove_attachment(user.id, attachment_id)

    # gone

    async def keep(self) -> None:
        """Delete the bytes that no row has any more, soon after; strays of a crash once a day."""
        strays_at = datetime.min.replace(tzinfo=UTC)
        while True:
            try:
                await self.sweep()
                if datetime.now(UTC) - strays_at > STRAY_AFTER:
                    strays_at = datetime.now(UTC)
                    await self.sweep_strays(strays_at)
            except Exception:  # a fault of ours here must not end the daemon
                log.exception("deleted files could not be swept; trying again later")
            await asyncio.sleep(SWEEP_SECONDS)

    async def sweep(self) -> None:
        gone = await self._store.gone_files()
        if gone:
            await self._uploads.delete(gone)
            await self._store.forget_gone(gone)

    async def sweep_strays(self, now: datetime) -> None:
        """Delete the old files that no row knows: a crash, or a backup put back, left them."""
        known = await self._store.stored_files()
        strays = await self._uploads.names(now - STRAY_AFTER) - known
        if strays:
            await self._uploads.delete(strays)
            log.info("files that nobody has were deleted", extra={"deleted": len(strays)})
