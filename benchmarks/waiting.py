"""What the daemon itself costs while one turn runs and twenty wait, as a share of a core.

Beside it: the daemon with as many open pages and nothing to do, and the trivial pass-through that
relays the one stream and knows of nobody who waits.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import programs
from benchmarks.machine import busy_cpu_seconds, load_average, own_cpu_seconds
from benchmarks.programs import ROOT, Program
from benchmarks.report import Report, Target, parser
from benchmarks.streams import Stream, opened_streams

MODEL = ROOT / ".cache" / "models" / "smollm2-135m-instruct-q4_1.gguf"
STORY = "Write a very long story about a dog, a cat and a bird, with many chapters."
MOST_PERCENT = 1.0
BETWEEN_SECONDS = 0.2  # two questions are not asked at the same moment


@dataclass(frozen=True, slots=True)
class Plan:
    rates: tuple[float, ...] = (5.0, 10.0, 20.0)
    waiting: int = 20
    settle_seconds: float = 5.0
    measured_seconds: float = 30.0
    idle_seconds: float = 20.0


QUICK = Plan(rates=(20.0,), waiting=3, settle_seconds=1.0, measured_seconds=1.5, idle_seconds=0.5)


@dataclass(frozen=True, slots=True)
class Row:
    """One server for a while; `core` is its own process's share, without the engine's child."""

    server: str
    engine: str
    runs: int
    waits: int
    core_percent: float
    texts_per_s: float
    news_per_s: float
    busy_elsewhere: float
    load: float


class Watched:
    """One server's process over a while, and what its people heard meanwhile."""

    def __init__(self, program: Program, heard: Counter[str]) -> None:
        self._program, self._heard = program, heard

    async def row(self, seconds: float, engine: str, *, runs: int, waits: int) -> Row:
        before = self._heard.copy()
        began, cpu, busy = time.monotonic(), own_cpu_seconds(self._program.pid), busy_cpu_seconds()
        await asyncio.sleep(seconds)
        took = time.monotonic() - began
        own = own_cpu_seconds(self._program.pid) - cpu
        heard = self._heard - before
        return Row(
            server=self._program.name,
            engine=engine,
            runs=runs,
            waits=waits,
            core_percent=100 * own / took,
            texts_per_s=heard["text"] / took,
            news_per_s=heard["turn"] / took,
            busy_elsewhere=max(0.0, busy_cpu_seconds() - busy - own) / took,
            load=load_average(),
        )


@asynccontextmanager
async def pages(program: Program, count: int) -> AsyncIterator[tuple[list[Stream], Watched]]:
    """Open so many people's pages, and listen on all of them."""
    heard: Counter[str] = Counter()
    async with opened_streams(program, count) as streams:
        listening = [asyncio.create_task(each.overhear(heard)) for each in streams]
        try:
            yield streams, Watched(program, heard)
        finally:
            for task in listening:
                task.cancel()
            await asyncio.wait(listening)


async def measure(program: Program, plan: Plan, engine: str, text: str) -> list[Row]:
    """Measure the daemon at rest, then while the first question runs and the others wait."""
    async with pages(program, plan.waiting + 1) as (streams, watched):
        await asyncio.sleep(plan.settle_seconds)
        at_rest = await watched.row(plan.idle_seconds, engine, runs=0, waits=0)
        for stream in streams:
            await stream.send(text)
            await asyncio.sleep(BETWEEN_SECONDS)
        await asyncio.sleep(plan.settle_seconds)
        seconds, waits = plan.measured_seconds, plan.waiting
        return [at_rest, await watched.row(seconds, engine, runs=1, waits=waits)]


async def measure_alone(program: Program, plan: Plan, engine: str, text: str) -> Row:
    """Measure a server while one question runs that nobody waits behind."""
    async with pages(program, 1) as ((stream,), watched):
        await stream.send(text)
        await asyncio.sleep(plan.settle_seconds)
        return await watched.row(plan.measured_seconds, engine, runs=1, waits=0)


def question(plan: Plan, rate: float) -> str:
    """Return a question whose answer outlasts the measurement."""
    return f"Bonjour [[tokens={round(rate * plan.measured_seconds * 4) + 100} rate={rate:g}]]"


def beside_fake(plan: Plan, rate: float, *, ours: bool = True) -> list[Row]:
    """Measure the daemon and the pass-through on one fake Ollama at this rate."""
    engine, text, rows = f"fake {rate:g}/s", question(plan, rate), []
    with ExitStack() as stack:
        fake = stack.enter_context(programs.fake_ollama())
        directory = stack.enter_context(programs.data_directory())
        if ours:
            people, url = plan.waiting + 1, fake.url
            daemon = stack.enter_context(
                programs.daemon(directory, kind="ollama", ollama_url=url, people=people, slots=1)
            )
            rows += asyncio.run(measure(daemon, plan, engine, text))
        other = stack.enter_context(programs.pass_through(fake.url))
        rows.append(asyncio.run(measure_alone(other, plan, engine, text)))
    return rows


def embedded(plan: Plan, model: Path) -> list[Row]:
    """Measure the daemon above its own llama.cpp, and the pass-through at the rate it came to."""
    with programs.data_directory() as directory:
        (directory / "models").mkdir()
        (directory / "models" / model.name).symlink_to(model.resolve())
        people = plan.waiting + 1
        with programs.daemon(
            directory, kind="embedded", people=people, slots=1, models_dir=directory / "models"
        ) as daemon:
            rows = asyncio.run(measure(daemon, plan, "embedded", STORY))
    return rows + beside_fake(plan, max(1, round(rows[-1].texts_per_s)), ours=False)


def run(plan: Plan, model: Path) -> Report:
    report = Report("waiting")
    for rate in plan.rates:
        report.rows += beside_fake(plan, rate)
    report.rows += embedded(plan, model)
    for row in report.rows:
        if row.runs and row.server == "couachgptd":
            name = f"1 runs, {row.waits} wait, {row.engine}"
            report.targets.append(Target(name, row.core_percent, MOST_PERCENT, "% of a core"))
    report.notes += [
        "core: the server's own process; a page is open for each who runs or waits.",
        "texts, news: messages with text and with stages, to all pages together.",
        "busy elsewhere: cores that everybody else used, the engine and the client among them.",
    ]
    return report


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--model", type=Path, default=MODEL, metavar="FILE")
    chosen = arguments.parse_args()
    run(QUICK if chosen.quick else Plan(), chosen.model).show(as_json=chosen.json)


if __name__ == "__main__":
    main()
