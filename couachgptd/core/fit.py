"""Whether a model fits this machine, before it is downloaded or loaded, and why."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from couachgptd.core.health import DISK_LOW_BYTES, MEMORY_LOW_SHARE
from couachgptd.core.memory import MemoryNeed
from couachgptd.core.models import LoadedModel


class Verdict(StrEnum):
    FITS = "fits"
    TIGHT = "tight"
    DOES_NOT_FIT = "does_not_fit"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why; the text people read is chosen at the edges.

    ROOM: there is room enough. LOADED: it is in memory. OTHERS: once the models in memory have
    left it, which a load sees to. IN_USE: once other programs give memory back. LITTLE_LEFT and
    DISK_LOW: hardly any memory, or disk, is left beside it. MEMORY and DISK: there is too little
    in all. SIZE_UNKNOWN and NOT_TOLD: of the file, or of the engine's machine, nothing is known.
    """

    ROOM = "room"
    LOADED = "loaded"
    OTHERS = "others"
    IN_USE = "in_use"
    LITTLE_LEFT = "little_left"
    DISK_LOW = "disk_low"
    MEMORY = "memory"
    DISK = "disk"
    SIZE_UNKNOWN = "size_unknown"
    NOT_TOLD = "not_told"


VERDICTS = {
    Reason.ROOM: Verdict.FITS,
    Reason.LOADED: Verdict.FITS,
    Reason.OTHERS: Verdict.FITS,
    Reason.IN_USE: Verdict.TIGHT,
    Reason.LITTLE_LEFT: Verdict.TIGHT,
    Reason.DISK_LOW: Verdict.TIGHT,
    Reason.MEMORY: Verdict.DOES_NOT_FIT,
    Reason.DISK: Verdict.DOES_NOT_FIT,
    Reason.SIZE_UNKNOWN: Verdict.UNKNOWN,
    Reason.NOT_TOLD: Verdict.UNKNOWN,
}


class SizeSource(StrEnum):
    """Who told the file's size; the name only lets it be estimated."""

    ENGINE = "engine"
    CATALOGUE = "catalogue"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that somebody may want: `size_bytes` is its file's, None where nobody knows."""

    name: str
    is_installed: bool
    size_bytes: int | None = None
    size_from: SizeSource | None = None


def reason_of(
    candidate: Candidate,
    need: MemoryNeed | None,
    disk_free_bytes: int | None,
    loaded: Sequence[LoadedModel],
) -> Reason:
    """Decide; `need` and `disk_free_bytes` are None where they are not known.

    A load brings what is in memory out of it first, so that counts as free.
    """
    if candidate.size_bytes is None and not candidate.is_installed:
        return Reason.SIZE_UNKNOWN
    disk_left = None
    if not candidate.is_installed and disk_free_bytes is not None:
        disk_left = disk_free_bytes - (candidate.size_bytes or 0)
    if disk_left is not None and disk_left < 0:
        return Reason.DISK
    if any(model.name == candidate.name for model in loaded):
        return Reason.LOADED
    if need is None:
        return Reason.NOT_TOLD
    reason = _in_memory(need, sum(model.memory_bytes or 0 for model in loaded))
    is_low = disk_left is not None and disk_left < DISK_LOW_BYTES
    return Reason.DISK_LOW if is_low and VERDICTS[reason] is Verdict.FITS else reason


def _in_memory(need: MemoryNeed, released_bytes: int) -> Reason:
    if not need.fits:
        return Reason.MEMORY
    left = min(need.total_bytes, need.available_bytes + released_bytes) - need.needed_bytes
    if left < 0:
        return Reason.IN_USE
    if left < MEMORY_LOW_SHARE * need.total_bytes:
        return Reason.LITTLE_LEFT
    return Reason.OTHERS if need.is_short else Reason.ROOM


# --- the size of a file, by its name -----------------------------------------------------------

_COUNT = re.compile(r"(?<![a-z0-9.])(?:(\d{1,3})x)?(\d{1,4}(?:\.\d{1,3})?)([bm])(?![a-z0-9])")
_BITS = re.compile(r"(?<![a-z0-9])(?:i?q|mxfp)(\d)(?![0-9])|(?<![a-z0-9])b?fp?(16|32)(?![0-9])")
_UNITS = {"b": 1e9, "m": 1e6}
DEFAULT_BITS = 4  # Ollama's, where a name has none
# The scales beside the weights, and the layers that stay finer, take about one bit more.
EXTRA_BITS = 1
# Names round down ("7b" has 7.6 milliards), and tokenizer and embeddings do not shrink with them.
ROUNDING, FIXED_BYTES = 1.05, 200_000_000


def size_by_name(name: str) -> int | None:
    """Return about the bytes of a file, rather too many; None where the name does not tell.

    From the number of parameters and the quantisation, as in `qwen2.5:7b-instruct-q5_K_M` or
    `Llama-3.2-3B-Instruct-Q8_0`; where several numbers are in it, from the first.
    """
    lower = name.lower()
    count = _COUNT.search(lower)
    if count is None:
        return None
    experts, number, unit = count.groups()
    parameters = int(experts or 1) * float(number) * _UNITS[unit]
    found = _BITS.search(lower)
    coarse, whole = found.groups() if found else (str(DEFAULT_BITS), None)
    bits = int(whole) if whole else int(coarse) + EXTRA_BITS
    return round(parameters * bits / 8 * ROUNDING) + FIXED_BYTES
