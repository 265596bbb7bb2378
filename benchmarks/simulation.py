"""An engine and people who do not exist, as discrete events: what a queue makes of a whole day.

The questions are drawn beforehand with a fixed seed, so that every queue sees the same ones.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from math import inf, log
from typing import Protocol

from couachgptd.core.forecast import Forecast
from couachgptd.core.ids import TurnId, UserId
from couachgptd.core.queue import Running, Waiting
from couachgptd.core.turns import Timings

ANSWER_TOKENS, ANSWER_SIGMA = 250, 1.0  # median, and spread of the logarithm
PROMPT_TOKENS, PROMPT_SIGMA = 400, 0.7
RATE_SIGMA = 0.15  # how much rates and loads differ from turn to turn
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Model:
    """What a model costs on the machine: seconds to load, tokens a second to read and to write."""

    name: str
    load_seconds: float = 15.0
    read_rate: float = 80.0
    write_rate: float = 10.0


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks at some second, and what no queue can know: the answer's length."""

    at: float
    asker: UserId
    model: Model
    prompt_tokens: int
    answer_tokens: int


class Asking:
    """Draws what people ask."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)  # noqa: S311 -- not a secret

    def question(self, at: float, asker: int, model: Model) -> Question:
        prompt = self._draw.lognormvariate(log(PROMPT_TOKENS), PROMPT_SIGMA)
        answer = self._draw.lognormvariate(log(ANSWER_TOKENS), ANSWER_SIGMA)
        return Question(at, UserId(asker), model, 20 + int(prompt), 1 + int(answer))

    def now_and_then(
        self, asker: int, model: Model, *, every: float, until: float
    ) -> Iterator[Question]:
        """Yield questions at random, `every` so many seconds on average."""
        at = self._draw.expovariate(1 / every)
        while at < until:
            yield self.question(at, asker, model)
            at += self._draw.expovariate(1 / every)

    def day(self, asker: int, model: Model) -> Iterator[Question]:
        """Yield the questions of one person's day, most of them before noon and at three."""
        for _ in range(round(self._draw.expovariate(1 / 3))):
            peak = self._draw.choice((9.75, 14.75, self._draw.uniform(8, 18)))
            at = (self._draw.gauss(peak, 1) - 7) * HOUR
            is_going_on = True
            while is_going_on:
                yield self.question(max(at, 0.0), asker, model)
                at += 30 + self._draw.expovariate(1 / 120)
                is_going_on = self._draw.random() > 1 / 4


class Line(Protocol):
    """What a simulation asks of the queue, and of its baseline."""

    def add(self, waiting: Waiting) -> None: ...
    def take(self, now: float) -> Running | None: ...
    def ended(self, turn: TurnId, now: float, tokens: float | None = None) -> None: ...


class Fifo:
    """The baseline: first come, first served; the model is changed when all slots are free."""

    def __init__(self, slots: int = 1) -> None:
        self._slots = slots
        self._waiting: list[Waiting] = []
        self._running: set[TurnId] = set()
        self._model: str | None = None

    def add(self, waiting: Waiting) -> None:
        self._waiting.append(waiting)

    def take(self, now: float) -> Running | None:
        if not self._waiting or len(self._running) >= self._slots:
            return None
        loads = self._waiting[0].model != self._model
        if loads and self._running:
            return None
        waiting = self._waiting.pop(0)
        self._model = waiting.model
        self._running.add(waiting.turn)
        return Running(waiting, loads, now)

    def ended(self, turn: TurnId, now: float, tokens: float | None = None) -> None:
        del now, tokens
        self._running.remove(turn)


@dataclass(frozen=True, slots=True)
class Service:
    """A turn on the engine."""

    running: Running
    question: Question
    timings: Timings

    @property
    def seconds(self) -> float:
        return self._until_writing + (self.timings.write_seconds or 0.0)

    @property
    def _until_writing(self) -> float:
        return (self.timings.load_seconds or 0.0) + (self.timings.read_seconds or 0.0)

    @property
    def tokens(self) -> int:
        return self.question.prompt_tokens + self.question.answer_tokens

    def written(self, now: float) -> int:
        writing = max(now - self.running.began_at - self._until_writing, 0.0)
        return int(writing / (self.timings.write_seconds or inf) * self.question.answer_tokens)


