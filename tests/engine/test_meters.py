"""The meters say what real processes and cgroups do, cheaply, also while these come and go."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from couachgptd.engine.meters import (
    CgroupMeter,
    ProcessMeter,
    cgroup_folder,
    machine_memory,
)

MOVES_SECONDS = 0.5  # long enough for a rate: the kernel counts CPU in steps of 10 ms
COST_SECONDS = 0.002
BUSY_CORES = 0.1  # what spins gets at least, on a machine that others use too

SPIN = "while True: pass"
SLEEP = "import time; time.sleep(600)"
SPINNING_GRANDCHILD = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {SPIN!r}])
time.sleep(600)
"""
WRITE = """
import os, sys, time
while True:
    with open(sys.argv[1], "wb") as file:
        file.write(os.urandom(1 << 22))
        file.flush()
        os.fsync(file.fileno())
"""
GROW = """
import time
held = []
while True:
    held.append(b"x" * (1 << 20))
    time.sleep(0.01)
"""
COME_AND_GO = """
import subprocess
while True:
    subprocess.run(["/bin/true"])
"""

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start a program in a group of its own; the whole group ends with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def run(program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-S", "-c", program, *arguments]
        started.append(subprocess.Popen(command, start_new_session=True))
        return started[-1]

    yield run
    for process in started:
        os.killpg(process.pid, 9)
        process.wait()


def watched(meter: ProcessMeter, pid: int, seconds: float = MOVES_SECONDS) -> None:
    """Take the first sample once the program runs, and let it do its work for a while."""
    time.sleep(0.2)
    meter.sample(pid)
    time.sleep(seconds)


def test_a_process_that_spins_takes_a_core(start: Start) -> None:
    meter, process = ProcessMeter(), start(SPIN)
    watched(meter, process.pid)

    seen = meter.sample(process.pid)

    assert seen.cpu_cores is not None
    assert BUSY_CORES < seen.cpu_cores < 1.2
    assert seen.processes == 1
    assert seen.memory_bytes
    assert seen.memory_bytes > 1 << 20


def test_a_process_that_sleeps_does_nothing(start: Start) -> None:
    meter, process = ProcessMeter(), start(SLEEP)
    watched(meter, process.pid)

    seen = meter.sample(process.pid)

    assert seen.cpu_cores is not None
    assert seen.cpu_cores < 0.05
    assert seen.io_bytes_per_second == 0
    assert seen.memory_growth_bytes_per_second == 0


def test_what_a_grandchild_does_counts(start: Start) -> None:
    meter, process = ProcessMeter(), start(SPINNING_GRANDCHILD)
    watched(meter, process.pid)

    seen = meter.sample(process.pid)

    assert seen.processes == 2
    assert seen.cpu_cores is not None
    assert seen.cpu_cores > BUSY_CORES


def test_what_is_written_to_storage_counts(start: Start, tmp_path: Path) -> None:
    meter, process = ProcessMeter(), start(WRITE, str(tmp_path / "file"))
    watched(meter, process.pid)

    seen = meter.sample(process.pid)

    assert seen.io_bytes_per_second is not None
    assert seen.io_bytes_per_second > 1 << 20


def test_memory_that_grows_is_seen_to_grow(start: Start) -> None:
    meter, process = ProcessMeter(), start(GROW)
    watched(meter, process.pid)

    seen = meter.sample(process.pid)

    assert seen.memory_growth_bytes_per_second is not None
    assert seen.memory_growth_bytes_per_second > 10 << 20


def test_the_first_sample_has_levels_and_no_rates(start: Start) -> None:
    process = start(SPIN)

    seen = ProcessMeter().sample(process.pid)

    assert seen.processes == 1
    assert seen.cpu_cores is None
    assert seen.memory_growth_bytes_per_second is None


def test_no_process_is_no_error() -> None:
    meter = ProcessMeter()
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()

    for pid in (None, gone.pid):
        assert meter.sample(pid).processes is None


def test_processes_that_come_and_go_while_they_are_counted_are_no_error(start: Start) -> None:
    meter, process = ProcessMeter(), start(COME_AND_GO)
    time.sleep(0.2)
    ends = time.monotonic() + 1.0
    seen = [meter.sample(process.pid)]

    while time.monotonic() < ends:
        seen.append(meter.sample(process.pid))

    assert {each.processes for each in seen} <= {1, 2}
    assert all(each.cpu_cores >= 0 for each in seen if each.cpu_cores is not None)


def test_another_process_starts_the_count_anew(start: Start) -> None:
    # The same happens when the number is the same: a process is known by its birth, too.
    meter, first, second = ProcessMeter(), start(SPIN), start(SPIN)
    watched(meter, first.pid)

    assert meter.sample(second.pid).cpu_cores is None
    time.sleep(MOVES_SECONDS)
    again = meter.sample(second.pid).cpu_cores

    assert again is not None
    assert again < 1.2


def test_a_sample_costs_little(start: Start) -> None:
    meter, process = ProcessMeter(), start(SPINNING_GRANDCHILD)
    times = 50
    before = time.process_time()
    for _ in range(times):
        meter.sample(process.pid)

    assert (time.process_time() - before) / times < COST_SECONDS


# --- cgroups -------------------------------------------------------------------------------------

FILES = {
    "cgroup.procs": "100\n101\n",
    "cpu.stat": "usage_usec 1000000\nuser_usec 900000\nsystem_usec 100000\n",
    "io.stat": "254:0 rbytes=1000 wbytes=500 rios=1 wios=1\n8:0 rbytes=10 wbytes=0\n",
    "memory.current": "5000000\n",
    "memory.events": "low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\noom_group_kill 0\n",
    "memory.pressure": "some avg10=20.00 avg60=0.00 avg300=0.00 total=0\n"
    "full avg10=12.50 avg60=0.00 avg300=0.00 total=0\n",
    "io.pressure": "some avg10=1.00 avg60=0.00 avg300=0.00 total=0\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
}


@pytest.fixture
def cgroup(tmp_path: Path) -> Path:
    """Write a unit's cgroup as the kernel shows it."""
    (tmp_path / "cgroup.controllers").write_text("cpu io memory pids\n")
    folder = cgroup_folder("/system.slice/ollama.service", tmp_path)
    folder.mkdir(parents=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


def test_a_unit_is_metered_by_its_cgroup(cgroup: Path) -> None:
    meter = CgroupMeter()
    began = time.monotonic()
    first = meter.sample(cgroup)
    (cgroup / "cpu.stat").write_text("usage_usec 1200000\n")
    (cgroup / "io.stat").write_text("254:0 rbytes=3000 wbytes=500\n8:0 rbytes=10 wbytes=0\n")
    (cgroup / "memory.current").write_text("6000000\n")
    (cgroup / "memory.events").write_text("oom 1\noom_kill 2\n")
    time.sleep(0.1)
    second = meter.sample(cgroup)
    most = time.monotonic() - began

    assert first.cpu_cores is None
    assert (first.memory_bytes, first.processes) == (5_000_000, 2)
    assert (first.memory_pressure_percent, first.io_pressure_percent) == (12.5, 0.0)
    assert second.cpu_cores is not None
    assert 0.2 / most <= second.cpu_cores <= 0.2 / 0.1
    assert second.io_bytes_per_second is not None
    assert 2000 / most <= second.io_bytes_per_second <= 2000 / 0.1
    assert second.memory_growth_bytes_per_second is not None
    assert second.memory_growth_bytes_per_second > 0
    assert second.oom_kills == 1


def test_processes_below_a_cgroup_count(cgroup: Path) -> None:
    (cgroup / "below").mkdir()
    (cgroup / "below" / "cgroup.procs").write_text("102\n")

    assert CgroupMeter().sample(cgroup).processes == 3


def test_a_cgroup_that_lacks_a_controller_lacks_its_figures_only(cgroup: Path) -> None:
    meter = CgroupMeter()
    for name in ("io.stat", "memory.current", "memory.events", "memory.pressure"):
        (cgroup / name).unlink()
    meter.sample(cgroup)

    seen = meter.sample(cgroup)

    assert seen.cpu_cores == 0
    assert seen.io_bytes_per_second is None
    assert seen.memory_bytes is None
    assert seen.oom_kills is not None  # the machine's, which counts those of every cgroup


def test_a_cgroup_that_was_made_anew_starts_the_count_anew(cgroup: Path) -> None:
    meter = CgroupMeter()
    meter.sample(cgroup)
    before = cgroup.rename(cgroup.with_name("before"))  # kept, so that its number is not used again
    cgroup.mkdir()
    for file in before.iterdir():
        (cgroup / file.name).write_bytes(file.read_bytes())

    assert meter.sample(cgroup).cpu_cores is None


def test_a_cgroup_that_went_away_is_no_error(tmp_path: Path) -> None:
    assert CgroupMeter().sample(tmp_path / "gone").processes is None


def test_a_real_cgroup_is_metered(start: Start) -> None:
    lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    ours = next(line.removeprefix("0::") for line in lines if line.startswith("0::"))
    folder, meter = cgroup_folder(ours), CgroupMeter()
    start(SPIN)
    meter.sample(folder)
    time.sleep(MOVES_SECONDS)

    seen = meter.sample(folder)

    assert seen.cpu_cores is not None
    assert seen.cpu_cores > BUSY_CORES
    assert seen.processes is not None
    assert seen.processes >= 2


def test_beside_version_1_the_second_lies_below_unified(tmp_path: Path) -> None:
    assert cgroup_folder("/a.service", tmp_path) == tmp_path / "unified" / "a.service"


# --- the machine's memory ----------------------------------------------------------------------


def test_a_containers_limit_is_the_machines_memory(tmp_path: Path) -> None:
    whole = machine_memory(tmp_path)
    inner = tmp_path / "container" / "unit"
    inner.mkdir(parents=True)
    (tmp_path / "container" / "memory.max").write_text("1000000000\n")
    (tmp_path / "container" / "memory.current").write_text("700000000\n")
    (tmp_path / "container" / "memory.stat").write_text("anon 1\ninactive_file 100000000\n")
    (inner / "memory.max").write_text("max\n")

    seen = machine_memory(inner)

    assert seen.total_bytes == 1_000_000_000
    assert seen.available_bytes == 400_000_000
    assert whole.total_bytes > seen.total_bytes
