"""What the daemon adds to a stream of tokens, beside a trivial aiohttp pass-through.

Both relay the same fake Ollama, in turn (A B A B), so that noise of the machine meets both.
"""

import asyncio
import gc
import os
import statistics
from contextlib import ExitStack
from dataclasses import dataclass, replace

from benchmarks import programs
from benchmarks.machine import Others, cpu_seconds, load_average, peak_rss_mib, rss_mib
from benchmarks.programs import Program
from benchmarks.report import Report, Target, parser, percentile
from benchmarks.streams import Answer, ask_all, ask_in_turn, opened_streams

SPREAD_SECONDS = 1.0
SETTLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is asked; `tokens` are those of one answer."""

    streams: tuple[int, ...] = (1, 10, 50, 200)
    repeats: int = 2
    first_tokens: int = 60
    slow_rate: float = 20.0
    slow_tokens: int = 200
    fast_tokens: int = 400


QUICK = Plan(
    streams=(1, 4), repeats=1, first_tokens=4, slow_rate=100, slow_tokens=20, fast_tokens=50
)


@dataclass(frozen=True, slots=True)
class FirstToken:
    """From sending the question to the first `text`, one question at a time; milliseconds."""

    server: str
    questions: int
    first_p50_ms: float
    first_p99_ms: float
    cpu_ms_a_question: float
    busy_elsewhere: float
    load: float


@dataclass(frozen=True, slots=True)
class Relayed:
    """Some streams at once; the CPU is the server's, with all it takes to start and keep them."""

    server: str
    rate: str
    streams: int
    first_p50_ms: float
    first_p99_ms: float
    token_p50_ms: float
    token_p99_ms: float
    tokens_per_s: float
    cpu_s_per_1000: float
    rss_mib: float
    errors: int
    busy_elsewhere: float
    load: float


