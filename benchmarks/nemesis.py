"""Random faults and load at the daemon, with several people; then what must hold is proven.

`python -m benchmarks.nemesis --minutes 3`; a violation prints its evidence and exits with 1.
"""

import argparse
import asyncio
import secrets
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import nemesis_checks as checks
from benchmarks.machine import load_average
from benchmarks.nemesis_clients import Person
from benchmarks.nemesis_faults import KINDS, Nemesis
from benchmarks.nemesis_history import History, Violation
from benchmarks.nemesis_site import (
    CONFIRM_SECONDS,
    RESTARTS_IN_WINDOW,
    RETRY_SECONDS,
    SLOTS,
    WINDOW_SECONDS,
    Unit,
    daemon_at,
    open_turns,
)
from benchmarks.programs import data_directory
from benchmarks.report import Report, parser, percentile
from tests.running_daemon import RunningDaemon

PEOPLE = 6
MINUTES = 3.0
QUICK_MINUTES = 0.3
BASELINE_SHARE = 6  # the run without faults is so many times shorter
BASELINE_SECONDS = (10.0, 120.0)
DROP_SECONDS = 9.0  # a tab loses its connection about so often
END_SECONDS = 120.0  # for every turn to end, once nobody throws anything any more
POLL_SECONDS = 0.5
SETTLE_SECONDS = 30.0
EVIDENCE_SHOWN = 60
VIOLATIONS_SHOWN = 12

RULES = checks.Rules(
    restarts_in_window=RESTARTS_IN_WINDOW,
    window_seconds=WINDOW_SECONDS,
    retry_seconds=RETRY_SECONDS,
    # The watchdog watches a silence this long before it acts; some of it is lost on the way to us.
    flowing_seconds=CONFIRM_SECONDS / 2,
)


@dataclass(frozen=True, slots=True)
class Load:
    """What people did and got. `ok` are requests that the daemon acknowledged."""

    faults: str
    minutes: float
    asked: int
    ok: int
    refused: int
    done: int
    stopped: int
    interrupted: int
    failed: int
    tokens_per_s: float
    wait_p50_s: float
    wait_p95_s: float
    wait_max_s: float
    fair_s: float
    turn_max_s: float
    ok_p95_s: float
    ok_max_s: float
    reconnected: int
    restarts: int
    load: float


@dataclass(frozen=True, slots=True)
class Thrown:
    """One kind of fault: how often, how often it hit something, and the longest silence then."""

    fault: str
    times: int
    felt: int
    silence_max_s: float


@dataclass(frozen=True, slots=True)
class Outcome:
    load: Load
    thrown: list[Thrown]
    violations: list[Violation]
    refusals: Counter[str]
    errors: Counter[str]
    log: str  # the daemon's own


def run_once(*, seed: int, people: int, seconds: float, with_faults: bool) -> Outcome:
    """Let people at a fresh daemon for a while, and judge what they saw."""
    with data_directory() as directory:
        unit = Unit(directory)
        with unit.running():
            daemon, cookies = daemon_at(directory, unit, people)
            daemon.start()
            try:
                history = History(seed, people, SLOTS)
                nemesis = Nemesis(unit, daemon, history)
                asyncio.run(_lived(nemesis, cookies, seconds, with_faults=with_faults))
                status = daemon.stop()
            finally:
                daemon.kill()
        if status:
            nemesis.violations.append(Violation("daemon", f"it ended with {status}"))
        kept = checks.read(daemon.data / "couachgpt.db")
        return _judged(nemesis, kept, with_faults=with_faults)


async def _lived(
    nemesis: Nemesis, cookies: tuple[str, ...], seconds: float, *, with_faults: bool
) -> None:
    history, daemon = nemesis.history, nemesis.daemon
    history.began = time.time()
    until = history.began + seconds
    people = [
        Person(number, daemon.address, cookie, history) for number, cookie in enumerate(cookies)
    ]
    tabs = [tab for person in people for tab in person.tabs]
    async with _going_on(*(tab.live() for tab in tabs), nemesis.watch_over()):
        drops = [tab.haunted(DROP_SECONDS) for tab in tabs] if with_faults else []
        async with _going_on(*drops), asyncio.TaskGroup() as group:
            for person in people:
                group.create_task(person.live(until))
            if with_faults:
                group.create_task(nemesis.haunt(until))
        history.calm_from = time.time()
        await nemesis.end()
        await _all_ended(daemon)
        await asyncio.gather(*(person.settle(time.time() + SETTLE_SECONDS) for person in people))
        history.ended = time.time()
        await nemesis.note_changes()
        nemesis.look_at_daemon()
    history.restarts = nemesis.unit.restarts(history.ended)


