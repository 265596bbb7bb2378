"""Which files of the browser's code an entry loads at once, and which it fetches later."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_AT_ONCE = re.compile(r"^\s*(?:import|export)\s(?!type\b)[^'\"();]*'(\.[^']+)'", re.MULTILINE)
_LATER = re.compile(r"\bimport\(\s*'(\.[^']+)'")
_ENDINGS = ("", ".ts", ".svelte", ".svelte.ts")


@dataclass(frozen=True, slots=True)
class Reached:
    """Sources that an entry loads at once, and those that only come later."""

    at_once: frozenset[Path]
    later: frozenset[Path]

    @property
    def all(self) -> frozenset[Path]:
        return self.at_once | self.later


def reached_from(*entries: Path) -> Reached:
    at_once = _closure(entries, (_AT_ONCE,))
    return Reached(at_once, _closure(at_once, (_AT_ONCE, _LATER)) - at_once)


def _closure(starts: Iterable[Path], ways: tuple[re.Pattern[str], ...]) -> frozenset[Path]:
    found: set[Path] = set()
    waiting = [path for path in starts if path.is_file()]
    while waiting:
        path = waiting.pop()
        if path in found or path.suffix not in {".ts", ".svelte"}:
            continue
        found.add(path)
        source = path.read_text(encoding="utf-8")
        for way in ways:
            waiting += [_file(path, match[1]) for match in way.finditer(source)]
    return frozenset(found)


def _file(importer: Path, name: str) -> Path:
    base = (importer.parent / name).resolve()
    names = [base.with_name(base.name + ending) for ending in _ENDINGS] + [base / "index.ts"]
    return next((path for path in names if path.is_file()), base)
