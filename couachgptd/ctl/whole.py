"""A file that is written whole or not at all, for its owner alone, and over nothing unasked."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from couachgptd.ctl.failures import CommandFailed
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


@contextmanager
def written(target: Path, *, is_forced: bool) -> "Iterator[BinaryIO]":
    """Give a file that becomes `target` at the end of the block; what fails leaves nothing.

    It waits beside the target under a name of its own, so that even a kill leaves nothing that
    looks like a whole one.
    """
    # Before all the bytes have come for nothing. A device must never be replaced: root would make
    # a file of /dev/null.
    is_file = os.path.isfile(target)  # noqa: PTH113 -- is_file() raises, of a name that is too long
    if os.path.lexists(target) and not (is_forced and is_file):
        raise _there_is(target, is_file=is_file)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if not is_forced:
                os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            Path(name).replace(target)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(name).unlink()
            raise
    except FileExistsError:
        raise _there_is(target) from None
    except OSError as error:
        raise CommandFailed(
            _("{path} cannot be written: {reason}").format(
                path=target, reason=error.strerror or error
            ),
            code="disk_failed",
            fields={"path": str(target)},
        ) from None


def _there_is(target: Path, *, is_file: bool = True) -> CommandFailed:
    return CommandFailed(
        _("{path} is there already.").format(path=target),
        hint=_("--force writes over it, --output FILE writes elsewhere.")
        if is_file
        else _("It is no file: --output FILE writes elsewhere."),
        code="file_exists",
        fields={"path": str(target)},
    )
