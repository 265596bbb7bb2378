"""How long the command line and the daemon take to start, beside a bare Python."""

import asyncio
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks import programs
from benchmarks.machine import cpu_seconds, load_average, rss_mib
from benchmarks.report import Report, Target, parser

SETTLE_SECONDS = 1.0
COUACHGPTCTL = str(Path(sys.executable).with_name("couachgptctl"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "couachgptctl --version": [COUACHGPTCTL, "--version"],
    "couachgptctl --help": [COUACHGPTCTL, "--help"],
}
BARE, *OURS = COMMANDS
STATUS = "couachgptctl status"


@dataclass(frozen=True, slots=True)
class Command:
    """One command, from its start to its end."""

    command: str
    times: int
    median_ms: float
    fastest_ms: float
    beside_bare: float
    load: float


@dataclass(frozen=True, slots=True)
class Daemon:
    """One way to run the daemon; medians."""

    engine: str
    times: int
    first_page_s: float
    ready_s: float
    cpu_s: float
    rss_idle_mib: float
    load: float


STATUS_BESIDE_MS = 150  # what `status` may take beside a bare Python, on a busy machine


def status_command(directory: Path) -> list[str]:
    return [COUACHGPTCTL, "--socket", str(directory / "control.sock"), "status"]


def seconds_of(command: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - began


def measure_commands(times: int) -> list[Command]:
    """Run each in turn, so that noise of the machine meets all of them."""
    with ExitStack() as stack:
        url = stack.enter_context(programs.fake_ollama()).url
        directory = stack.enter_context(programs.data_directory())
        stack.enter_context(programs.daemon(directory, kind="ollama", ollama_url=url))
        commands = {**COMMANDS, STATUS: status_command(directory)}
        found: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            seconds_of(command)  # from the disk, once
        for _ in range(times):
            for name, command in commands.items():
                found[name].append(seconds_of(command))
    bare = statistics.median(found[BARE])
    return [
        Command(
            command=name,
            times=times,
            median_ms=statistics.median(seconds) * 1000,
            fastest_ms=min(seconds) * 1000,
            beside_bare=statistics.median(seconds) / bare,
            load=load_average(),
        )
        for name, seconds in found.items()
    ]


def measure_daemon(engine: str, times: int) -> Daemon:
    starts: list[tuple[float, float, float, float]] = []
    with ExitStack() as stack:
        url = stack.enter_context(programs.fake_ollama()).url if engine == "ollama" else None
        directory = stack.enter_context(programs.data_directory())
        asyncio.run(programs.add_people(directory, 1))  # the migration is the first start's only
        for _ in range(times):
            with programs.daemon(directory, kind=engine, ollama_url=url) as daemon:
                cpu = cpu_seconds(daemon.pid)
                time.sleep(SETTLE_SECONDS)
                rss = rss_mib(daemon.pid)
                starts.append((daemon.first_page_seconds, daemon.ready_seconds, cpu, rss))
    first_page, ready, cpu, rss = (
        statistics.median(column) for column in zip(*starts, strict=True)
    )
    return Daemon(engine, times, first_page, ready, cpu, rss, load_average())


def run(*, commands: int, daemons: int) -> Report:
    report = Report("startup")
    rows = measure_commands(commands)
    report.rows += rows
    report.targets += [
        Target(f"{row.command} beside {BARE}", row.beside_bare, 3, "x")
        for row in rows
        if row.command in OURS
    ]
    medians = {row.command: row.median_ms for row in rows}
    beside = medians[STATUS] - medians[BARE]
    report.targets.append(Target(f"{STATUS}, more than {BARE}", beside, STATUS_BESIDE_MS, "ms"))
    for engine in ("ollama", "embedded"):
        daemon = measure_daemon(engine, daemons)
        report.rows.append(daemon)
        report.targets.append(Target(f"ready, engine {engine}", daemon.ready_s, 1, "s"))
        report.targets.append(Target(f"idle RSS, engine {engine}", daemon.rss_idle_mib, 80, "MiB"))
    return report


def main() -> None:
    chosen = parser(__doc__).parse_args()
    report = run(commands=2, daemons=1) if chosen.quick else run(commands=20, daemons=5)
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
