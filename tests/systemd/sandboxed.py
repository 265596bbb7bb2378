"""A real systemd for tests: the sandbox of `sandbox.sh`, its network, and a Python inside."""

import contextlib
import ctypes
import os
import shlex
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests.conftest import ROOT

PROGRAM = Path(__file__).with_name("sandbox.sh")
RUN_SECONDS = 60.0
CLONE_NEWNET = 0x40000000
CAP_SYS_ADMIN = 21

# Where the sandbox shows what the tests bring: no unit sees root's home, where they may come from.
SOURCE = Path("/src")
PYTHON = Path("/opt/python")
PACKAGES = Path("/opt/packages")
PREFIX = Path("/opt/couachgpt")


class Sandbox:
    """One booted systemd; `mode` is the SANDBOX_CGROUP of `sandbox.sh`."""

    def __init__(self, name: str, mode: str = "v2") -> None:
        binds = [f"{ROOT}:{SOURCE}:ro", f"{sysconfig.get_path('purelib')}:{PACKAGES}:ro"]
        own = _system_python()
        self._python = own or PYTHON / "bin" / "python3"
        if own is None:
            binds.append(f"{sys.base_prefix}:{PYTHON}:ro")
        self._environment = {
            **os.environ,
            "SANDBOX_NAME": name,
            "SANDBOX_CGROUP": mode,
            "SANDBOX_BIND": " ".join(binds),
        }

    # its life

    def start(self) -> None:
        self._script("start")

    def stop(self) -> None:
        self._script("stop")

    def reboot(self) -> None:
        """Boot again; its network is another's, and stays."""
        self._script("reboot")

    @property
    def pid(self) -> int:
        """Return the pid, out here, of its process 1."""
        return int(self._script("pid"))

    @property
    def root(self) -> Path:
        """Return where its files are seen from out here, sockets included."""
        return Path(f"/proc/{self.pid}/root")

    def _script(self, *arguments: str) -> str:
        done = self._execute(arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _execute(
        self, arguments: Sequence[str], text: str | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [PROGRAM, *arguments],
            env=self._environment,
            input=text or "",
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )

    # inside

    def run(self, *command: str | Path) -> str:
        """Run a command inside, as root, and return its output; its failure is the test's."""
        done = self.attempt(*command)
        assert done.returncode == 0, f"{shlex.join(map(str, command))}\n{done.stdout}{done.stderr}"
        return done.stdout

    def attempt(self, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a command inside that may fail."""
        return self._execute(["exec", *map(str, command)])

    def popen(self, *command: str | Path) -> "subprocess.Popen[str]":
        """Start a command inside, with pipes to it; its end is the caller's business."""
        pipe = subprocess.PIPE
        words = [str(PROGRAM), "exec", *map(str, command)]
        return subprocess.Popen(words, env=self._environment, stdin=pipe, stdout=pipe, text=True)

    def run_as(self, user: str, *command: str | Path) -> "subprocess.CompletedProcess[str]":
        """Run a command inside as somebody with all their groups; it may fail."""
        return self.attempt(
            "setpriv", f"--reuid={user}", "--regid=" + user, "--init-groups", *command
        )

    def write(self, path: Path, text: str, mode: int = 0o644) -> None:
        """Write a file inside."""
        target = self.root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(mode)

    def read(self, path: Path) -> str:
        return (self.root / path.relative_to("/")).read_text()

    def show(self, unit: str, name: str) -> str:
        """Return one property of a unit."""
        return self.run("systemctl", "show", "--value", f"--property={name}", unit).strip()

    def journal(self, unit: str) -> str:
        return self.run("journalctl", "--output=cat", f"--unit={unit}")

    @contextlib.contextmanager
    def network(self) -> Iterator[None]:
        """Be in the sandbox's network: this thread, and what it starts meanwhile."""
        with Path("/proc/thread-self/ns/net").open() as before:
            with Path(f"/proc/{self.pid}/ns/net").open() as there:
                _enter(there.fileno())
            try:
                yield
            finally:
                _enter(before.fileno())

    def lay_python(self) -> None:
        """Lay a venv with the checkout and its packages where install.sh would lay one."""
        venv = PREFIX / "test"
        self.run(self._python, "-m", "venv", "--without-pip", venv)
        self.run("ln", "-sfn", venv, PREFIX / "current")
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        packages = venv / "lib" / version / "site-packages"
        self.write(packages / "checkout.pth", f"{SOURCE}\n{PACKAGES}\n")
        for name, module in (("couachgptd", "__main__"), ("couachgptctl", "ctl.__main__")):
            text = f"import sys\nfrom couachgptd.{module} import main\nsys.exit(main())\n"
            self.write(venv / "bin" / name, f"#!{venv}/bin/python\n{text}", 0o755)


def _system_python() -> Path | None:
    """Return the system's own Python if the packages of this one run there.

    Ours may find its library only where it was installed, in root's home, which no unit sees.
    """
    path = Path("/usr/bin/python3")
    program = "import sys; print(*sys.version_info[:2])"
    if not path.exists():
        return None
    told = subprocess.run([path, "-c", program], capture_output=True, text=True, check=True)
    major, minor = sys.version_info[:2]
    return path if told.stdout.split() == [str(major), str(minor)] else None


def lacks() -> str | None:
    """Return why there can be no sandbox here; None where there can."""
    if os.geteuid() != 0:
        return "a systemd of our own takes root"
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:") and not int(line.split()[1], 16) >> CAP_SYS_ADMIN & 1:
            return "a systemd of our own takes CAP_SYS_ADMIN"
    return None


def eventually(is_so: Callable[[], object], seconds: float = RUN_SECONDS) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it has not come"
        time.sleep(0.05)


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(namespace, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
