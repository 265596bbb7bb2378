"""What this process itself uses of the machine."""

import os
from pathlib import Path


def resident_bytes() -> int:
    """Return our own resident memory; what psutil would say, for a thousandth of its import."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
