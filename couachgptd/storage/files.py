"""Files that are whole or not there: written aside, made durable, then put in their place."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """Give an empty file, private to us, that becomes `target` if the block ends well."""
    partial = target.with_name(f"{target.name}.part")
    partial.unlink(missing_ok=True)
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
        yield partial
        make_durable(partial)
        partial.replace(target)
        make_durable(target.parent)
    finally:
        for left in partial.parent.glob(f"{partial.name}*"):  # SQLite may leave a journal beside it
            left.unlink()


def make_durable(path: Path) -> None:
    """Have the disk itself hold a file, or the names in a directory."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def folder_bytes(folder: Path) -> int:
    """Return what the files below a folder take; nothing where there is none."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(parent, name)).st_size  # noqa: PTH118 -- quicker
            except OSError:
                continue  # it has just been deleted
    return total
