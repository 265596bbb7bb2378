"""CouachGPT as a service in the sandbox: its units, users, rules, and the fake Ollama as a unit."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT, Scripted
from tests.faults.service import SHORT, Watched
from tests.running_daemon import Reachable
from tests.systemd.sandboxed import PREFIX, SOURCE, Sandbox, eventually

UNIT = "couachgptd.service"
SOCKET = "couachgptd.socket"
SANDBOX = "couachgpt-sandbox.socket"
WORKER = "couachgpt-sandbox@.service"
OLLAMA = "ollama.service"
CONFIG = Path("/etc/couachgpt.toml")
DATA = Path("/var/lib/couachgpt")
CONTROL_SOCKET = Path("/run/couachgpt/control.sock")
ADDRESS = "http://127.0.0.1:8294"
UNITS = Path("/etc/systemd/system")
PROGRAM = PREFIX / "current" / "bin" / "couachgptd"
PYTHON = PREFIX / "current" / "bin" / "python"

# What install.sh puts where.
FILES = {
    "couachgptd.service": "/etc/systemd/system/couachgptd.service",
    "couachgptd.socket": "/etc/systemd/system/couachgptd.socket",
    "couachgpt-sandbox.socket": "/etc/systemd/system/couachgpt-sandbox.socket",
    "couachgpt-sandbox@.service": "/etc/systemd/system/couachgpt-sandbox@.service",
    "sysusers.conf": "/etc/sysusers.d/couachgpt.conf",
    "tmpfiles.conf": "/etc/tmpfiles.d/couachgpt.conf",
    "couachgpt.rules": "/etc/polkit-1/rules.d/couachgpt.rules",
    "ollama.service.d/couachgpt.conf": "/etc/systemd/system/ollama.service.d/couachgpt.conf",
}

OLLAMA_USER = ("useradd", "--system", "--user-group", "--shell=/usr/sbin/nologin", "ollama")

# As Ollama's own installer writes it, but for the program.
OLLAMA_UNIT = """\
[Unit]
Description=Ollama Service
After=network-online.target

[Service]
ExecStart={program}
User=ollama
Group=ollama
Restart=always
RestartSec=3

[Install]
WantedBy=default.target
"""


def install(sandbox: Sandbox) -> None:
    """Lay the units as install.sh does, and make users and folders; nothing is started."""
    for source, target in FILES.items():
        sandbox.write(Path(target), (ROOT / "systemd" / source).read_text(encoding="utf-8"))
    sandbox.run("systemd-sysusers")
    sandbox.run("systemd-tmpfiles", "--create", "couachgpt.conf")
    sandbox.run("systemctl", "daemon-reload")


class Site(Reachable, Watched, Scripted):
    """The service and its Ollama. A test changes `[watchdog]` keys and drop-ins, nothing else."""

    address = ADDRESS
    url = "http://127.0.0.1:11434"

    def __init__(self, sandbox: Sandbox) -> None:
        Watched.__init__(self, self)
        self.sandbox = sandbox
        self.socket = sandbox.root / CONTROL_SOCKET.relative_to("/")

    # files

    def configure(self, server: str = "drain_seconds = 1", **limits: float) -> None:
        """Write couachgpt.toml: what of [server] is named, and the limits of SHORT or as named."""
        keys = "\n".join(f"{name} = {value}" for name, value in (SHORT | limits).items())
        engine = 'kind = "ollama"\nmodel = "couac:1b"\nslots = 2'
        text = f"[server]\n{server}\n\n[engine]\n{engine}\n\n[watchdog]\n{keys}\n"
        self.sandbox.write(CONFIG, text)

    def drop_in(self, unit: str, **settings: str | float) -> None:
        """Override settings of a service, as an administrator would."""
        lines = "\n".join(f"{name}={value}" for name, value in settings.items())
        self.sandbox.write(UNITS / f"{unit}.d" / "test.conf", f"[Service]\n{lines}\n")
        self.sandbox.run("systemctl", "daemon-reload")

    def run_ollama(self, *arguments: str, **told: object) -> None:
        """Make the unit of the fake Ollama run with these arguments, and a script, from now on."""
        script = json.dumps(told).replace('"', '\\"')
        words = ["--port=11434", *arguments, f'"--script={script}"']
        program = f"{PYTHON} {SOURCE}/tests/fake_ollama.py {' '.join(words)}"
        self.sandbox.write(UNITS / OLLAMA, OLLAMA_UNIT.format(program=program))
        self.sandbox.run("systemctl", "daemon-reload")

    # life

    def systemctl(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return self.sandbox.attempt("systemctl", *words)

    def start(self) -> None:
        """Start the engine and the service; return once people can come."""
        self.sandbox.run("systemctl", "start", OLLAMA)
        eventually(lambda: self.sandbox.attempt("curl", "-s", self.url).returncode == 0)
        self.sandbox.run("systemctl", "start", UNIT)

    def show(self, name: str, unit: str = UNIT) -> str:
        return self.sandbox.show(unit, name)

    def is_active(self, unit: str = UNIT) -> bool:
        return self.show("ActiveState", unit) == "active"

    @property
    def main_pid(self) -> str:
        return self.show("MainPID")

    @property
    def restarts(self) -> int:
        return int(self.show("NRestarts"))

    def comes_back(self, before: str) -> None:
        """Return once another process than `before` serves."""
        eventually(lambda: self.is_active() and self.main_pid not in {"0", before})

    def journal(self, unit: str = UNIT) -> str:
        return self.sandbox.journal(unit)

    @contextmanager
    def frozen(self, *threads: str) -> Iterator[None]:
        """Freeze threads of the daemon, as a debugger does, and no others."""
        freezer = SOURCE / "tests" / "freeze_threads.py"
        with self.sandbox.popen(PYTHON, "-S", freezer, self.main_pid, *threads) as tracer:
            assert tracer.stdin is not None
            assert tracer.stdout is not None
            assert json.loads(tracer.stdout.readline()) == [int(each) for each in threads]
            try:
                yield
            finally:
                tracer.stdin.close()

    def threads(self) -> list[str]:
        return self.sandbox.run("ls", f"/proc/{self.main_pid}/task").split()

    def clear(self) -> None:
        """End all of it and forget what was kept."""
        self.systemctl("stop", SOCKET, UNIT, SANDBOX, OLLAMA)
        self.systemctl("reset-failed")
        for unit in (UNIT, SOCKET, WORKER, OLLAMA):
            self.sandbox.run("rm", "-f", UNITS / f"{unit}.d" / "test.conf")
        self.sandbox.run("rm", "-rf", DATA, CONFIG)
        self.sandbox.run("journalctl", "--rotate", "--vacuum-time=1us")
