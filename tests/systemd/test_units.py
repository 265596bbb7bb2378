"""The unit files by themselves: valid, hardened, and the groups let in whom they should."""

import re

import pytest

from tests.systemd.sandboxed import Sandbox
from tests.systemd.service import CONTROL_SOCKET, SANDBOX, SOCKET, UNIT, WORKER, install


@pytest.fixture(scope="module")
def installed(sandbox: Sandbox) -> Sandbox:
    install(sandbox)
    return sandbox


def test_systemd_finds_nothing_wrong_with_the_units(installed: Sandbox) -> None:
    done = installed.attempt("systemd-analyze", "verify", "--man=no", UNIT, SOCKET, SANDBOX, WORKER)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("unit", "most_exposed"), [(UNIT, 2.0), (WORKER, 1.0)])
def test_our_services_are_little_exposed(
    installed: Sandbox, unit: str, most_exposed: float
) -> None:
    told = installed.run("systemd-analyze", "security", unit)

    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", told)
    assert found
    assert float(found[1]) <= most_exposed


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
