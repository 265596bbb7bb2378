"""The end of our own log in memory, and each line that comes, for the control socket."""

import asyncio
import collections
import contextlib
import logging
from collections.abc import AsyncGenerator, Generator
from datetime import UTC, datetime

from couachgptd.logs import LineFormatter

TAIL_LINES = 2000


class LogTail(logging.Handler):
    """Implements `core.ports.LogTail`."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(LineFormatter())
        self._lines: collections.deque[str] = collections.deque(maxlen=TAIL_LINES)
        self._followers: dict[asyncio.Queue[str], asyncio.AbstractEventLoop] = {}

    def emit(self, record: logging.LogRecord) -> None:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="seconds")
        line = f"{moment} {self.format(record)}"
        self._lines.append(line)
        for queue, loop in list(self._followers.items()):
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(_put, queue, line)  # other threads log, too

    def lines(self, count: int) -> list[str]:
        return list(self._lines)[-count:]

    async def follow(self, count: int) -> AsyncGenerator[list[str]]:
        queue: asyncio.Queue[str] = asyncio.Queue(TAIL_LINES)
        with self._whole():  # else what comes right now would be told twice, or not at all
            self._followers[queue] = asyncio.get_running_loop()
            before = self.lines(count)
        try:
            yield before
            while True:
                yield [await queue.get()]
        finally:
            del self._followers[queue]

    @contextlib.contextmanager
    def _whole(self) -> Generator[None]:
        """Let no line come meanwhile."""
        self.acquire()
        try:
            yield
        finally:
            self.release()


def _put(queue: asyncio.Queue[str], line: str) -> None:
    with contextlib.suppress(asyncio.QueueFull):
        queue.put_nowait(line)


@contextlib.contextmanager
def opened_tail() -> Generator[LogTail]:
    """Keep the end of the log for as long as the block."""
    tail = LogTail()
    logging.getLogger().addHandler(tail)
    try:
        yield tail
    finally:
        logging.getLogger().removeHandler(tail)
