"""How long a real llama.cpp is down when it hangs or dies below the daemon, at default settings.

Nobody touches anything between the fault and the answer. The faults are those of
`tests/faults/test_llama.py`; the baseline is the same question without one, in the same run.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from benchmarks.machine import load_average
from benchmarks.programs import ROOT
from benchmarks.report import Report, Target, parser
from tests.faults import llama, llama_scenes
from tests.faults.llama import Fault, Healing
from tests.running_daemon import RunningDaemon

MODEL = ROOT / ".cache" / "models" / "smollm2-135m-instruct-q4_1.gguf"
PERSON = llama_scenes.PEOPLE[0]
WRITING_SECONDS = 60.0
READING_SECONDS = 90.0
DEAD_SECONDS = 5.0

FAULTS = (
    llama.STOPPED_WRITING,
    llama.DECODER_FROZEN,
    llama.STOPPED_READING,
    llama.STOPPED_LOADING,
    llama.KILLED_WRITING,
    llama.KILLED_READING,
    llama.KILLED_LOADING,
    llama.DECODER_FROZEN_READING,
)
QUICK = (llama.KILLED_WRITING,)
QUICK_SETTINGS = ("chat.answer_tokens=80",)  # still longer than it takes to strike


@dataclass(frozen=True, slots=True)
class Row(Healing):
    """One fault, or none, in seconds since it; `whole` of the undisturbed since the question."""

    load: float = 0.0


@contextmanager
def site(model: Path, *settings: str) -> Iterator[RunningDaemon]:
    """Start a daemon without a past: an earlier fault would make it more careful."""
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=ROOT / ".cache") as folder:
        daemon = RunningDaemon(
            Path(folder), llama.NO_OLLAMA, *llama.settings(model.parent, model.stem, *settings)
        ).start()
        try:
            for login in llama_scenes.PEOPLE:
                daemon.add_user(login)
            yield daemon
        finally:
            daemon.kill()


def measured(model: Path, fault: Fault | None, *settings: str) -> Row:
    with site(model, *settings) as daemon:
        if fault is None:
            found = asyncio.run(llama.undisturbed(daemon, PERSON))
        else:
            found = asyncio.run(llama.disturbed(daemon, PERSON, model, fault))
    return row_of(found)


def row_of(found: Healing) -> Row:
    figures = {each.name: getattr(found, each.name) for each in fields(found)}
    return Row(**figures, load=load_average())


def scenes(model: Path) -> Iterator[Row]:
    """Measure what is no fault of a process: a cut file, a taken port, a crowd, a stop."""
    with tempfile.TemporaryDirectory(prefix="benchmark-", dir=ROOT / ".cache") as folder:
        bad = llama.truncated(model, Path(folder) / model.name)
        with site(bad, *llama_scenes.BAD_FILE_SETTINGS) as daemon:
            yield row_of(asyncio.run(llama_scenes.bad_file(daemon, bad, model)).healing)
    for settings, scene in llama_scenes.SCENES:
        with site(model, *settings) as daemon:
            yield row_of(asyncio.run(scene(daemon)).healing)


def targets(row: Row, fault: Fault) -> Iterator[Target]:
    yield Target(f"{fault.name}: whole answers", row.state == "done", 1, "of 1", is_floor=True)
    missing = float("inf")
    if fault.strike is llama.killed:
        after = missing if row.reading_after_s is None else row.reading_after_s
        limit = DEAD_SECONDS + (row.load_s or 0.0)
        yield Target(f"{fault.name}: at work again", after, round(limit, 1), "s, with its load")
    else:
        after = missing if row.detected_after_s is None else row.detected_after_s
        limit = WRITING_SECONDS if fault.during == "write" else READING_SECONDS
        yield Target(f"{fault.name}: recognised", after, limit, "s")


def run(model: Path, faults: tuple[Fault, ...], *settings: str, with_scenes: bool) -> Report:
    report = Report("healing")
    report.rows.append(measured(model, None, *settings))
    for fault in faults:
        print(f"{fault.name} ...", file=sys.stderr)
        row = measured(model, fault, *settings)
        report.rows.append(row)
        report.targets += targets(row, fault)
    if with_scenes:
        print("a cut file, a taken port, a crowd, a stop ...", file=sys.stderr)
        report.rows += scenes(model)
    report.notes += [
        "detected: the watchdog's verdict (hung or dead), by its own table of incidents.",
        "reading, answering: the next attempt reads the prompt, and shows its first text.",
        "saw: what changed on the page, with the seconds since the fault.",
        "corrupt model: detected since the question, answering since its file was replaced.",
        "cancelled while reading: detected when the page said so, reading when the next was given.",
    ]
    return report


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--model", type=Path, default=MODEL, metavar="FILE")
    chosen = arguments.parse_args()
    model = chosen.model.absolute()
    if chosen.quick:
        report = run(model, QUICK, *QUICK_SETTINGS, with_scenes=False)
    else:
        report = run(model, FAULTS, with_scenes=True)
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