Services = Mapping[TurnId, Service]


class Simulation:
    """Plays questions through a line; forecast and line get the calls that the runner makes.

    `announce` is called after each event, with the time and what runs. Afterwards `waited` are
    the seconds from question to start; `served` the tokens that each person was served, `fair`
    those of the max-min fair share: at each moment what the engine does, divided equally among
    those who wait or are served.
    """

    def __init__(
        self,
        line: Line,
        questions: Sequence[Question],
        *,
        forecast: Forecast,
        per_person: float = inf,
        announce: Callable[[float, Services], None] = lambda *_: None,
    ) -> None:
        self.waited: dict[TurnId, float] = {}
        self.served: dict[UserId, float] = defaultdict(float)
        self.fair: dict[UserId, float] = defaultdict(float)
        self.loads = 0
        self.busy_seconds = 0.0
        self._line = line
        self._questions = questions
        self._forecast = forecast
        self._per_person = per_person
        self._announce = announce
        self._noise = random.Random(7)  # noqa: S311 -- not a secret
        self._now = 0.0
        self._services: dict[TurnId, Service] = {}
        self._backlog: dict[UserId, int] = defaultdict(int)
        self._events = [(question.at, TurnId(turn)) for turn, question in enumerate(questions)]
        self._events.sort()

    def play(self, until: float = inf) -> None:
        while self._events and self._events[0][0] <= until:
            now, turn = heappop(self._events)
            self._let_pass(now)
            if turn in self._services:
                self._end(turn)
            else:
                self._ask(turn)
            while (running := self._line.take(now)) is not None:
                self._start(running)
            self._announce(now, self._services)

    def _let_pass(self, now: float) -> None:
        given = 0.0
        for service in self._services.values():
            tokens = service.tokens * (now - self._now) / service.seconds
            self.served[service.question.asker] += tokens
            given += tokens
        backlogged = [asker for asker, turns in self._backlog.items() if turns]
        for asker in backlogged:
            self.fair[asker] += given / len(backlogged)
        self._now = now

    def _ask(self, turn: TurnId) -> None:
        question = self._questions[turn]
        if self._backlog[question.asker] > self._per_person:
            return
        self._backlog[question.asker] += 1
        expected = self._forecast.expect(question.model.name, question.prompt_tokens)
        self._line.add(
            Waiting(
                turn,
                question.asker,
                model=question.model.name,
                queued_at=self._now,
                prompt_tokens=question.prompt_tokens,
                tokens=expected.tokens,
                seconds=expected.seconds,
            )
        )

    def _start(self, running: Running) -> None:
        turn = running.waiting.turn
        question = self._questions[turn]
        model = question.model
        timings = Timings(
            prompt_tokens=question.prompt_tokens,
            answer_tokens=question.answer_tokens,
            load_seconds=self._about(model.load_seconds) if running.loads else None,
            read_seconds=self._about(question.prompt_tokens / model.read_rate),
            write_seconds=self._about(question.answer_tokens / model.write_rate),
        )
        service = self._services[turn] = Service(running, question, timings)
        self.loads += running.loads
        self.busy_seconds += service.seconds
        self.waited[turn] = self._now - question.at
        self._forecast.started(turn, self._now)
        heappush(self._events, (self._now + service.seconds, turn))

    def _about(self, seconds: float) -> float:
        return seconds * self._noise.lognormvariate(0, RATE_SIGMA)

    def _end(self, turn: TurnId) -> None:
        service = self._services.pop(turn)
        self._backlog[service.question.asker] -= 1
        model = service.question.model.name
        self._forecast.learn(model, service.timings, loads=service.running.loads)
        self._line.ended(turn, self._now, service.tokens)