@asynccontextmanager
async def _going_on(*works: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Let these run for as long as the block."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for each in ended:
        if isinstance(each, Exception):
            raise each  # a fault of the nemesis's own: nothing that it says would mean anything


async def _all_ended(daemon: RunningDaemon) -> None:
    for _ in range(int(END_SECONDS / POLL_SECONDS)):
        if not await asyncio.to_thread(open_turns, daemon):
            return
        await asyncio.sleep(POLL_SECONDS)


def _judged(nemesis: Nemesis, kept: checks.Kept, *, with_faults: bool) -> Outcome:
    history = nemesis.history
    violations = [*nemesis.violations, *checks.check(history, kept, RULES)]
    violations += _faults_of_ours(nemesis.daemon)
    waits = [wait for turn, wait in checks.waits(history, kept) if turn.started_at is not None]
    asked = [each for each in history.requests if each.verb != "chat.stop"]
    took = [each.acknowledged_at - each.at for each in asked if each.acknowledged_at]
    states = Counter(turn.state for turn in kept.turns)
    seconds = history.calm_from - history.began
    load = Load(
        faults="all" if with_faults else "none",
        minutes=round(seconds / 60, 2),
        asked=len(asked),
        ok=sum(each.ok is not None for each in asked),
        refused=sum(each.error is not None for each in asked),
        done=states["done"],
        stopped=states["stopped"],
        interrupted=states["interrupted"],
        failed=states["failed"],
        tokens_per_s=sum(turn.tokens for turn in kept.turns) / seconds,
        wait_p50_s=percentile(waits, 50),
        wait_p95_s=percentile(waits, 95),
        wait_max_s=max(waits, default=0.0),
        fair_s=checks.fair_seconds(history, kept),
        turn_max_s=max((each for _, each in checks.taken(history, kept)), default=0.0),
        ok_p95_s=percentile(took, 95),
        ok_max_s=max(took, default=0.0),
        reconnected=history.reconnections,
        restarts=len(history.restarts),
        load=load_average(),
    )
    times = Counter(each.kind for each in history.faults)
    thrown = [
        Thrown(
            kind,
            times[kind],
            nemesis.felt.get(kind, 0),
            max(
                (history.longest_silence(each) for each in history.faults if each.kind == kind),
                default=0.0,
            ),
        )
        for kind in KINDS
        if with_faults
    ]
    refusals = Counter(each.error for each in asked if each.error is not None)
    errors = Counter(turn.error for turn in kept.turns if turn.error is not None)
    return Outcome(load, thrown, violations, refusals, errors, nemesis.daemon.log)


def _faults_of_ours(daemon: RunningDaemon) -> list[Violation]:
    """Return what the daemon's log calls an error: a fault of ours, with its traceback."""
    lines = daemon.log.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(("ERROR", "CRITICAL"))]
    return [
        Violation("daemon", f"its log: {lines[start]}", tuple(lines[start + 1 : start + 40]))
        for start in starts
    ]


def shown(violation: Violation) -> str:
    lines = [f"VIOLATION of {violation.invariant}: {violation.what}"]
    if violation.at is not None:
        lines.append(f"    at {violation.at:.3f}; around it:")
    lines += [f"    {line}" for line in violation.evidence[-EVIDENCE_SHOWN:]]
    return "\n".join(lines)


def run(*, seed: int, people: int, minutes: float) -> tuple[Report, list[Violation], str]:
    report = Report("nemesis")
    least, most = BASELINE_SECONDS
    calm_seconds = min(max(minutes * 60 / BASELINE_SHARE, least), most)
    calm = run_once(seed=seed, people=people, seconds=calm_seconds, with_faults=False)
    torn = run_once(seed=seed, people=people, seconds=minutes * 60, with_faults=True)
    report.rows += [calm.load, torn.load, *torn.thrown]
    missing = [each.fault for each in torn.thrown if not each.times]
    violations = [*calm.violations, *torn.violations]
    report.notes += [
        f"seed {seed}, {people} people; waits are those at the head of one's line, pauses left out",
        f"refused: {dict(torn.refusals)}",
        f"errors of turns: {dict(torn.errors)}",
        f"kinds that were not thrown: {', '.join(missing) or 'none'}",
        f"violations: {len(violations)}",
    ]
    return report, violations, torn.log


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    found = parser(__doc__)
    found.add_argument("--minutes", type=float, default=None, help=f"of faults (default {MINUTES})")
    found.add_argument("--seed", type=int, default=None, help="of a run that is to be made again")
    found.add_argument("--people", type=int, default=PEOPLE)
    found.add_argument(
        "--evidence", type=Path, help="where violations are written, with the daemon's log"
    )
    return found.parse_args(arguments)


def main() -> None:
    chosen = options()
    # Ended from outside, it leaves neither a daemon nor an engine behind.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    minutes = chosen.minutes or (QUICK_MINUTES if chosen.quick else MINUTES)
    seed = secrets.randbelow(10_000) if chosen.seed is None else chosen.seed
    report, violations, log = run(seed=seed, people=chosen.people, minutes=minutes)
    report.show(as_json=chosen.json)
    told = "\n\n".join(shown(each) for each in violations[:VIOLATIONS_SHOWN])
    if violations:
        print(f"\nseed {seed}\n{told}", file=sys.stderr)
        if chosen.evidence is not None:
            with suppress(OSError):
                chosen.evidence.write_text(f"{told}\n\n{log}", encoding="utf-8")
        sys.exit(1)


if __name__ == "__main__":
    main()
