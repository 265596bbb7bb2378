"""What the engine's processes use: by their cgroup where they have one, else by their tree.

A sample reads a few files below /proc or /sys and computes rates from the sample before. It may
block on a busy kernel, so the event loop asks for it in a thread.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from couachgptd.core.vitals import Meters

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")
MICROSECONDS = 1e6

Identity = tuple[int, float]  # a pid is used again; with the moment of its birth it is not


@dataclass(frozen=True, slots=True)
class Totals:
    """Counters at one moment; None where they cannot be read."""

    at: float
    identity: object  # another one: the counters began anew
    cpu_seconds: float | None = None
    io_bytes: int | None = None
    memory_bytes: int | None = None
    processes: int | None = None
    oom_kills: int | None = None
    memory_pressure: float | None = None
    io_pressure: float | None = None


def meters_between(before: Totals | None, now: Totals) -> Meters:
    """Return the rates between two moments; only levels where there is none to compare with."""
    cpu = io = growth = kills = None
    if before is not None and before.identity == now.identity and now.at > before.at:
        seconds = now.at - before.at
        cpu = _rate(before.cpu_seconds, now.cpu_seconds, seconds)
        io = _rate(before.io_bytes, now.io_bytes, seconds)
        if before.memory_bytes is not None and now.memory_bytes is not None:
            growth = (now.memory_bytes - before.memory_bytes) / seconds
        if before.oom_kills is not None and now.oom_kills is not None:
            kills = max(0, now.oom_kills - before.oom_kills)
    return Meters(
        cpu_cores=cpu,
        io_bytes_per_second=io,
        memory_bytes=now.memory_bytes,
        memory_growth_bytes_per_second=growth,
        processes=now.processes,
        oom_kills=kills,
        memory_pressure_percent=now.memory_pressure,
        io_pressure_percent=now.io_pressure,
    )


def _rate(before: float | None, now: float | None, seconds: float) -> float | None:
    return None if before is None or now is None else max(0.0, now - before) / seconds


# --- by the tree of processes -------------------------------------------------------------------


class ProcessMeter:
    """Meters a process and all its descendants.

    A process that ends takes its counters with it: what it used since the sample before is lost,
    and what it used earlier is not counted as negative.
    """

    def __init__(self) -> None:
        self._before: Totals | None = None
        self._cpu: dict[Identity, float] = {}
        self._io: dict[Identity, int] = {}
        self._cpu_seconds = 0.0
        self._io_bytes = 0

    def sample(self, pid: int | None) -> Meters:
        """Return what the tree below `pid` uses; nothing at all where there is no process."""
        now = self._totals(pid)
        before, self._before = self._before, now
        return Meters() if now is None else meters_between(before, now)

    def _totals(self, pid: int | None) -> Totals | None:
        members = [found for each in tree(pid) if (found := _identified(each))] if pid else []
        if not members:
            return None
        cpu: dict[Identity, float] = {}
        io: dict[Identity, int] = {}
        memory = 0
        for identity, process in members:
            with suppress(psutil.Error), process.oneshot():
                times = process.cpu_times()
                cpu[identity] = times.user + times.system
                memory += process.memory_info().rss
            # Of another user's process the kernel tells the rest, but not this.
            with suppress(psutil.Error):
                counters = process.io_counters()
                io[identity] = counters.read_bytes + counters.write_bytes
        if not cpu:
            return None
        self._cpu_seconds += sum(now - self._cpu.get(each, 0.0) for each, now in cpu.items())
        self._io_bytes += sum(now - self._io.get(each, 0) for each, now in io.items())
        self._cpu, self._io = cpu, io
        return Totals(
            at=time.monotonic(),
            identity=members[0][0],
            cpu_seconds=self._cpu_seconds,
            io_bytes=self._io_bytes if len(io) == len(cpu) else None,
            memory_bytes=memory,
            processes=len(cpu),
            oom_kills=_machine_oom_kills(),
            memory_pressure=_pressure(PROC / "pressure" / "memory"),
            io_pressure=_pressure(PROC / "pressure" / "io"),
        )


def tree(pid: int) -> Iterator[int]:
    """Yield a process and its descendants, as far as they are there.

    The kernel lists each thread's children (CONFIG_PROC_CHILDREN, which every distribution sets):
    some 0.1 ms for ten threads, where psutil walks all processes of the machine, 15 µs for each.
    """
    yield pid
    with suppress(OSError):
        for thread in (PROC / str(pid) / "task").iterdir():
            with suppress(OSError):
                for child in (thread / "children").read_bytes().split():
                    yield from tree(int(child))


def _identified(pid: int) -> tuple[Identity, psutil.Process] | None:
    try:
        process = psutil.Process(pid)
        # One that has ended and is not yet buried uses nothing, and would look like a collapse.
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            return (pid, process.create_time()), process
    except psutil.Error:
        return None


# --- by the cgroup --------------------------------------------------------------------------------


class CgroupMeter:
    """Meters a cgroup (version 2): it counts descendants, also those that ended, of any user."""

    def __init__(self) -> None:
        self._before: Totals | None = None

    def sample(self, cgroup: Path) -> Meters:
        now = self._totals(cgroup)
        before, self._before = self._before, now
        return Meters() if now is None else meters_between(before, now)

    def _totals(self, cgroup: Path) -> Totals | None:
        try:
            identity = cgroup, cgroup.stat().st_ino  # made anew at each start of a unit
        except OSError:
            return None
        cpu = _number(cgroup / "cpu.stat", "usage_usec")
        return Totals(
            at=time.monotonic(),
            identity=identity,
            cpu_seconds=None if cpu is None else cpu / MICROSECONDS,
            io_bytes=_io_bytes(cgroup / "io.stat"),
            memory_bytes=_level(cgroup / "memory.current"),
            processes=_processes(cgroup),
            oom_kills=_oom_kills(cgroup),
            memory_pressure=_pressure(cgroup / "memory.pressure"),
            io_pressure=_pressure(cgroup / "io.pressure"),
        )


def cgroup_folder(control_group: str, root: Path = CGROUPS) -> Path:
    """Return the folder of a unit's ControlGroup (`/system.slice/ollama.service`).

    Where version 1 is mounted too, version 2 lies beside it and counts less: each figure that it
    lacks is None.
    """
    unified = root if (root / "cgroup.controllers").exists() else root / "unified"
    return unified / control_group.lstrip("/")


def _processes(cgroup: Path) -> int | None:
    """Count the processes of a cgroup and of those below it."""
    count = None
    for folder, _, files in os.walk(cgroup):
        if "cgroup.procs" in files and (text := _text(Path(folder, "cgroup.procs"))) is not None:
            count = (count or 0) + len(text.split())
    return count


def _oom_kills(cgroup: Path) -> int | None:
    """Return its own kills; the machine's where version 1 has the memory, and so counts them."""
    own = _number(cgroup / "memory.events", "oom_kill")
    return _machine_oom_kills() if own is None else own


