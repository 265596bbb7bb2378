"""Reads what the header of a GGUF file says of its model, and no more of it."""

import mmap
import struct
from pathlib import Path

from couachgptd.core.models import ALWAYS_THINKS, THINKING, Model

TEMPLATE_WITHIN_BYTES = 64 << 20  # after the word lists, the longest of which take some 10 MB
TEMPLATE_KEY = b"tokenizer.chat_template" + struct.pack("<I", 8)  # and its kind: a text
HEADER_BYTES = 262_144  # the facts come first; the tokenizer's word lists, which follow, are long
MAGIC = b"GGUF"
STRING, ARRAY = 8, 9
FORMATS = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?",
    10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
QUANTIZATIONS = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K",
    11: "Q3_K_S", 12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S",
    17: "Q5_K_M", 18: "Q6_K", 32: "BF16",
}  # fmt: skip

Fact = int | float | bool | str | None


class _Header:
    """A walk through the bytes; running past their end raises struct.error."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, pattern: str) -> int | float | bool:
        (value,) = struct.unpack_from(pattern, self._data, self._at)
        self._at += struct.calcsize(pattern)
        return value  # type: ignore[no-any-return]

    def text(self) -> str:
        length = int(self.number("<Q"))
        start, self._at = self._at, self._at + length
        if self._at > len(self._data):
            raise struct.error("cut")
        return self._data[start : self._at].decode(errors="replace")

    def value(self, kind: int) -> Fact:
        if kind == STRING:
            return self.text()
        if kind == ARRAY:
            inner, length = int(self.number("<I")), int(self.number("<Q"))
            for _ in range(length):
                self.value(inner)
            return None
        if kind not in FORMATS:
            raise struct.error("unknown kind")
        return self.number(FORMATS[kind])


def facts_in(path: Path) -> dict[str, Fact]:
    """Return the facts before the word lists; whatever is broken ends them, nothing is raised."""
    facts: dict[str, Fact] = {}
    try:
        with path.open("rb") as file:
            header = _Header(file.read(HEADER_BYTES))
        if header.number("<I") != int.from_bytes(MAGIC, "little"):
            return {}
        header.number("<I")  # the version: 2 and 3 read alike
        header.number("<Q")  # how many tensors
        for _ in range(int(header.number("<Q"))):
            key = header.text()
            if key.startswith("tokenizer."):
                break
            facts[key] = header.value(int(header.number("<I")))
    except (OSError, struct.error, RecursionError):
        pass
    return facts


def template_in(path: Path) -> str:
    """Return the chat template, "" where there is none; a file that is broken has none."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.find(TEMPLATE_KEY, 0, TEMPLATE_WITHIN_BYTES)
            if at < 0:
                return ""
            start = at + len(TEMPLATE_KEY) + 8
            (length,) = struct.unpack_from("<Q", data, start - 8)
            return data[start : start + min(length, HEADER_BYTES)].decode(errors="replace")
    except (OSError, ValueError, struct.error):
        return ""


def abilities_in(template: str) -> frozenset[str]:
    """Return what a template tells of its model: whether it thinks, and can be told not to."""
    if "enable_thinking" in template:
        return frozenset({THINKING})
    return frozenset({ALWAYS_THINKS} if "</think>" in template else ())


def model_in(path: Path) -> Model:
    """Return the model in a file, named for the file. Raises OSError if the file is gone."""
    facts = facts_in(path)
    file = path.stat()
    family = facts.get("general.architecture")
    parameters = facts.get("general.size_label")
    context = facts.get(f"{family}.context_length")
    kind = facts.get("general.file_type")
    return Model(
        name=path.stem,
        size_bytes=file.st_size,
        family=family if isinstance(family, str) else None,
        parameters=parameters if isinstance(parameters, str) else None,
        quantization=QUANTIZATIONS.get(kind) if isinstance(kind, int) else None,
        context_tokens=context if isinstance(context, int) and context > 0 else None,
        abilities=abilities_in(template_in(path)) if facts else frozenset(),
        is_broken=not facts,
        fingerprint=f"{file.st_size}-{file.st_mtime_ns}",
    )
