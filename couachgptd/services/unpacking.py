"""A file that somebody brings: JSON, or a zip that has it, of which nothing is believed.

No member's name is ever a path here. A zip says how long a member is, and no more of it is ever
read; one that is packed in a way which could swell at once is not read at all.
"""

import asyncio
import io
import struct
import zipfile
import zlib
from collections.abc import AsyncGenerator
from typing import IO

from couachgptd.core.attachments import AttachmentRefused
from couachgptd.core.elements import ImportBroken
from couachgptd.core.imports import ImportLocked, ImportTooLarge, ImportUnknown
from couachgptd.core.portable import EVERYTHING

MAX_BYTES = 200 * 1024 * 1024  # of JSON
SIGNATURE = b"PK\x03\x04"
JSON_NAMES = frozenset({EVERYTHING, "conversations.json"})  # ours; as ChatGPT calls its own
# Of the list of members, which is held: about twenty thousand of ours.
READ_AT_ONCE = 2 * 1024 * 1024
CHUNK_BYTES = 256 * 1024
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # others swell as a whole
LOCKED = 0x41  # the flags of what needs a password
# What a broken zip makes of its reader; of a file that is ours OSError can only be a wrong place.
UNREADABLE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError,
    OverflowError, RuntimeError, ValueError,
)  # fmt: skip


class Source:
    """What was brought. Raises ImportBroken, ImportUnknown, ImportLocked, ImportTooLarge."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._zip: zipfile.ZipFile | None = None
        file.seek(0)
        if file.read(len(SIGNATURE)) == SIGNATURE:
            try:
                self._zip = zipfile.ZipFile(_Bounded(file))
            except UNREADABLE:
                raise ImportBroken from None
            self._json = _json_of(self._zip)

    def begin(self) -> IO[bytes]:
        """Return the JSON from its start, each time."""
        if self._zip is not None:
            return self._zip.open(self._json)
        self._file.seek(0)
        return self._file

    def size_of(self, name: str) -> int | None:
        """Return how long a file says it is; None for one that is not there or cannot be had."""
        found = None if self._zip is None else self._zip.NameToInfo.get(name)
        if found is None or found.flag_bits & LOCKED or found.compress_type not in PACKINGS:
            return None
        return found.file_size

    async def read(self, name: str) -> AsyncGenerator[bytes]:
        """Raises AttachmentRefused."""
        if self._zip is None:
            return
        try:
            with await asyncio.to_thread(self._zip.open, name) as file:
                while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    yield chunk
        except UNREADABLE:
            raise AttachmentRefused(reason="damaged") from None


def _json_of(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    found = [each for each in archive.infolist() if each.filename in JSON_NAMES]
    if not found:
        raise ImportUnknown
    if len(found) > 1:
        raise ImportBroken
    (entry,) = found
    if entry.flag_bits & LOCKED:
        raise ImportLocked
    if entry.compress_type not in PACKINGS:
        raise ImportBroken
    if entry.file_size > MAX_BYTES:
        raise ImportTooLarge(limit_bytes=MAX_BYTES)
    return entry


class _Bounded(io.RawIOBase):
    """A file of which never much is read at once, whatever a zip says about its own list."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._size = file.seek(0, io.SEEK_END)

    def read(self, size: int | None = -1) -> bytes:
        left = max(0, self._size - self._file.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > READ_AT_ONCE:
            raise zipfile.BadZipFile
        return self._file.read(wanted)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True
