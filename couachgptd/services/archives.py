"""A zip that is made while it is sent: nothing of it is held but what was just put in."""

import zipfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime

EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)  # for a zip there was nothing before
LATEST = datetime(2107, 12, 31, tzinfo=UTC)  # and there will be nothing after


class Archive:
    """What each method gives is to be sent next; without the `end` it is not a zip."""

    def __init__(self) -> None:
        self._sink = _Sink()
        self._zip = zipfile.ZipFile(self._sink, "w")

    async def put(
        self, name: str, at: datetime, pieces: AsyncGenerator[bytes], *, is_packed: bool = True
    ) -> AsyncGenerator[bytes]:
        """Add a member. To pack takes time of the event loop: for text that comes bit by bit."""
        entry = zipfile.ZipInfo(name, min(max(at, EARLIEST), LATEST).timetuple()[:6])
        entry.compress_type = zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED
        async with aclosing(pieces):
            with self._zip.open(entry, "w") as file:
                async for piece in pieces:
                    file.write(piece)
                    if taken := self._sink.take():
                        yield taken

    def end(self) -> bytes:
        self._zip.close()
        return self._sink.take()


class _Sink:
    """A file that only grows, and whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """There is nothing between us and the pieces."""

    def close(self) -> None:
        """What was written is still there to be taken."""

    def take(self) -> bytes:
        taken, self._pieces = b"".join(self._pieces), []
        return taken
