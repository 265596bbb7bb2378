"""The unit files by themselves: valid, hardened, and the groups let in whom they should."""

import re

import pytest

from tests.systemd.sandboxed import Sandbox
from tests.systemd.service import CONTROL_SOCKET, SOCKET, UNIT, install

MOST_EXPOSED = 2.0


@pytest.fixture(scope="module")
def installed(sandbox: Sandbox) -> Sandbox:
    install(sandbox)
    return sandbox


def test_systemd_finds_nothing_wrong_with_the_units(installed: Sandbox) -> None:
    done = installed.attempt("systemd-analyze", "verify", "--man=no", UNIT, SOCKET)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_daemon_is_little_exposed(installed: Sandbox) -> None:
    told = installed.run("systemd-analyze", "security", UNIT)

    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert found
    assert float(found[1]) <= MOST_EXPOSED


@pytest.mark.parametrize(
    ("group", "connects"),
    [("couachgpt-admin", True), ("couachgpt-monitor", True), ("users", False)],
)
def test_who_reaches_the_control_socket(installed: Sandbox, group: str, *, connects: bool) -> None:
    installed.run("systemctl", "start", UNIT)
    try:
        installed.run("useradd", "--groups", group, "somebody")
        done = installed.run_as(
            "somebody", "curl", "--unix-socket", CONTROL_SOCKET, "http://couachgptd/v1/status"
        )
    finally:
        installed.run("userdel", "somebody")
        installed.run("systemctl", "stop", SOCKET, UNIT)

    assert (done.returncode == 0) is connects