def _machine_oom_kills() -> int | None:
    return _number(PROC / "vmstat", "oom_kill")


def _io_bytes(path: Path) -> int | None:
    """Add up what was read and written, over all devices; an empty file is nothing yet."""
    text = _text(path)
    if text is None:
        return None
    fields = (field.partition("=") for field in text.split())
    return sum(int(value) for name, _, value in fields if name in {"rbytes", "wbytes"})


# --- small files of the kernel -------------------------------------------------------------------


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return None


def _number(path: Path, name: str) -> int | None:
    """Return a value from lines of `name value`."""
    lines = (_text(path) or "").splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), None)


def _level(path: Path) -> int | None:
    text = (_text(path) or "").strip()
    return int(text) if text.isdecimal() else None  # "max" stands for no limit


def _pressure(path: Path) -> float | None:
    """Return PSI's `full avg10`: the percentage of 10 s in which all work waited."""
    for line in (_text(path) or "").splitlines():
        if line.startswith("full "):
            return float(dict(_pairs(line))["avg10"])
    return None


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    for word in line.split()[1:]:
        name, _, value = word.partition("=")
        yield name, value


# --- the machine's memory ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Memory:
    """`total_bytes` is the machine's, or what a container leaves of it."""

    total_bytes: int
    available_bytes: int


def machine_memory(own_cgroup: Path | None = None) -> Memory:
    """Return what our children may have: the machine's memory within our own cgroup's limits."""
    seen = psutil.virtual_memory()
    total, available = seen.total, seen.available
    folder = own_cgroup or _own_cgroup()
    while folder != folder.parent:
        limit = _level(folder / "memory.max")
        if limit is not None:
            # The page cache counts as used, and is given back when it is asked for.
            cached = _number(folder / "memory.stat", "inactive_file") or 0
            used = max(0, (_level(folder / "memory.current") or 0) - cached)
            total, available = min(total, limit), min(available, max(0, limit - used))
        folder = folder.parent
    return Memory(total, available)


def _own_cgroup() -> Path:
    for line in (_text(PROC / "self" / "cgroup") or "").splitlines():
        if line.startswith("0::"):
            return cgroup_folder(line.removeprefix("0::"))
    return CGROUPS
