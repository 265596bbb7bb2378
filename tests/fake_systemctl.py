"""A program that answers `systemctl show` and `restart` for one unit, whose process is real.

The folder in FAKE_SYSTEMD holds `command` (JSON: what the unit runs), `pid` and, where a test wants
it, `refusal` (what `restart` says instead of obeying).
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

STATE = Path(os.environ["FAKE_SYSTEMD"])
STOP_SECONDS = 1.0  # our drop-in says 15; the sequence is the same


def pid() -> int:
    try:
        return int((STATE / "pid").read_text())
    except FileNotFoundError:
        return 0


def is_running(number: int) -> bool:
    try:
        return bool(number) and Path(f"/proc/{number}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def show() -> None:
    main = pid()
    active = is_running(main)
    facts = {
        "LoadState": "loaded",
        "ActiveState": "active" if active else "failed",
        "SubState": "running" if active else "failed",
        "Result": "success" if active else "signal",
        "NRestarts": "0",
        "MainPID": str(main if active else 0),
        "InvocationID": f"{main:032x}",
        "Job": "",
        "ControlGroup": "/fake.slice/ollama.service",
    }
    for name, value in facts.items():
        print(f"{name}={value}")


def restart() -> None:
    refusal = STATE / "refusal"
    if refusal.exists():
        sys.exit(refusal.read_text())
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        ends = time.monotonic() + seconds
        if is_running(pid()):
            os.killpg(pid(), number)
        while is_running(pid()) and time.monotonic() < ends:
            time.sleep(0.01)
    start()


def start() -> None:
    command = json.loads((STATE / "command").read_text())
    # Our caller reads our output to its end: the unit must not hold it open.
    none = subprocess.DEVNULL
    process = subprocess.Popen(command, start_new_session=True, stdout=none, stderr=none)
    (STATE / "pid").write_text(str(process.pid))


if __name__ == "__main__":
    {"show": show, "restart": restart, "start": start}[sys.argv[1]]()
