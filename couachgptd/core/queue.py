"""Who runs next: the person who has had least of the engine, never two turns of one conversation.

A deficit round-robin between people (Shreedhar & Varghese, 1995). Each has one line, first asked
first, and a count of the tokens they were served: the estimate is charged when a turn is taken,
and settled at its end, because nobody knows how long an answer will be. The round's quantum is one
token, and rounds in which everybody is still in debt are skipped at once, so the decision is short:
the person who was served least goes next. Whoever comes starts level with those who wait, with
neither the credit nor the debt of hours in which nobody wanted anything.
"""

from bisect import insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from couachgptd.core.ids import ConversationId, TurnId, UserId
from couachgptd.core.turns import TurnSource

PASS_OVER_SECONDS = 60.0
# What a second of waiting is worth: newcomers, who owe nothing, cannot go first for ever. As it is
# the same for all, it leaves the shares of those who wait alike.
AGEING_TOKENS_PER_SECOND = 1.0
IDLE_SOURCES = frozenset({TurnSource.BENCHMARK, TurnSource.TITLE})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A turn that wants the engine.

    `queued_at` is in seconds of the clock that `now` is read from, wherever a method takes it.
    `prompt_tokens` are those that the engine will have to read, `tokens` all that it is expected
    to read and write, `seconds` the time expected for that, without a load of the model. A suspect
    (its prompt may have killed the engine) runs alone.
    """

    turn: TurnId
    asker: UserId | None
    conversation: ConversationId | None = None
    source: TurnSource = TurnSource.CHAT
    model: str = ""
    queued_at: float = 0.0
    prompt_tokens: int = 0
    tokens: float = 1.0
    seconds: float = 0.0
    is_suspect: bool = False

    @property
    def order(self) -> tuple[float, TurnId]:
        """Return its place among the turns of the same person."""
        return self.queued_at, self.turn

    @property
    def is_idle(self) -> bool:
        """Say whether it may only run when nobody ordinary waits or runs."""
        return self.source in IDLE_SOURCES


@dataclass(frozen=True, slots=True)
class Running:
    """A turn that was taken; `loads` says that the engine must first change its model for it."""

    waiting: Waiting
    loads: bool
    began_at: float


@dataclass(frozen=True, slots=True)
class Start:
    """A turn that a rehearsal started once the turn `after` had ended; None: at once."""

    running: Running
    after: TurnId | None


@dataclass(slots=True)
class _Line:
    """The turns of one person, and the tokens that person was served."""

    served: float = 0.0
    running: int = 0
    free_since: float = 0.0  # when their last turn ended
    waiting: list[Waiting] = field(default_factory=list)

    def copy(self) -> "_Line":
        return _Line(self.served, self.running, self.free_since, self.waiting.copy())

    def first(self, answered: set[ConversationId]) -> Waiting | None:
        """Return the first turn whose conversation is not being answered."""
        for waiting in self.waiting:
            if waiting.conversation not in answered:
                return waiting
        return None


class _Head(NamedTuple):
    """The turn that a person would have next; the least of all heads is the fair choice."""

    running: int  # turns of the same person: one each, as long as others wait
    owed: float
    turn: TurnId
    waiting: Waiting
    line: _Line


class Queue:
    """The turns that wait, and those that run. It decides; the runner acts.

    `model` is the one that the engine holds, None where it holds none. `take` keeps it; set it to
    None when the engine has lost it. A change of model begins when all slots are free. Turns of the
    held model may pass one that wants another, as long as they are expected to end within
    `pass_over_seconds` of the moment at which it was its turn.
    """

    def __init__(self, *, slots: int = 1, pass_over_seconds: float = PASS_OVER_SECONDS) -> None:
        self.model: str | None = None
        self._slots = slots
        self._pass_over_seconds = pass_over_seconds
        self._is_paused = False
        self._lines: dict[UserId | None, _Line] = {}
        self._idle_lines: dict[UserId | None, _Line] = {}
        self._running: dict[TurnId, Running] = {}
        self._answered: set[ConversationId] = set()
        self._level = 0.0  # what those who wait were served at least
        self._due: dict[TurnId, float] = {}  # turns that were let wait for their model, since when

    def __len__(self) -> int:
        """Return how many turns wait."""
        return sum(len(line.waiting) for line in self._every_line())

    def __iter__(self) -> Iterator[Waiting]:
        """Yield the turns that wait, one person after the other."""
        for line in self._every_line():
            yield from line.waiting

    @property
    def running(self) -> Mapping[TurnId, Running]:
        return self._running

    @property
    def is_paused(self) -> bool:
        return self._is_paused

    def waiting_of(self, asker: UserId | None) -> int:
        """Return how many ordinary turns of a person wait."""
        line = self._lines.get(asker)
        return len(line.waiting) if line else 0

    # what happens to turns

    def add(self, waiting: Waiting) -> None:
        """Let a turn wait. After a restart the turns may come in any order: `order` sorts them."""
        line = self._lines_like(waiting).setdefault(waiting.asker, _Line())
        if not line.waiting and not line.running:
            line.served = max(line.served, self._level)
        insort(line.waiting, waiting, key=lambda each: each.order)

    def take(self, now: float) -> Running | None:
        """Take out the turn to start now; None where there is none, or no slot for it.

        Call it until it returns None: after each `add`, `ended`, `give_back`, `remove`, `resume`.
        """
        if self._is_paused or len(self._running) >= self._slots:
            return None
        if any(running.waiting.is_suspect for running in self._running.values()):
            return None
        heads = self._heads()
        if not heads:
            return None
        fair = min(heads)
        self._level = max(self._level, min(head.line.served for head in heads))
        chosen = self._grouped(fair, heads, now)
        if self._running and (chosen.waiting.is_suspect or chosen.waiting.model != self.model):
            return None
        return self._start(chosen, now)

    def ended(self, turn: TurnId, now: float, tokens: float | None = None) -> None:
        """Free the slot of a taken turn, however it ended, and settle the tokens it really cost.

        Raises KeyError where it does not run.
        """
        waiting, line = self._leave(turn)
        if tokens is not None:
            line.served += tokens - waiting.tokens
        line.free_since = now
        self._forget_if_idle()

    def give_back(self, turn: TurnId, *, is_suspect: bool = False) -> None:
        """Let an interrupted turn wait again, first of its person's; it is charged once.

        How often a turn may come back is for the caller to say. Raises KeyError where it does not
        run.
        """
        waiting, line = self._leave(turn)
        line.served -= waiting.tokens
        waiting = replace(waiting, is_suspect=waiting.is_suspect or is_suspect)
        insort(line.waiting, waiting, key=lambda each: each.order)

    def remove(self, turn: TurnId) -> bool:
        """Take a turn out; say whether it was waiting. One that runs is the caller's to end."""
        for line in self._every_line():
            for index, waiting in enumerate(line.waiting):
                if waiting.turn == turn:
                    del line.waiting[index]
                    self._due.pop(turn, None)
                    self._forget_if_idle()
                    return True
        return False

    def pause(self) -> None:
        """Give nothing out: the engine cannot be used. Turns may still come, and are kept."""
        self._is_paused = True

    def resume(self) -> None:
        self._is_paused = False

    # what will happen

    def places(self, now: float) -> dict[TurnId, int]:
        """Return how many of those that wait will start before each, if nobody else comes."""
        left = {turn: running.waiting.seconds for turn, running in self._running.items()}
        starts = self.rehearse(now, left, lambda running: running.waiting.seconds)
        return {start.running.waiting.turn: place for place, start in enumerate(starts)}

    def rehearse(
        self, now: float, left: Mapping[TurnId, float], seconds: Callable[[Running], float]
    ) -> Iterator[Start]:
        """Play the decisions to come, on a copy, as if nobody else came and no pause were.

        `left` are the seconds that each running turn will still take, `seconds` those of a turn
        that starts.
        """
        twin = self._twin()
        ends = [(now + left.get(turn, 0.0), turn) for turn in twin.running]
        heapify(ends)
        after: TurnId | None = None
        while True:
            while (running := twin.take(now)) is not None:
                yield Start(running, after)
                heappush(ends, (now + seconds(running), running.waiting.turn))
            if not ends:
                return
            now, after = heappop(ends)
            twin.ended(after, now)

    # how it decides

    def _heads(self) -> list[_Head]:
        lines = [line for line in self._lines.values() if line.waiting]
        if not lines and all(running.waiting.is_idle for running in self._running.values()):
            lines = [line for line in self._idle_lines.values() if line.waiting]
        heads = []
        for line in lines:
            waiting = line.first(self._answered)
            if waiting is not None:
                since = max(waiting.queued_at, line.free_since)
                owed = line.served + AGEING_TOKENS_PER_SECOND * since
                heads.append(_Head(line.running, owed, waiting.turn, waiting, line))
        return heads

    def _grouped(self, fair: _Head, heads: list[_Head], now: float) -> _Head:
        """Return the one to start instead of the fair one, where that saves a change of model."""
        if self.model is None or fair.waiting.model == self.model:
            return fair
        latest_end = self._due.setdefault(fair.turn, now) + self._pass_over_seconds
        same = [
            head
            for head in heads
            if head.waiting.model == self.model
            and head.running <= fair.running
            and now + head.waiting.seconds <= latest_end
        ]
        return min(same, default=fair)

    def _start(self, head: _Head, now: float) -> Running:
        waiting, line = head.waiting, head.line
        running = Running(waiting, waiting.model != self.model, now)
        self.model = waiting.model
        line.waiting.remove(waiting)
        line.served += waiting.tokens
        line.running += 1
        self._due.pop(waiting.turn, None)
        self._running[waiting.turn] = running
        if waiting.conversation is not None:
            self._answered.add(waiting.conversation)
        return running

    def _leave(self, turn: TurnId) -> tuple[Waiting, _Line]:
        waiting = self._running.pop(turn).waiting
        if waiting.conversation is not None:
            self._answered.discard(waiting.conversation)
        line = self._lines_like(waiting)[waiting.asker]
        line.running -= 1
        return waiting, line

    def _lines_like(self, waiting: Waiting) -> dict[UserId | None, _Line]:
        return self._idle_lines if waiting.is_idle else self._lines

    def _every_line(self) -> Iterator[_Line]:
        yield from self._lines.values()
        yield from self._idle_lines.values()

    def _forget_if_idle(self) -> None:
        """Nobody is owed anything once nobody wants anything; so the memory is bounded, too."""
        if not self._running and not any(line.waiting for line in self._every_line()):
            self._lines.clear()
            self._idle_lines.clear()
            self._level = 0.0

    def _twin(self) -> "Queue":
        twin = Queue(slots=self._slots, pass_over_seconds=self._pass_over_seconds)
        twin.model = self.model
        for theirs, ours in (
            (twin._lines, self._lines),
            (twin._idle_lines, self._idle_lines),
        ):
            for asker, line in ours.items():
                if line.waiting or line.running:
                    theirs[asker] = line.copy()
        twin._running = self._running.copy()
        twin._answered = self._answered.copy()
        twin._level = self._level
        twin._due = self._due.copy()
        return twin
