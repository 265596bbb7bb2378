"""How fair the queue is and how true what it announces, on simulated days; and what it costs.

The real `core.queue` and `core.forecast`, beside first come, first served and the naive mean.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.machine import load_average
from benchmarks.report import Report, Target, parser, percentile
from benchmarks.simulation import HOUR, Asking, Fifo, Line, Model, Question, Services, Simulation
from couachgptd.core.forecast import Forecast, Wait
from couachgptd.core.ids import TurnId, UserId
from couachgptd.core.queue import Queue, Waiting

SEED = 2026
WAITING_PER_PERSON = 5  # the default of the configuration
SMALL = Model("small", load_seconds=6, read_rate=150, write_rate=20)
MIDDLE = Model("middle")
LARGE = Model("large", load_seconds=30, read_rate=40, write_rate=5)
MODELS = (SMALL, MIDDLE, LARGE)
HALVED = Model("middle", read_rate=40, write_rate=5)  # two slots share the same cores


@dataclass(frozen=True, slots=True)
class Honesty:
    """Waits announced as at most so long, and what share of them was.

    `first` is what is announced when the question is asked, `any` at any moment until it starts.
    """

    day: str
    announced_as: str
    turns: int
    waited: int
    first_true: float
    any_true: float
    announced_median_s: float
    waited_median_s: float
    load: float


@dataclass(frozen=True, slots=True)
class Fairness:
    """One way to decide, on the same questions."""

    people: str
    queue: str
    turns: int
    jain: float
    wait_p50_s: float
    wait_p95_s: float
    light_p95_s: float
    loads: int
    load: float


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor time of one call."""

    call: str
    waiting: int
    median_us: float
    p99_us: float
    load: float


class Announcements:
    """Listens to a simulation: what ours announces, and what a mean would."""

    def __init__(self, queue: Queue, forecast: Forecast) -> None:
        self._queue = queue
        self._forecast = forecast
        self.made: list[tuple[float, TurnId, Wait, int]] = []

    def __call__(self, now: float, services: Services) -> None:
        written = {turn: service.written(now) for turn, service in services.items()}
        for turn, wait in self._forecast.waits(self._queue, written, now).items():
            self.made.append((now, turn, wait, len(services)))

    def honesty(
        self, name: str, questions: Sequence[Question], played: Simulation, slots: int
    ) -> tuple[Honesty, Honesty]:
        """Return the row of the announced p90 and that of the naive mean."""
        turn_seconds = played.busy_seconds / len(played.waited)
        ours: list[tuple[float, float]] = []
        mean: list[tuple[float, float]] = []
        first: dict[TurnId, int] = {}
        for index, (now, turn, wait, running) in enumerate(self.made):
            first.setdefault(turn, index)
            waited = questions[turn].at + played.waited[turn] - now
            ours.append((waited, wait.p90_seconds))
            mean.append((waited, (wait.place + running) * turn_seconds / slots))
        rows = []
        for announced_as, pairs in (("p90", ours), ("mean x place", mean)):
            firsts = [pairs[index] for index in first.values()]
            rows.append(
                Honesty(
                    name,
                    announced_as,
                    turns=len(played.waited),
                    waited=len(firsts),
                    first_true=share_true(firsts),
                    any_true=share_true(pairs),
                    announced_median_s=statistics.median(limit for _, limit in firsts),
                    waited_median_s=statistics.median(waited for waited, _ in firsts),
                    load=load_average(),
                )
            )
        return rows[0], rows[1]


def share_true(pairs: Sequence[tuple[float, float]]) -> float:
    return sum(waited <= limit for waited, limit in pairs) / len(pairs)


