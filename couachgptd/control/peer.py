"""The socket's privacy: never wider than it should be, and known who is at the other end."""

import fcntl
import grp
import os
import socket
import struct
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from couachgptd.core.access import Audience

SOCKET_UMASK = 0o117  # 0660: the owner and the group
PATH_MAX_BYTES = 107  # sun_path, less its closing zero
UCRED = struct.Struct("3i")
GID = struct.Struct("I")
SO_PEERGROUPS = 59
GROUPS_MAX_BYTES = 1024  # the most that Python's getsockopt takes: 256 groups
ADMIN_GROUP = "couachgpt-admin"
MONITOR_GROUP = "couachgpt-monitor"


class SocketUnusable(Exception):
    """The control socket cannot be opened; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end, as the kernel says: with which groups when it connected."""

    pid: int
    uid: int
    groups: frozenset[int]

    @property
    def is_ourselves(self) -> bool:
        """Say whether it is this very process: the admin page, calling its own daemon."""
        return self.uid == os.geteuid() and self.pid == os.getpid()

    @property
    def is_privileged(self) -> bool:
        """Say whether it is root, or runs as the daemon's own user."""
        return self.uid in (0, os.geteuid())

    def __str__(self) -> str:
        return f"uid:{self.uid} pid:{self.pid}"


@dataclass(frozen=True, slots=True)
class Groups:
    """The groups that give rights; None where this machine has no such group."""

    admin: int | None = None
    monitor: int | None = None

    @classmethod
    def of_machine(cls) -> Self:
        """Look them up, which may ask a directory server: once, at the start."""
        return cls(_group(ADMIN_GROUP), _group(MONITOR_GROUP))

    def rights_of(self, peer: Peer) -> frozenset[Audience]:
        """Return what a process may: act and look, look only, or nothing."""
        if peer.is_privileged or self.admin in peer.groups:
            return frozenset({Audience.MONITOR, Audience.OPERATOR})
        return frozenset({Audience.MONITOR} if self.monitor in peer.groups else ())


def peer_of(connection: socket.socket) -> Peer:
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, UCRED.size)
    pid, uid, gid = UCRED.unpack(raw)
    try:
        more = connection.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, GROUPS_MAX_BYTES)
    except OSError:  # more groups than Python reads
        more = b""
    return Peer(pid, uid, frozenset({gid, *(gid for (gid,) in GID.iter_unpack(more))}))


def _group(name: str) -> int | None:
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None


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
