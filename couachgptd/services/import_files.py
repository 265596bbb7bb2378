"""The files of conversations that somebody brings: each taken in like one attached now."""

from contextlib import aclosing, suppress

from couachgptd.core.attachments import (
    AttachmentRefused,
    AttachmentsFull,
    AttachmentTooLarge,
)
from couachgptd.core.errors import BadRequest, NotFound, SandboxMissing
from couachgptd.core.ids import AttachmentId
from couachgptd.core.import_trees import CameFile, Imported
from couachgptd.core.imports import Taken
from couachgptd.core.users import User
from couachgptd.services.attachments import MIB, AttachmentService
from couachgptd.services.unpacking import Source

TRIED_MAX = 2000  # of one import: a worker reads each, and others wait for it


class ImportFiles:
    """Those of one import; what cannot be taken is left out."""

    def __init__(self, attachments: AttachmentService, user: User, source: Source) -> None:
        self._attachments = attachments
        self._user = user
        self._source = source
        self._left = TRIED_MAX
        # What is refused takes no room, but time: no more is read than a person may have.
        self._left_bytes = attachments.limits.person_mib * MIB

    async def take(self, value: Imported) -> Taken:
        """Take in the files of a conversation; they wait until it is kept with them."""
        taken: dict[int, list[AttachmentId]] = {}
        try:
            for place, message in enumerate(value.messages):
                for each in message.files[: self._attachments.limits.per_question]:
                    if kept := await self._one(each):
                        taken.setdefault(place, []).append(kept)
        except BaseException:
            await self.drop(taken)
            raise
        return taken

    async def drop(self, taken: Taken) -> None:
        for ids in taken.values():
            for each in ids:
                with suppress(NotFound):
                    await self._attachments.remove(self._user, each)

    async def _one(self, file: CameFile) -> AttachmentId | None:
        size = self._source.size_of(file.member)
        if size is None or self._left <= 0 or size > self._left_bytes:
            return None
        self._left -= 1
        self._left_bytes -= size
        try:
            async with aclosing(self._source.read(file.member)) as chunks:
                kept = await self._attachments.take(self._user, file.name, size, chunks)
        except (AttachmentRefused, AttachmentTooLarge):
            return None
        except (AttachmentsFull, SandboxMissing) as error:
            if error.fields.get("of") != "person":  # a smaller one may still fit
                self._left = 0  # nor will there be room, or a wall, for the next
            return None
        if file.part is not None:
            with suppress(BadRequest):
                await self._attachments.choose_part(self._user, kept.id, file.part)
        return kept.id