def jain(shares: Sequence[float]) -> float:
    """Return Jain's fairness index: 1 where all shares are equal, 1/n where one has all (1984)."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


def in_order(questions: list[Question]) -> list[Question]:
    return sorted(questions, key=lambda question: question.at)


def day(people: int, models: Sequence[Model], seed: int = SEED) -> list[Question]:
    asking = Asking(seed)
    return in_order(
        [
            question
            for person in range(people)
            for question in asking.day(person, models[person % len(models)])
        ]
    )


def measure_honesty(
    name: str, people: int, *, models: Sequence[Model] = (MIDDLE,), slots: int = 1
) -> tuple[Honesty, Honesty]:
    """Play a day of which the forecast knows nothing when it begins."""
    questions = day(people, models)
    queue, forecast = Queue(slots=slots), Forecast()
    announcements = Announcements(queue, forecast)
    played = Simulation(
        queue,
        questions,
        forecast=forecast,
        per_person=WAITING_PER_PERSON,
        announce=announcements,
    )
    played.play()
    return announcements.honesty(name, questions, played, slots)


HEAVY = 0


def one_heavy(hours: float) -> list[Question]:
    """Person 0 has asked two hundred questions before anybody else comes."""
    asking = Asking(SEED)
    asked = [asking.question(0.0, HEAVY, MIDDLE) for _ in range(200)]
    for person in range(1, 10):
        asked += asking.now_and_then(person, MIDDLE, every=900, until=hours * HOUR)
    return asked


def equal(hours: float, models: Sequence[Model] = (MIDDLE,)) -> list[Question]:
    """Ten people ask a little more than the machine can answer."""
    asking = Asking(SEED)
    asked: list[Question] = []
    for person in range(1, 11):
        model = models[person % len(models)]
        asked += asking.now_and_then(person, model, every=500, until=hours * HOUR)
    return asked


def measure_fairness(name: str, questions: list[Question], hours: float) -> list[Fairness]:
    questions = in_order(questions)
    lines: dict[str, Line] = {"couachgptd": Queue(), "first come": Fifo()}
    rows = []
    for queue, line in lines.items():
        played = Simulation(line, questions, forecast=Forecast())
        played.play(until=hours * HOUR)
        # Who waits at the end has waited so far.
        waits = {
            turn: played.waited.get(TurnId(turn), hours * HOUR - question.at)
            for turn, question in enumerate(questions)
        }
        light = [wait for turn, wait in waits.items() if questions[turn].asker != HEAVY]
        rows.append(
            Fairness(
                name,
                queue,
                turns=len(played.waited),
                jain=jain([played.served[asker] / fair for asker, fair in played.fair.items()]),
                wait_p50_s=percentile(list(waits.values()), 50),
                wait_p95_s=percentile(list(waits.values()), 95),
                light_p95_s=percentile(light, 95),
                loads=played.loads,
                load=load_average(),
            )
        )
    return rows


def queue_of(waiting: int, people: int) -> Queue:
    """Return a queue of so many turns, with one that runs."""
    queue = Queue()
    for number in range(waiting + 1):
        model = MODELS[number % len(MODELS)].name
        turn = Waiting(
            TurnId(number), UserId(number % people), model=model, queued_at=float(number),
            prompt_tokens=400, tokens=700, seconds=40,
        )  # fmt: skip
        queue.add(turn)
    queue.take(0)
    return queue


def decide(queue: Queue) -> None:
    """Do what happens when a turn ends: settle it, and choose the next."""
    queue.ended(next(iter(queue.running)), 1.0, 650)
    queue.take(1.0)


def measure_cost(times: int) -> list[Cost]:
    forecast = Forecast()
    questions = day(10, MODELS)
    Simulation(Queue(), questions, forecast=forecast).play()
    calls: list[tuple[str, int, Callable[[Queue], object]]] = [
        ("decision", 100, decide),
        ("places", 100, lambda queue: queue.places(1.0)),
        ("forecast", 20, lambda queue: forecast.waits(queue, {TurnId(0): 50}, 1.0)),
        ("forecast", 100, lambda queue: forecast.waits(queue, {TurnId(0): 50}, 1.0)),
    ]
    rows = []
    for name, waiting, call in calls:
        taken = []
        for _ in range(times):
            queue = queue_of(waiting, people=waiting)
            began = time.thread_time()
            call(queue)
            taken.append((time.thread_time() - began) * 1e6)
        median = statistics.median(taken)
        rows.append(Cost(name, waiting, median, percentile(taken, 99), load_average()))
    return rows


def run(*, people: int, hours: float, times: int) -> Report:
    report = Report("queue")
    for measure in (
        partial(measure_honesty, "one model", people),
        partial(measure_honesty, "three models", people * 3 // 4, models=MODELS),
        partial(measure_honesty, "two slots", people, models=(HALVED,), slots=2),
    ):
        ours, naive = measure()
        report.rows += [ours, naive]
        name = f"announced p90 was true, {ours.day}"
        report.targets += [
            Target(name, ours.first_true * 100, 85, "%", is_floor=True),
            Target(name, ours.first_true * 100, 95, "%"),
        ]
    for people_are, questions in (
        ("1 heavy, 9 light", one_heavy(hours)),
        ("10 equal", equal(hours)),
        ("10 equal, 3 models", equal(hours, MODELS)),
    ):
        rows = measure_fairness(people_are, questions, hours)
        report.rows += rows
        report.targets.append(
            Target(f"Jain's index, {people_are}", rows[0].jain, 0.95, "", is_floor=True)
        )
    costs = measure_cost(times)
    report.rows += costs
    limits = {("decision", 100): 1000, ("forecast", 20): 2000}
    report.targets += [
        Target(f"{cost.call}, {cost.waiting} waiting", cost.median_us, limit, "us")
        for cost in costs
        if (limit := limits.get((cost.call, cost.waiting)))
    ]
    return report


def main() -> None:
    chosen = parser(__doc__).parse_args()
    if chosen.quick:
        report = run(people=5, hours=0.5, times=5)
    else:
        report = run(people=45, hours=8, times=200)
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
