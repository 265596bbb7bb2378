"""What a figure must be read beside: the machine, its load, and who used its processors."""

import os
import platform
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Machine:
    """The hardware and software a run was made on, and when."""

    date: str
    processor: str
    cores: int
    memory_gib: float
    python: str


def machine() -> Machine:
    cpuinfo = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    names = [line for line in cpuinfo.splitlines() if line.startswith("model name")]
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")

    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor=names[0].partition(":")[2].strip() if names else os.uname().machine,
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(memory / 2**30, 1),
        python=platform.python_version(),
    )


def load_average() -> float:
    return os.getloadavg()[0]


def own_cpu_seconds(pid: int) -> float:
    """Return the CPU a process itself has used, without its children.

    The process's own clock counts nanoseconds where /proc/PID/stat counts hundredths.
    """
    return time.clock_gettime(~pid << 3 | 2)  # what clock_getcpuclockid(3) makes of a pid


def cpu_seconds(pid: int) -> float:
    """Return the CPU a process has used, with its children, ended ones too."""
    fields = _stat(pid)
    ended = (int(fields[13]) + int(fields[14])) / TICKS
    return own_cpu_seconds(pid) + ended + sum(cpu_seconds(child) for child in _children(pid))


def rss_mib(pid: int) -> float:
    """Return the memory a process holds now, with its children."""
    own = _status_mib(pid, "VmRSS")
    return own + sum(rss_mib(child) for child in _children(pid))


def peak_rss_mib(pid: int) -> float:
    """Return the most memory the process itself has held since it started."""
    return _status_mib(pid, "VmHWM")


def busy_cpu_seconds() -> float:
    """Return the CPU that everybody on this machine has used since it started."""
    line = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0]
    user, nice, system, _idle, _wait, irq, softirq, steal, *_ = map(int, line.split()[1:])
    return (user + nice + system + irq + softirq + steal) / TICKS


class Others:
    """Measures the cores that processes other than the given ones kept busy meanwhile."""

    def __init__(self, *ours: int) -> None:
        self._ours = ours
        self._began = self._now()

    def _now(self) -> tuple[float, float]:
        ours = sum(cpu_seconds(pid) for pid in self._ours)
        return time.monotonic(), busy_cpu_seconds() - ours

    def cores(self) -> float:
        now, busy = self._now()
        began, busy_before = self._began
        return max(0.0, (busy - busy_before) / max(now - began, 1e-6))


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, path.read_text(encoding="ascii").split())
    return found


def _status_mib(pid: int, name: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0
