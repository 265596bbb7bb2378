"""A sandbox as a server on which somebody runs install.sh."""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running_daemon import PASSWORD
from tests.systemd import bundles
from tests.systemd.sandboxed import Sandbox, lacks
from tests.systemd.service import DATA, SOCKET, UNIT

PREFIX = Path("/opt/couachgpt")
# Where install.sh writes.
PLACES = ("/etc", "/opt", "/usr/local", "/var/lib")

Done = subprocess.CompletedProcess[str]


class Server(Sandbox):
    """What the tests ask of it, as its administrator would."""

    def install(self, bundle: Path, *options: str, language: str = "en_GB.UTF-8") -> Done:
        """Run a bundle's install.sh; it may fail."""
        program = bundles.inside(bundle) / "install.sh"
        return self.attempt("env", f"LANG={language}", "sh", program, *options)

    def rollback(self, *options: str) -> Done:
        return self.attempt("couachgptctl", "rollback", *options)

    def files(self, *places: str) -> str:
        """Return every file, with what shows that it was touched."""
        places = places or PLACES
        return self.run("find", *places, "-xdev", "-printf", "%p %m %U %T@ %l\n")

    def names(self) -> set[str]:
        return set(self.run("find", *PLACES, "-xdev", "-printf", "%p\n").splitlines())

    def release(self, link: str = "current") -> str:
        return self.run("readlink", PREFIX / link).strip().rpartition("/")[2]

    @property
    def is_installed(self) -> bool:
        return self.attempt("test", "-e", PREFIX / "current").returncode == 0

    def version(self) -> str:
        """Return the version of the daemon that runs."""
        status = json.loads(self.run("couachgptctl", "--json", "status"))
        version: str = status["version"]
        return version

    def people(self) -> set[str]:
        users = json.loads(self.run("couachgptctl", "--json", "user", "ls"))["users"]
        return {user["login"] for user in users}

    def add_user(self, login: str) -> Done:
        told = f"printf '%s\\n' '{PASSWORD}' | couachgptctl user add {login} --password-stdin"
        return self.attempt("sh", "-c", told)

    @contextlib.contextmanager
    def small_disk(self, size: str) -> Iterator[None]:
        """Have the data, none at first, on a disk of this size of its own."""
        options = f"size={size},mode=0700,uid=couachgpt,gid=couachgpt"
        self.run("systemctl", "stop", SOCKET, UNIT)
        self.run("mount", "-t", "tmpfs", "-o", options, "tmpfs", DATA)
        try:
            self.run("systemctl", "start", SOCKET, UNIT)
            yield
        finally:
            self.run("systemctl", "stop", SOCKET, UNIT)
            self.run("umount", DATA)
            self.run("systemctl", "start", SOCKET, UNIT)

    def fill_disk(self, path: Path, *, but: str = "0") -> None:
        """Write a file until nothing fits, then give so much of it back."""
        self.attempt("dd", "if=/dev/zero", f"of={path}", "bs=4k", "status=none")
        self.run("truncate", f"--size=-{but}", path)


@contextlib.contextmanager
def booted(name: str) -> Iterator[Server]:
    """Give a system that never saw CouachGPT."""
    if reason := lacks():
        pytest.skip(reason)
    server = Server(f"{name}-{os.getpid()}")
    server.start()
    try:
        yield server
    finally:
        server.stop()
