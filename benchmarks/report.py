"""What every program prints: a table or JSON, targets as ok or MISS, the machine beside them."""

import argparse
import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.machine import Machine, load_average, machine


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values do not exceed."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


@dataclass(frozen=True, slots=True)
class Target:
    """A promise of the project and what was measured: at most the limit, or at least."""

    name: str
    measured: float
    limit: float
    unit: str
    is_floor: bool = False

    @property
    def is_met(self) -> bool:
        return self.measured >= self.limit if self.is_floor else self.measured <= self.limit

    def line(self) -> str:
        word = "ok  " if self.is_met else "MISS"
        side = "at least" if self.is_floor else "at most"
        return f"{word} {self.name}: {self.measured:.3g} {self.unit} ({side} {self.limit:g})"


@dataclass(slots=True)
class Report:
    """The rows of one program, and what they are to be judged by."""

    program: str
    machine: Machine = field(default_factory=machine)
    load_before: float = field(default_factory=load_average)
    load_after: float = 0.0
    rows: list[Any] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def show(self, *, as_json: bool) -> None:
        self.load_after = load_average()
        if as_json:
            print(json.dumps(self._as_json(), indent=2, ensure_ascii=False))
            return
        its = self.machine
        print(
            f"{self.program}, {its.date}: {its.cores} cores of {its.processor},"
            f" {its.memory_gib} GiB, Python {its.python};"
            f" load average {self.load_before:.2f} before, {self.load_after:.2f} after\n"
        )
        by_kind: dict[type[Any], list[Any]] = {}
        for row in self.rows:
            by_kind.setdefault(type(row), []).append(row)
        for rows in by_kind.values():
            print(table([dataclasses.asdict(row) for row in rows]), end="\n\n")
        for line in (*(target.line() for target in self.targets), *self.notes):
            print(line)

    def _as_json(self) -> dict[str, Any]:
        found = dataclasses.asdict(self)
        for shown, target in zip(found["targets"], self.targets, strict=True):
            shown["ok"] = target.is_met
        return found


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    heads = [name.replace("_", " ") for name in rows[0]]
    cells = [[_cell(value) for value in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    lines = [
        "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=True))
        for line in [heads, *cells]
    ]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.1f}" if value >= 10 else f"{value:.3g}"
    return str(value)


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that all programs share."""
    found = argparse.ArgumentParser(description=doc)
    found.add_argument("--json", action="store_true", help="figures for a program")
    found.add_argument("--quick", action="store_true", help="a small run, to see that it works")
    return found
