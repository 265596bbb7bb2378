"""The bytes of attached files: a private folder in the data, each under a random name."""

import asyncio
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterable, Collection
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from couachgptd.core.attachments import AttachmentsFull, AttachmentTooLarge, Received

FOLDER = "uploads"
NAME_BYTES = 16
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


class UploadFolder:
    """See `core.attachments.Uploads` for what each method promises."""

    def __init__(self, directory: Path) -> None:
        self._folder = directory / FOLDER

    async def receive(self, chunks: AsyncIterable[bytes], most: int) -> Received:
        path = await asyncio.to_thread(self._new)
        handle = await asyncio.to_thread(path.open, "wb")
        digest = hashlib.sha256()
        size = 0
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > most:
                    raise AttachmentTooLarge(limit_bytes=most)
                digest.update(chunk)
                await asyncio.to_thread(handle.write, chunk)
            await asyncio.to_thread(_durably_closed, handle)
        except BaseException as failure:
            handle.close()
            path.unlink(missing_ok=True)
            if isinstance(failure, OSError) and failure.errno in NO_ROOM:
                raise AttachmentsFull(of="disk") from None
            raise
        return Received(path.name, size, digest.hexdigest())

    def path(self, stored: str) -> Path:
        return self._folder / stored

    async def delete(self, stored: Collection[str]) -> None:
        def work() -> None:
            for each in stored:
                self.path(each).unlink(missing_ok=True)

        await asyncio.to_thread(work)

    async def free_bytes(self) -> int:
        return (await asyncio.to_thread(shutil.disk_usage, self._folder.parent)).free

    async def names(self, before: datetime) -> set[str]:
        def work() -> set[str]:
            if not self._folder.is_dir():
                return set()
            return {
                entry.name
                for entry in os.scandir(self._folder)
                if entry.stat(follow_symlinks=False).st_mtime < before.timestamp()
            }

        return await asyncio.to_thread(work)

    def _new(self) -> Path:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path = self._folder / secrets.token_hex(NAME_BYTES)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        return path


def _durably_closed(handle: BinaryIO) -> None:
    handle.flush()
    os.fsync(handle.fileno())
    handle.close()
