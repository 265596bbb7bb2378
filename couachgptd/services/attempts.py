"""The attempts under way and what became of them: what the watchdog judges the engine by."""

import asyncio
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from couachgptd.core.errors import CouachError, EngineKilled
from couachgptd.core.ids import TurnId
from couachgptd.core.models import ChatRequest, Finished
from couachgptd.core.queue import Running
from couachgptd.core.snapshots import Answer, Attempt, Failure, Phase
from couachgptd.services.ends import End
from couachgptd.services.live import LiveTurn


@dataclass(slots=True, kw_only=True)
class Call:
    """One call to the engine, as it goes on; times are those of the event loop's clock.

    At DRAIN it has ended for people; it is `released` once the engine has let go of it, too.
    """

    id: int
    model: str
    opened_at: float
    phase: Phase
    phase_from: float
    turn: TurnId | None = None
    prompt_tokens: int = 0
    read_tokens: int = 0
    max_tokens: int = 0
    tokens: int = 0
    progress_at: float | None = None
    released: asyncio.Event = field(default_factory=asyncio.Event)

    def enter(self, phase: Phase, now: float) -> None:
        if phase is not self.phase:
            self.phase, self.phase_from, self.progress_at = phase, now, None

    def read(self, tokens: int, total_tokens: int, now: float) -> None:
        self.enter(Phase.READ, now)
        if tokens > self.read_tokens:
            self.progress_at = now
        self.read_tokens = tokens
        self.prompt_tokens = total_tokens or self.prompt_tokens

    def wrote(self, tokens: int, now: float) -> None:
        self.enter(Phase.WRITE, now)
        self.progress_at = now
        self.tokens += tokens

    def facts(self, model_bytes: int | None) -> Attempt:
        return Attempt(
            id=self.id,
            turn=self.turn,
            model=self.model,
            phase=self.phase,
            phase_from=self.phase_from,
            opened_at=self.opened_at,
            progress_at=self.progress_at,
            tokens=self.tokens,
            max_tokens=self.max_tokens,
            prompt_tokens=self.prompt_tokens,
            read_tokens=self.read_tokens,
            model_bytes=model_bytes,
        )


@dataclass(slots=True, kw_only=True)
class Trying(Call):
    """The call of a turn.

    `has_begun` from its task's first step on: a task that is cancelled before that never runs its
    `finally`, and the slot would be lost.
    """

    live: LiveTurn
    running: Running
    slot: int
    has_begun: bool = False
    cut: End | None = None
    task: asyncio.Task[None] | None = None

    def cancel(self, cut: End) -> None:
        """Cancel the call for an end of ours, but not the keeping of one that came by itself.

        The first such end counts, but one for good outweighs one that is to be tried again.
        """
        before = self.cut
        if before is None or before.is_tried_again:
            self.cut = cut
        is_open = self.has_begun and self.phase is not Phase.DRAIN
        if self.task is not None and is_open and before is None:
            self.task.cancel()


@dataclass(frozen=True, slots=True)
class News:
    """What ended since it was last asked for."""

    failures: tuple[Failure, ...]
    answers: tuple[Answer, ...]


class Attempts:
    """Those that are open or drain, and the news of those that ended.

    A call *aside* is our own, for no turn: the watchdog sees it as any other, nobody else does, and
    nothing is learned of it.
    """

    def __init__(self) -> None:
        self._open: dict[int, Trying] = {}
        self._aside: dict[int, Call] = {}
        self._failures: list[Failure] = []
        self._answers: list[Answer] = []
        self._number = 0
        self._ended_tokens = 0

    def __iter__(self) -> Iterator[Trying]:
        return iter(list(self._open.values()))

    @property
    def are_open(self) -> bool:
        """Say whether the engine may still be at any of them."""
        return bool(self._open) or not all(each.released.is_set() for each in self._aside.values())

    def begin(self, live: LiveTurn, running: Running, slot: int, now: float) -> Trying:
        self._number += 1
        trying = Trying(
            id=self._number,
            model=running.waiting.model,
            turn=live.turn.id,
            opened_at=now,
            phase=Phase.LOAD if running.loads else Phase.READ,
            phase_from=now,
            prompt_tokens=running.waiting.prompt_tokens,
            live=live,
            running=running,
            slot=slot,
        )
        self._open[trying.id] = trying
        return trying

    @contextmanager
    def aside(self, request: ChatRequest, clock: Callable[[], float]) -> Generator[Call]:
        """Show a call of our own to the watchdog; one that was cut drains until it is released."""
        self._number += 1
        now = clock()
        call = Call(
            id=self._number,
            model=request.model,
            opened_at=now,
            phase=Phase.READ,
            phase_from=now,
            max_tokens=request.max_tokens,
        )
        self._aside = {call.id: call}  # there is one at a time
        try:
            yield call
        except BaseException:
            call.enter(Phase.DRAIN, clock())
            raise
        call.released.set()

    def are_aside(self, attempts: Iterable[int]) -> bool:
        return any(each in self._aside for each in attempts)

    def release(self, attempts: Iterable[int]) -> None:
        known = self._open | self._aside
        for each in attempts:
            if each in known:
                known[each].released.set()

    def of(self, live: LiveTurn) -> Trying | None:
        return next((each for each in self._open.values() if each.live is live), None)

    def answered(self, trying: Trying, finished: Finished) -> None:
        answer = Answer(trying.live.turn.id, trying.model, finished.timings)
        self._answers.append(answer)

    def failed(self, trying: Trying, error: CouachError) -> None:
        failure = Failure(
            attempt=trying.id,
            turn=trying.live.turn.id,
            model=trying.model,
            phase=trying.phase,
            code=error.code,
            has_died=isinstance(error, EngineKilled),
        )
        self._failures.append(failure)

    def closed(self, trying: Trying) -> None:
        if self._open.pop(trying.id, None) is not None:
            self._ended_tokens += trying.tokens

    @property
    def tokens(self) -> int:
        """Return how many were written since the start, by all."""
        return self._ended_tokens + sum(each.tokens for each in self._open.values())

    def facts(self, size_of: Callable[[str], int | None]) -> tuple[Attempt, ...]:
        """Return those that the engine may still be at; `size_of` tells how large a model is."""
        return tuple(
            each.facts(size_of(each.model))
            for each in (*self._aside.values(), *self._open.values())
            if not each.released.is_set()
        )

    def news(self) -> News:
        found = News(tuple(self._failures), tuple(self._answers))
        self._failures.clear()
        self._answers.clear()
        return found
