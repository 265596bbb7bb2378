"""One SQLite file, one thread that writes, two that only read."""

import asyncio
import errno
import fcntl
import logging
import os
import sqlite3
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import quote

import peewee
from peewee import SqliteDatabase

from couachgptd.core.errors import (
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreLocked,
    StoreMissing,
    StoreReadOnly,
)
from couachgptd.storage import backups, migrate, tables

log = logging.getLogger(__name__)

T = TypeVar("T")

FILE_NAME = "couachgpt.db"
READERS = 2  # one long read does not hold up the others; more would only share two cores
COMMON_PRAGMAS = (
    "busy_timeout = 5000",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "mmap_size = 0",
)
# FULL: an acknowledged message survives a power cut; docs/performance.md has what a commit costs.
# WAL itself is set by `migrate.up`, once it is sure that the file is ours to write.
WRITER_PRAGMAS = ("synchronous = FULL", "journal_size_limit = 67108864")
# Only the writer trusts the schema: elsewhere SQLite lets no trigger use FTS5, and triggers keep
# the indexes of search. No function that a schema could call there does anything outside.
# A second connection that checkpoints is what SQLite < 3.51.3 can be corrupted by.
ASIDE_PRAGMAS = ("trusted_schema = OFF", "wal_autocheckpoint = 0")
READER_PRAGMAS = ("query_only = ON", *ASIDE_PRAGMAS)

_role = threading.local()


class _RoleDatabase(SqliteDatabase):
    """Gives each thread's connection the rights of its role, and remembers it."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), lock_type="IMMEDIATE", check_same_thread=False)
        self.opened: list[sqlite3.Connection] = []

    def _initialize_connection(self, conn: sqlite3.Connection) -> None:
        mine = WRITER_PRAGMAS if getattr(_role, "name", "reader") == "writer" else READER_PRAGMAS
        self.opened.append(conn)
        try:
            for pragma in (*COMMON_PRAGMAS, *mine):
                conn.execute(f"PRAGMA {pragma}")
        except sqlite3.Error:
            # peewee would go on with it: a reader that may write, a writer that is not durable.
            # (Its stubs know nothing of its state.)
            self._state.reset()  # type: ignore[attr-defined]
            raise

    def rollback(self) -> None:
        # A full or failing disk makes SQLite roll back by itself; a second one would be an error
        # that hides the first.
        if self.connection().in_transaction:
            super().rollback()


class Database:
    """Runs functions on the thread that may do them; each is one transaction."""

    def __init__(self, path: Path) -> None:
        self.path = path
        # An orderly end leaves no log behind; our own first connection makes another.
        self._crashed = path.with_name(f"{path.name}-wal").exists()
        self._is_open = False
        self.is_vacuuming = False
        self._peewee = _RoleDatabase(path)
        tables.proxy.initialize(self._peewee)
        self._pending: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._writer = ThreadPoolExecutor(1, "store-writer", self._connect, ("writer",))
        self._readers = ThreadPoolExecutor(READERS, "store-reader", self._connect, ("reader",))

    def _connect(self, role: str) -> None:
        _role.name = role
        # A thread whose initializer raises breaks its whole pool with a message that says
        # nothing, so a failure shows at the first use instead.
        try:
            self._peewee.connect(reuse_if_open=True)
        except peewee.PeeweeException:
            log.debug("a store connection could not be opened yet", exc_info=True)

    async def write(self, work: Callable[[], T]) -> T:
        """Run in an IMMEDIATE transaction on the writer; durable once this returns.

        What waits when the writer is free shares one transaction, for the commit is most of the
        price. A caller that is cancelled meanwhile does not half-write: the work goes on. `work`
        may run twice, the first time undone.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._pending.append((work, done))
        self._writer.submit(self._write_pending, loop)
        return await asyncio.shield(done)

    def _write_pending(self, loop: asyncio.AbstractEventLoop) -> None:
        batch: list[tuple[Callable[[], Any], asyncio.Future[Any]]] = []
        while self._pending:
            batch.append(self._pending.popleft())
        if batch:  # else an earlier call has taken the work of this one with its own
            outcomes = self._outcomes([work for work, _ in batch])
            loop.call_soon_threadsafe(_deliver, [done for _, done in batch], outcomes)

    def _outcomes(self, works: list[Callable[[], Any]]) -> list[tuple[Any, Exception | None]]:
        try:
            with self._translated(), self._peewee.atomic():
                return [(work(), None) for work in works]
        except Exception as error:  # noqa: BLE001 -- it belongs to whoever asked for that work
            if len(works) == 1:
                return [(None, error)]
        # One failed, and the transaction with it; the others are not to suffer for that.
        return [outcome for work in works for outcome in self._outcomes([work])]

    async def read(self, work: Callable[[], T]) -> T:
        """Run in one read transaction on a reader."""

        def transaction() -> T:
            with self._translated(), self._peewee.atomic("DEFERRED"):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._readers, transaction)

    async def aside(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run long work on a connection of its own that only reads, on a thread of its own.

        It sees the store as it was when it began, and holds up neither writers nor readers.
        """

        def whole() -> T:
            with self._translated():
                uri = f"file:{quote(str(self.path))}?mode=ro"
                connection = sqlite3.connect(uri, uri=True, isolation_level=None)
                with closing(connection):
                    for pragma in (*COMMON_PRAGMAS, *ASIDE_PRAGMAS):
                        connection.execute(f"PRAGMA {pragma}")
                    return work(connection)

        return await asyncio.to_thread(whole)

    async def vacuum(self, prepare: Callable[[], None]) -> None:
        """Rewrite the file without what is unused, after `prepare`; writes wait meanwhile.

        That may take minutes, which is no silence of the writer's: `is_vacuuming` tells.
        """

        def work() -> None:
            with self._translated():
                prepare()
                self._peewee.execute_sql("VACUUM")
            self._checkpoint()

        self.is_vacuuming = True
        try:
            await asyncio.get_running_loop().run_in_executor(self._writer, work)
        finally:
            self.is_vacuuming = False

    async def migrate(self) -> list[str]:
        """Bring the schema up to date, a backup first. Raises StoreTooNew, StoreCorrupt."""

        def work() -> list[str]:
            with self._translated():
                return migrate.up(self._peewee, self.path, crashed=self._crashed)

        applied = await asyncio.get_running_loop().run_in_executor(self._writer, work)
        self._is_open = True
        return applied

    async def close(self) -> None:
        """Wait for the work under way, checkpoint and close every connection."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._readers.shutdown)
        if self._is_open:
            await loop.run_in_executor(self._writer, self._checkpoint)
        self._writer.shutdown()
        for connection in self._peewee.opened:
            connection.close()

    def _checkpoint(self) -> None:
        try:
            self._peewee.pragma("wal_checkpoint", "TRUNCATE")
        except peewee.PeeweeException:
            log.warning("the store could not be checkpointed", exc_info=True)

    def _translated(self) -> "_Translated":
        return _Translated(self.path)


def _deliver(
    waiting: list[asyncio.Future[Any]], outcomes: list[tuple[Any, Exception | None]]
) -> None:
    for done, (result, error) in zip(waiting, outcomes, strict=True):
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)


