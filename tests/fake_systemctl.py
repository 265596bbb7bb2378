"""A program that speaks as `systemctl` for one unit, whose process is real.

The folder in FAKE_SYSTEMD holds `command` (JSON: what the unit runs), `pid`, and `restarts`, a line
for each that was asked for. Where a test wants it: `refusal` (what `restart` says instead of
obeying) and `job`, while which is there somebody else acts upon the unit. `stopped` is there once a
person has stopped it.
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
    active, stopped = is_running(main), (STATE / "stopped").exists()
    ended = ("inactive", "dead", "success") if stopped else ("failed", "failed", "signal")
    state, sub_state, result = ("active", "running", "success") if active else ended
    facts = {
        "LoadState": "loaded",
        "ActiveState": state,
        "SubState": sub_state,
        "Result": result,
        "NRestarts": "0",
        "MainPID": str(main if active else 0),
        "InvocationID": f"{main:032x}",
        "Job": "4711" if (STATE / "job").exists() else "",
        "ControlGroup": "/fake.slice/ollama.service",
    }
    for name, value in facts.items():
        print(f"{name}={value}")


def restart() -> None:
    with (STATE / "restarts").open("a") as log:
        log.write(f"{time.time()}\n")
    refusal = STATE / "refusal"
    if refusal.exists():
        sys.exit(refusal.read_text())
    end()
    start()


def stop() -> None:
    (STATE / "stopped").touch()
    end()


def end() -> None:
    for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, STOP_SECONDS)):
        ends = time.monotonic() + seconds
        if is_running(pid()):
            os.killpg(pid(), number)
        while is_running(pid()) and time.monotonic() < ends:
            time.sleep(0.01)


def start() -> None:
    (STATE / "stopped").unlink(missing_ok=True)
    command = json.loads((STATE / "command").read_text())
    # Our caller reads our output to its end: the unit must not hold it open.
    none = subprocess.DEVNULL
    process = subprocess.Popen(command, start_new_session=True, stdout=none, stderr=none)
    (STATE / "pid.new").write_text(str(process.pid))
    (STATE / "pid.new").replace(STATE / "pid")


if __name__ == "__main__":
    {"show": show, "restart": restart, "start": start, "stop": stop}[sys.argv[1]]()
