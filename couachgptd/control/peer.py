"""The socket's privacy: never wider than it should be, and known who is at the other end."""

import fcntl
import os
import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOCKET_UMASK = 0o117  # 0660: the owner and the group
PATH_MAX_BYTES = 107  # sun_path, less its closing zero
UCRED = struct.Struct("3i")


class SocketUnusable(Exception):
    """The control socket cannot be opened; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as the kernel says."""

    pid: int
    uid: int
    gid: int

    @property
    def is_operator(self) -> bool:
        return self.uid in (0, os.geteuid())

    @property
    def is_ourselves(self) -> bool:
        """Say whether it is this very process: the admin page, calling its own daemon."""
        return self.uid == os.geteuid() and self.pid == os.getpid()

    def __str__(self) -> str:
        return f"uid:{self.uid} pid:{self.pid}"


def peer_of(connection: socket.socket) -> Peer:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
    return Peer(*UCRED.unpack(raw))


@contextmanager
def bound_socket(path: Path) -> Generator[socket.socket]:
    """Bind the socket under a lock, for its owner and group only; remove it at the end.

    Raises SocketUnusable. Without the lock a second daemon would silently steal the path.
    """
    if len(os.fsencode(path)) > PATH_MAX_BYTES:
        raise SocketUnusable(f"{path}: longer than {PATH_MAX_BYTES} bytes; set control.socket")
    try:
        path.parent.mkdir(mode=0o750, exist_ok=True)
        lock = os.open(
            path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
    except OSError as error:
        raise SocketUnusable(f"{path}: {error.strerror}; set control.socket") from None
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SocketUnusable(f"{path}: another daemon holds it") from None
        if path.exists() and not path.is_socket():
            raise SocketUnusable(f"{path}: exists and is no socket; set control.socket")
        path.unlink(missing_ok=True)
        before = os.umask(SOCKET_UMASK)
        try:
            listener.bind(str(path))
        except OSError as error:
            raise SocketUnusable(f"{path}: {error.strerror}; set control.socket") from None
        finally:
            os.umask(before)
        listener.setblocking(False)  # noqa: FBT003 -- the standard library's signature
        yield listener
        path.unlink(missing_ok=True)
    finally:
        listener.close()
        os.close(lock)
