"""One line a record: a constant sentence, its fields, the request it belongs to; never content."""

import contextlib
import contextvars
import logging
import sys
from collections.abc import Generator
from typing import Final

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Bound:
    """A name that log lines carry while a block runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._value: contextvars.ContextVar[str] = contextvars.ContextVar(name, default="")

    @contextlib.contextmanager
    def bound(self, value: str) -> Generator[None]:
        token = self._value.set(value)
        try:
            yield
        finally:
            self._value.reset(token)

    def get(self) -> str:
        return self._value.get()


request_id = _Bound("request")


class LineFormatter(logging.Formatter):
    """`INFO couachgptd.daemon: ready address=http://…`"""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if request := request_id.get():
            fields.setdefault(request_id.name, request)
        shown = "".join(f" {name}={value!r}" for name, value in fields.items() if value is not None)
        line = f"{record.levelname} {record.name}: {record.getMessage()}{shown}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def set_up(level: str) -> None:
    """Log to standard error, where journald or a terminal reads."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
