"""What the clients of the nemesis saw and did, as they noted it: the checker's only witness."""

from array import array
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

Json = dict[str, Any]

TAIL = 40  # entries of a tab's log shown beside what went wrong
PROBLEMS_KEPT = 20  # of one tab; the first tells the most
TEXT_APART_SECONDS = 0.05  # closer ones say nothing more


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, and what shows it."""

    invariant: str
    what: str
    evidence: tuple[str, ...] = ()
    at: float | None = None


@dataclass(slots=True)
class Request:
    """One request of a person's; `ok` and `error` are None as long as nobody knows.

    A question that is sent again, with its client_id, after a lost connection is one request.
    """

    person: int
    verb: str
    at: float
    text: str = ""
    client_id: str = ""
    message: int | None = None  # the answer to regenerate or to go on with
    acknowledged_at: float | None = None
    ok: Json | None = None
    error: str | None = None
    sent: int = 0


@dataclass(frozen=True, slots=True)
class Stay:
    """Something that lasted: a fault, a restart of the engine, a time without the daemon."""

    kind: str
    began: float
    ended: float

    def overlaps(self, began: float, ended: float) -> bool:
        return self.began <= ended and began <= self.ended


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the watchdog's verdict, as the daemon keeps it."""

    id: int
    at: float
    before: str
    after: str
    evidence: Json


@dataclass(slots=True)
class Shown:
    """One conversation as a tab shows it; `is_watched` until the tab lets go of it."""

    epoch: str
    n: int
    texts: dict[int, str]
    is_watched: bool = True


class View:
    """A tab that applies every message as a page does, and notes what a page could not bear."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch = ""
        self.shown: dict[str, Shown] = {}
        self.violations: list[Violation] = []
        self.is_whole = True  # it was connected, and had read everything, at the end
        self._tail: deque[str] = deque(maxlen=TAIL)

    def note(self, what: str, at: float) -> None:
        self._tail.append(f"{at:.3f} {self.name} {what}")

    def position(self, conversation: str) -> Json | None:
        shown = self.shown.get(conversation)
        return {"epoch": shown.epoch, "n": shown.n} if shown else None

    def apply(self, message: Json, at: float) -> None:
        """Take one message from the server."""
        kind = message["type"]
        self.note(_words(message), at)
        if kind == "hello":
            self.epoch = message["epoch"]
        elif kind == "snapshot":
            self._replace(message, at)
        elif "n" in message:
            self._follow(message, at)

    def blame(self, invariant: str, what: str, at: float) -> None:
        if len(self.violations) < PROBLEMS_KEPT:
            told = f"{self.name}: {what}"
            self.violations.append(Violation(invariant, told, tuple(self._tail), at))

    def _replace(self, message: Json, at: float) -> None:
        name, position = message["conversation"], message["position"]
        before = self.shown.get(name)
        if before and before.epoch == position["epoch"] and position["n"] < before.n:
            self.blame("sequence", f"{name}: snapshot at {position['n']} after {before.n}", at)
        texts = {each["id"]: each["text"] for each in message["messages"]}
        self.shown[name] = Shown(position["epoch"], position["n"], texts)

    def _follow(self, message: Json, at: float) -> None:
        name, n = message["conversation"], message["n"]
        shown = self.shown.get(name)
        if shown is None or shown.epoch != self.epoch:
            self.blame("sequence", f"{name}: event {n} before any snapshot of this epoch", at)
            return
        if n != shown.n + 1:
            fault = "gap" if n > shown.n else "repeat"
            self.blame("sequence", f"{name}: {fault}: event {n} after {shown.n}", at)
            if fault == "repeat":
                return  # as the protocol says: to be ignored
        shown.n = n
        match message["type"]:
            case "messages":
                shown.texts |= {each["id"]: each["text"] for each in message["messages"]}
            case "rewrite":
                shown.texts[message["message"]] = message["text"]
            case "text" if message["kind"] == "text":
                if message["message"] not in shown.texts:
                    self.blame("sequence", f"{name}: text of an unknown message", at)
                found = shown.texts.get(message["message"], "")
                shown.texts[message["message"]] = found + message["d"]


@dataclass(slots=True)
class History:
    """All that was noted from outside during one run; times are those of the wall clock."""

    seed: int
    people: int
    slots: int
    began: float = 0.0
    calm_from: float = 0.0  # no more faults nor questions
    ended: float = 0.0
    requests: list[Request] = field(default_factory=list)
    views: list[View] = field(default_factory=list)
    faults: list[Stay] = field(default_factory=list)
    absences: list[Stay] = field(default_factory=list)  # the daemon was dead or stopped
    restarts: list[Stay] = field(default_factory=list)  # as systemctl was asked for them
    changes: dict[int, Change] = field(default_factory=dict)
    texts: "array[float]" = field(default_factory=lambda: array("d"))
    reconnections: int = 0
    stages: dict[int, list[tuple[float, str]]] = field(default_factory=dict)  # of each turn

    def saw_turn(self, turn: Json, at: float) -> None:
        healing = ", is healed" if turn["is_healing"] else ""
        told = f"{turn['state']}, attempt {turn['attempt']}{healing}"
        stages = self.stages.setdefault(turn["id"], [])
        if not stages or stages[-1][1] != told:
            stages.append((at, told))

    def way_of(self, turn: int) -> tuple[str, ...]:
        """Return the stages of a turn as lines."""
        stages = self.stages.get(turn, [])
        return tuple(f"{at:.3f} turn {turn} {told}" for at, told in stages)

    def saw_text(self, at: float) -> None:
        if not self.texts or at - self.texts[-1] >= TEXT_APART_SECONDS:
            self.texts.append(at)

    def around(self, at: float, seconds: float = 10.0) -> tuple[str, ...]:
        """Return the faults, restarts and verdicts near a moment, in order, as lines."""
        began, ended = at - seconds, at + seconds
        lines = [
            (each.began, f"{name} {each.kind} until {each.ended:.3f}")
            for name, stays in (
                ("fault", self.faults),
                ("systemctl", self.restarts),
                ("daemon", self.absences),
            )
            for each in stays
            if each.overlaps(began, ended)
        ]
        lines += [
            (each.at, f"verdict {each.before} -> {each.after} {each.evidence}")
            for each in self.changes.values()
            if began <= each.at <= ended
        ]
        return tuple(f"{moment:.3f} {line}" for moment, line in sorted(lines))

    def longest_silence(self, stay: Stay) -> float:
        """Return the longest time without a word of any answer, of those that touch a stay."""
        moments = [self.began, *self.texts, self.ended]
        return max(
            (after - before for before, after in pairwise(moments)
             if stay.overlaps(before, after)),
            default=0.0,
        )  # fmt: skip


def union(stays: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the same time, each moment once, in order."""
    found: list[tuple[float, float]] = []
    for began, ended in sorted(stays):
        if found and began <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], ended))
        elif ended > began:
            found.append((began, ended))
    return found


def common(stays: Iterable[tuple[float, float]], began: float, ended: float) -> float:
    """Return for how long some of these stays, which do not overlap, lay in a span."""
    return sum(max(0.0, min(ended, until) - max(began, since)) for since, until in stays)


def _words(message: Json) -> str:
    """Return what identifies a message, short enough for a log."""
    names = ("id", "code", "conversation", "n", "position", "message", "reason", "d")
    told = [f"{name}={message[name]!r}"[:60] for name in names if message.get(name) is not None]
    words = [message["type"], *told]
    if "turn" in message:
        words.append(f"turn {message['turn']['id']} {message['turn']['state']}")
    return " ".join(words)
