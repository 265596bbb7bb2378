"""What the whole machine uses, whoever uses it; its figures are since the look before."""

import os
import time
from pathlib import Path

import psutil

from couachgptd.core.vitals import MachineUse
from couachgptd.engine.meters import machine_memory


class MachineMeter:
    def __init__(self) -> None:
        self._at, self._idle = time.monotonic(), _idle_seconds()
        self._cores = psutil.cpu_count() or 1

    def sample(self) -> MachineUse:
        """Read a few files of the kernel: from a thread, for a busy one may take its time."""
        now, idle = time.monotonic(), _idle_seconds()
        seconds, rested = now - self._at, idle - self._idle
        self._at, self._idle = now, idle
        busy = self._cores - rested / seconds if seconds > 0 else 0.0
        memory = machine_memory()
        return MachineUse(
            cpu_cores=min(max(0.0, busy), float(self._cores)),
            memory_bytes=memory.total_bytes - memory.available_bytes,
        )


def _idle_seconds() -> float:
    """Return how long all cores together have done nothing, waiting for a disk included."""
    times = psutil.cpu_times()
    return float(times.idle + getattr(times, "iowait", 0.0))


def disk_free_bytes(folder: Path) -> int | None:
    """Return what is free on the disk of a folder, None where there is no such folder.

    One that we may not enter, as Ollama's home, is taken to be on the disk of its parent.
    """
    for place in (folder, *folder.parents):
        try:
            disk = os.statvfs(place)
        except PermissionError:
            continue
        except OSError:
            return None
        return disk.f_bavail * disk.f_frsize
    return None
