"""What crosses the wall: one bounded request in, one bounded answer out.

A request is its head (a byte with the length of the job's name, four with that of the data), the
name and the data; an answer is its head (a byte with the status, four with the length) and a body.
"""

import struct
from enum import IntEnum
from typing import BinaryIO

HEAD = struct.Struct("!BI")
JOB_MAX = 32
DATA_MAX = 32 * 1024 * 1024
ANSWER_MAX = 1280 * 1024  # the longest text of a document, and its description


class Status(IntEnum):
    """DONE comes with the result; REFUSED with a word that says why, by the job's own rules."""

    DONE = 0
    REFUSED = 1
    OUT_OF_MEMORY = 2


def request(job: str, length: int) -> bytes:
    """Return what goes before the data, of so many bytes.

    Raises ValueError for what is beyond the bounds: a mistake of the caller's.
    """
    name = job.encode("ascii")
    if not 0 < len(name) <= JOB_MAX or length > DATA_MAX:
        raise ValueError(f"{job}: {length} bytes")
    return HEAD.pack(len(name), length) + name


def read_request(stream: BinaryIO) -> tuple[str, bytes]:
    """Raises EOFError for one that ends early, ValueError for one beyond the bounds."""
    name_length, length = HEAD.unpack(_exactly(stream, HEAD.size))
    if not 0 < name_length <= JOB_MAX or length > DATA_MAX:
        raise ValueError(f"a name of {name_length}, data of {length} bytes")
    return _exactly(stream, name_length).decode("ascii"), _exactly(stream, length)


def answer(status: Status, body: bytes = b"") -> bytes:
    return HEAD.pack(status, len(body)) + body


def _exactly(stream: BinaryIO, length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise EOFError
    return data
