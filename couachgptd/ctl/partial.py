"""The bytes of a model that are here so far: hashed as they come, kept over a cut, put in place."""

import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from couachgptd.catalogue import Part
from couachgptd.ctl.failures import CommandFailed
from couachgptd.ctl.texts import _

CHUNK_BYTES: Final = 1 << 20


class Partial:
    """A growing file, always a beginning of the whole, wherever its bytes come from.

    What a part's own hash refutes is cut off when the file is opened again. Links are not
    followed: root fetches into a folder that the daemon's user may write.
    """

    def __init__(self, path: Path, limit: int, parts: Sequence[Part]) -> None:
        self.path = path
        self.limit = limit
        self.size = 0
        self._hash = hashlib.sha256()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        with _our_disk(path):
            self._file = os.fdopen(os.open(path, flags, 0o644), "r+b")
            try:
                give_to_owner_of(path.parent, self._file.fileno())
                self._take_up(min(os.fstat(self._file.fileno()).st_size, limit), parts)
            except BaseException:
                self._file.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with _our_disk(self.path):
            self._file.close()
            if self.size == 0:
                self.path.unlink(missing_ok=True)

    def append(self, chunk: bytes) -> None:
        if self.size + len(chunk) > self.limit:
            raise OverflowError(self.limit)
        with _our_disk(self.path):
            self._file.write(chunk)
        self._hash.update(chunk)
        self.size += len(chunk)

    def rewind(self, size: int) -> None:
        """Keep only so many of the first bytes."""
        if size < self.size:
            with _our_disk(self.path):
                self._take_up(size, ())

    def sha256(self) -> str:
        return self._hash.hexdigest()

    def settle(self, target: Path) -> None:
        """Make it the model's file, at once and for good."""
        with _our_disk(self.path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self.path.replace(target)
            folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _take_up(self, size: int, parts: Sequence[Part]) -> None:
        self._file.seek(0)
        self._hash, self.size = hashlib.sha256(), 0
        for part in parts:
            if self.size + part.size_bytes > size:
                break
            before, of_part = self._hash.copy(), hashlib.sha256()
            self._read(part.size_bytes, self._hash.update, of_part.update)
            if of_part.hexdigest() != part.sha256:
                self._hash, size = before, self.size
                break
            self.size += part.size_bytes
        self._read(size - self.size, self._hash.update)
        self.size = size
        self._file.truncate(size)
        self._file.seek(size)

    def _read(self, count: int, *updates: Callable[[bytes], None]) -> None:
        while count > 0 and (chunk := self._file.read(min(CHUNK_BYTES, count))):
            count -= len(chunk)
            for update in updates:
                update(chunk)


@contextmanager
def locked(path: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold the lock file, waiting for whoever has it; it ends with its process."""
    with _our_disk(path):
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def give_to_owner_of(folder: Path, file: int | Path) -> None:
    """Let the daemon's user own what root puts into its folder."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.chown(file, owner.st_uid, owner.st_gid)


def has_hash(path: Path, size: int, sha256: str) -> bool:
    """Say whether a whole file is there and right."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size != size:
                return False
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


@contextmanager
def _our_disk(path: Path) -> Iterator[None]:
    """Tell a failure of this machine's disk from one of a source: another source cannot help."""
    try:
        yield
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise CommandFailed(
            _("{path} cannot be written: {reason}").format(
                path=path, reason=error.strerror or error
            ),
            code="disk_full" if full else "disk_failed",
            fields={"path": str(path)},
        ) from error
