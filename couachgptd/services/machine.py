"""The machine at a glance, from /proc: what psutil would say, for a thousandth of its import."""

import os
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
KIB = 1024


@dataclass(frozen=True, slots=True)
class Machine:
    """`load` is how many tasks ran or wanted to, on average of the last minute."""

    cores: int
    load: float
    memory_total_bytes: int
    memory_available_bytes: int
    disk_total_bytes: int
    disk_free_bytes: int


def machine(directory: Path) -> Machine:
    """Look once, without waiting for anything; the disk is the one that holds `directory`."""
    lines = (PROC / "meminfo").read_text(encoding="ascii").splitlines()
    memory = {name: text.split()[0] for name, _, text in (line.partition(":") for line in lines)}
    disk = os.statvfs(directory)
    return Machine(
        cores=os.cpu_count() or 1,
        load=round(os.getloadavg()[0], 2),
        memory_total_bytes=int(memory["MemTotal"]) * KIB,
        memory_available_bytes=int(memory["MemAvailable"]) * KIB,
        disk_total_bytes=disk.f_blocks * disk.f_frsize,
        disk_free_bytes=disk.f_bavail * disk.f_frsize,
    )


def boot() -> str | None:
    """Return what names this boot of the machine; None where the kernel does not say."""
    try:
        return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None


def resident_bytes() -> int:
    """Return our own resident memory."""
    pages = int((PROC / "self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