@dataclass(frozen=True, slots=True)
class Held:
    """What a server holds and how long it takes to start."""

    server: str
    first_page_s: float | None
    ready_s: float | None
    rss_idle_mib: float
    rss_peak_mib: float
    rss_after_mib: float


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers that are compared, ours first, and the engine behind both."""

    servers: tuple[Program, Program]
    fake: Program

    def others(self, server: Program) -> Others:
        return Others(server.pid, self.fake.pid, os.getpid())


async def measure_first(bench: Bench, plan: Plan) -> list[FirstToken]:
    rows: dict[str, list[FirstToken]] = {server.name: [] for server in bench.servers}
    answers: dict[str, list[Answer]] = {server.name: [] for server in bench.servers}
    for _ in range(plan.repeats * 2):
        for server in bench.servers:
            async with opened_streams(server, 1) as (stream,):
                await ask_in_turn(stream, 2)
                others = bench.others(server)
                began = cpu_seconds(server.pid)
                found = await ask_in_turn(stream, plan.first_tokens)
                cpu = cpu_seconds(server.pid) - began
            answers[server.name] += found
            row = FirstToken(
                server=server.name,
                questions=len(found),
                first_p50_ms=0,
                first_p99_ms=0,
                cpu_ms_a_question=cpu * 1000 / len(found),
                busy_elsewhere=others.cores(),
                load=load_average(),
            )
            rows[server.name].append(row)
    return [_first(rows[name], answers[name]) for name in rows]


def _first(rows: list[FirstToken], answers: list[Answer]) -> FirstToken:
    firsts = [answer.first * 1000 for answer in answers]
    return replace(
        rows[-1],
        questions=len(firsts),
        first_p50_ms=percentile(firsts, 50),
        first_p99_ms=percentile(firsts, 99),
        cpu_ms_a_question=statistics.median(row.cpu_ms_a_question for row in rows),
        busy_elsewhere=statistics.fmean(row.busy_elsewhere for row in rows),
    )


async def measure_relayed(
    bench: Bench, *, streams: int, tokens: int, rate: float, repeats: int
) -> list[Relayed]:
    rows: dict[str, list[Relayed]] = {server.name: [] for server in bench.servers}
    answers: dict[str, list[Answer]] = {server.name: [] for server in bench.servers}
    for _ in range(repeats):
        for server in bench.servers:
            gc.collect()
            async with opened_streams(server, streams) as opened:
                await asyncio.sleep(SETTLE_SECONDS / 4)
                others = bench.others(server)
                began, cpu_began = asyncio.get_running_loop().time(), cpu_seconds(server.pid)
                found = await ask_all(
                    opened, tokens=tokens, rate=rate, over_seconds=SPREAD_SECONDS if rate else 0
                )
                seconds = asyncio.get_running_loop().time() - began
                cpu = cpu_seconds(server.pid) - cpu_began
                count = sum(len(answer.latencies) for answer in found)
                row = Relayed(
                    server=server.name,
                    rate=f"{rate:g}/s" if rate else "full",
                    streams=streams,
                    first_p50_ms=0,
                    first_p99_ms=0,
                    token_p50_ms=0,
                    token_p99_ms=0,
                    tokens_per_s=count / seconds,
                    cpu_s_per_1000=cpu * 1000 / max(count, 1),
                    rss_mib=rss_mib(server.pid),
                    errors=0,
                    busy_elsewhere=others.cores(),
                    load=load_average(),
                )
            rows[server.name].append(row)
            answers[server.name] += found
    return [_relayed(rows[name], answers[name]) for name in rows]


def _relayed(rows: list[Relayed], answers: list[Answer]) -> Relayed:
    firsts = [answer.first * 1000 for answer in answers if answer.latencies]
    latencies = [latency * 1000 for answer in answers for latency in answer.latencies]
    return replace(
        rows[-1],
        first_p50_ms=percentile(firsts, 50),
        first_p99_ms=percentile(firsts, 99),
        token_p50_ms=percentile(latencies, 50),
        token_p99_ms=percentile(latencies, 99),
        tokens_per_s=statistics.median(row.tokens_per_s for row in rows),
        cpu_s_per_1000=statistics.median(row.cpu_s_per_1000 for row in rows),
        rss_mib=max(row.rss_mib for row in rows),
        errors=sum(answer.error is not None for answer in answers),
        busy_elsewhere=statistics.fmean(row.busy_elsewhere for row in rows),
    )


async def measure(bench: Bench, plan: Plan, report: Report) -> None:
    await asyncio.sleep(SETTLE_SECONDS)
    idle = {server.name: rss_mib(server.pid) for server in bench.servers}
    firsts = await measure_first(bench, plan)
    report.rows += firsts
    relayed: list[Relayed] = []
    for tokens, rate in ((plan.slow_tokens, plan.slow_rate), (plan.fast_tokens, 0.0)):
        for streams in plan.streams:
            relayed += await measure_relayed(
                bench, streams=streams, tokens=tokens, rate=rate, repeats=plan.repeats
            )
    report.rows += relayed
    await asyncio.sleep(SETTLE_SECONDS)
    for server in bench.servers:
        report.rows.append(
            Held(
                server=server.name,
                first_page_s=server.first_page_seconds or None,
                ready_s=server.ready_seconds or None,
                rss_idle_mib=idle[server.name],
                rss_peak_mib=peak_rss_mib(server.pid),
                rss_after_mib=rss_mib(server.pid),
            )
        )
    report.targets += _targets(bench, firsts, relayed, idle)


def _targets(
    bench: Bench, firsts: list[FirstToken], relayed: list[Relayed], idle: dict[str, float]
) -> list[Target]:
    ours, baseline = bench.servers
    found: list[Target] = []
    slow = [row for row in relayed if row.rate != "full"]
    for mine, other in zip(slow[::2], slow[1::2], strict=True):
        ratio = mine.cpu_s_per_1000 / other.cpu_s_per_1000
        name = f"CPU per 1,000 tokens beside the pass-through, {mine.streams} at {mine.rate}"
        found.append(Target(name, ratio, 2, "x"))
    added = firsts[0].first_p50_ms - firsts[1].first_p50_ms
    found.append(Target("added time to first token, p50, commit included", added, 5, "ms"))
    most = [row for row in slow if row.server == ours.name][-1]
    name = f"{most.streams} streams at {most.rate}"
    found.append(Target(f"{name}: errors", most.errors, 0, "streams"))
    found.append(Target(f"{name}: token latency, p99", most.token_p99_ms, 50, "ms"))
    found.append(Target("idle RSS", idle[ours.name], 80, "MiB"))
    found.append(Target("ready", ours.ready_seconds, 1, "s"))
    errors = sum(row.errors for row in relayed if row.server == ours.name)
    found.append(Target("errors of any stream", errors, 0, "streams"))
    others = sum(row.errors for row in relayed if row.server == baseline.name)
    found.append(Target("errors of the pass-through", others, 0, "streams"))
    return found


def run(plan: Plan) -> Report:
    report = Report("relay")
    with ExitStack() as stack:
        directory = stack.enter_context(programs.data_directory())
        fake = stack.enter_context(programs.fake_ollama())
        baseline = stack.enter_context(programs.pass_through(fake.url))
        ours = stack.enter_context(
            programs.daemon(directory, kind="ollama", ollama_url=fake.url, people=max(plan.streams))
        )
        asyncio.run(measure(Bench((ours, baseline), fake), plan, report))
    report.notes += [
        "busy elsewhere: cores that neither the server, the fake nor the client used meanwhile.",
        "first: each stream asks once, spread over 1 s at a rate, all at once at full speed.",
    ]
    return report


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--streams", type=int, nargs="+", help="how many at once")
    chosen = arguments.parse_args()
    plan = QUICK if chosen.quick else Plan()
    if chosen.streams:
        plan = replace(plan, streams=tuple(chosen.streams))
    run(plan).show(as_json=chosen.json)


if __name__ == "__main__":
    main()
