"""One line a record: a constant sentence, its fields, the request it belongs to; never content."""

import contextlib
import contextvars
import logging
import os
import socket
import struct
import sys
from collections.abc import Callable, Generator
from typing import Final

JOURNAL_SOCKET = "/run/systemd/journal/socket"
STANDARD_ERROR = 2

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_JOURNAL_NAMES: Final = {"request": "REQUEST_ID", "user": "USER_ID", "turn": "TURN_ID"}
_PRIORITIES: Final = (  # syslog's, by the least level of ours
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
    (logging.NOTSET, 7),
)


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
user_id = _Bound("user")

# What is so at each record's moment, of no request; only the journal has room for it.
standing: dict[str, Callable[[], object]] = {}


def fields_of(record: logging.LogRecord) -> dict[str, object]:
    """Return what a record tells beside its sentence, and whose it is."""
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    for bound in (request_id, user_id):
        if value := bound.get():
            fields.setdefault(bound.name, value)
    return {name: value for name, value in fields.items() if value is not None}


class LineFormatter(logging.Formatter):
    """`INFO couachgptd.daemon: ready address=http://…`"""

    def format(self, record: logging.LogRecord) -> str:
        shown = "".join(f" {name}={value!r}" for name, value in fields_of(record).items())
        line = f"{record.levelname} {record.name}: {record.getMessage()}{shown}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JournalHandler(logging.Handler):
    """Writes records and their fields to systemd's journal: `journalctl REQUEST_ID=… USER_ID=…`."""

    def __init__(self) -> None:
        super().__init__()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        own = {name: told() for name, told in standing.items()} | fields_of(record)
        fields = {
            **{_JOURNAL_NAMES.get(name, name.upper()): value for name, value in own.items()},
            "MESSAGE": line,
            "PRIORITY": next(n for level, n in _PRIORITIES if record.levelno >= level),
            "SYSLOG_IDENTIFIER": "couachgptd",
            "LOGGER": record.name,
        }
        try:
            self._socket.sendto(b"".join(map(_journal_field, fields.items())), JOURNAL_SOCKET)
        except OSError:  # longer than a datagram, or the journal restarts
            print(line, file=sys.stderr)  # noqa: T201 -- the log's last resort


def _journal_field(field: tuple[str, object]) -> bytes:
    """Return a field as journald reads it; one of several lines has its length before it."""
    name, value = field[0].encode(), str(field[1]).encode(errors="replace")
    if b"\n" not in value:
        return name + b"=" + value + b"\n"
    return name + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"


def is_journal(descriptor: int) -> bool:
    """Say whether systemd reads what is written there, and not somebody who redirected it."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def set_up(level: str) -> None:
    """Log to the journal where standard error is the journal's, else to standard error."""
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if is_journal(STANDARD_ERROR):
        handler = JournalHandler()
    handler.setFormatter(LineFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, root.level))