class _Translated:
    """Turns SQLite's errors into ours at the one place where both are known."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, peewee.DatabaseError | sqlite3.DatabaseError) and not isinstance(
            error, peewee.IntegrityError
        ):
            raise store_error(self.path, error) from error


def store_error(path: Path, error: Exception) -> StoreError:
    """Name what SQLite says: its messages are stable, its codes do not all reach Python 3.11."""
    text = str(error)
    known: tuple[tuple[str, type[StoreError]], ...] = (
        ("readonly", StoreReadOnly),
        ("not a database", StoreCorrupt),
        ("malformed", StoreCorrupt),
        ("disk is full", StoreFull),
        ("unable to open", StoreMissing),
    )
    kind = next((kind for words, kind in known if words in text), StoreError)
    if "disk I/O error" in text and _is_full(path):
        kind = StoreFull  # all that SQLite says where it could not enlarge its shared memory
    return kind(path=str(path), reason=text)


def _is_full(path: Path) -> bool:
    try:
        return os.statvfs(path.parent).f_bavail == 0
    except OSError:
        return False


def file_error(path: Path, error: OSError) -> StoreError:
    """Name what the system says of a file or a folder."""
    kind: type[StoreError] = StoreMissing
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        kind = StoreReadOnly
    elif error.errno in (errno.ENOSPC, errno.EDQUOT):
        kind = StoreFull
    return kind(path=str(path), reason=error.strerror or str(error))


def prepare_directory(directory: Path, *, make_parents: bool) -> None:
    """Make the data directory, private to us, or say what is wrong with it."""
    try:
        directory.mkdir(mode=0o700, parents=make_parents, exist_ok=True)
        probe = directory / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise file_error(directory, error) from None


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep every other daemon out of a data directory. Raises StoreLocked."""
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreLocked(path=str(directory), reason="another daemon uses it") from None
        yield
    finally:
        os.close(lock)


@asynccontextmanager
async def opened_database(
    directory: Path, *, make_parents: bool = False
) -> AsyncGenerator[Database]:
    """Open, check and migrate the store of a data directory; close it with a checkpoint.

    Raises a child of StoreError that names the path. A lock keeps a second daemon out: two
    writers in two processes are what this design excludes.
    """
    prepare_directory(directory, make_parents=make_parents)
    path = directory / FILE_NAME
    with locked(directory):
        backups.put_in_place(directory, path)
        database = Database(path)
        try:
            # The file is nobody else's to read; SQLite gives -wal and -shm the same mode.
            before = os.umask(0o077)
            try:
                applied = await database.migrate()
            finally:
                os.umask(before)
            if applied:
                log.info("store migrated", extra={"migrations": applied})
            yield database
        finally:
            await database.close()
