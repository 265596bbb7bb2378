"""A unit is read as systemctl shows it, and a restart that is refused says why."""

import sys
import time
from pathlib import Path

import pytest

from couachgptd.core.vitals import Life
from couachgptd.engine.systemd import Done, Systemctl, process_of, reason_in, unit_in

# As systemd 252 prints them (Debian 12), in its own order.
RUNNING = """\
Result=success
NRestarts=2
MainPID=1234
LoadState=loaded
ActiveState=active
SubState=running
ControlGroup=/system.slice/ollama.service
InvocationID=4f2b9c3d8e1a4b5c9d0e1f2a3b4c5d6e
Job=0
"""


def shown(**changes: str) -> str:
    """Return an answer with some lines changed, by the first letters of their names."""
    lines = dict(line.split("=", 1) for line in RUNNING.splitlines())
    return "".join(f"{name}={value}\n" for name, value in (lines | changes).items())


def test_a_running_unit() -> None:
    unit = unit_in(RUNNING)

    assert unit is not None
    assert unit.is_found
    assert (unit.main_pid, unit.restarts, unit.has_job) == (1234, 2, False)
    assert unit.control_group == "/system.slice/ollama.service"
    assert not unit.was_stopped_by_a_person
    assert not unit.is_in_other_hands
    process = process_of(unit)
    assert (process.life, process.pid, process.exit) == (Life.RUNNING, 1234, None)
    assert process.birth == unit.invocation


def test_a_unit_that_a_person_stopped() -> None:
    unit = unit_in(shown(ActiveState="inactive", SubState="dead", MainPID="0", InvocationID=""))

    assert unit is not None
    assert unit.was_stopped_by_a_person
    assert process_of(unit).life == Life.NONE
    assert process_of(unit).pid is None
    assert process_of(unit).birth is None


@pytest.mark.parametrize("result", ["oom-kill", "exit-code", "signal", "start-limit-hit"])
def test_a_unit_that_failed_says_how(result: str) -> None:
    unit = unit_in(shown(ActiveState="failed", SubState="failed", MainPID="0", Result=result))

    assert unit is not None
    assert not unit.was_stopped_by_a_person
    assert process_of(unit).life == Life.ENDED
    assert process_of(unit).exit == result


@pytest.mark.parametrize(
    "changes",
    [
        {"Job": "4711"},
        {"Job": "4711 /org/freedesktop/systemd1/job/4711"},
        {"ActiveState": "activating", "SubState": "auto-restart", "Result": "exit-code"},
    ],
)
def test_a_unit_that_somebody_acts_upon_is_left_alone(changes: dict[str, str]) -> None:
    unit = unit_in(shown(**changes))

    assert unit is not None
    assert unit.is_in_other_hands


def test_a_unit_that_starts() -> None:
    unit = unit_in(shown(ActiveState="activating", SubState="start"))

    assert process_of(unit).life == Life.STARTING


def test_a_unit_that_is_not_installed() -> None:
    unit = unit_in(shown(LoadState="not-found", ActiveState="inactive", SubState="dead"))

    assert unit is not None
    assert not unit.is_found


@pytest.mark.parametrize("output", ["", "garbage", "Result=success\n", "=\n"])
def test_what_is_no_unit_is_none(output: str) -> None:
    assert unit_in(output) is None
    assert process_of(None).life == Life.UNKNOWN


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("Failed to restart ollama.service: Access denied", "not_permitted"),
        ("Failed to restart x.service: Interactive authentication required.", "not_permitted"),
        ("Failed to restart x.service: Unit x.service not found.", "no_such_unit"),
        ("Failed to restart x.service: Unit x.service is masked.", "unit_masked"),
        ("System has not been booted with systemd as init system (PID 1).", "no_systemd"),
        ("Failed to connect to bus: Host is down", "no_systemd"),
        ("x.service: Start request repeated too quickly.", "started_too_often"),
        ("Job for x.service failed because the control process exited", "systemctl_failed"),
        ("", "systemctl_failed"),
    ],
)
def test_a_refusal_is_a_stable_word(words: str, reason: str) -> None:
    assert reason_in(Done(1, errors=words)) == reason
    assert reason_in(Done(0, errors=words)) is None


async def test_a_restart_that_polkit_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "refusal").write_text("Failed to restart ollama.service: Access denied")
    monkeypatch.setenv("FAKE_SYSTEMD", str(tmp_path))
    program = (sys.executable, str(Path(__file__).parents[1] / "fake_systemctl.py"))

    assert await Systemctl("ollama.service", program).restart() == "not_permitted"


async def test_a_systemctl_that_is_not_there_is_told() -> None:
    missing = Systemctl("ollama.service", ("/nowhere/systemctl",))

    assert await missing.show() is None
    assert await missing.restart() == "no_systemd"


async def test_a_restart_that_takes_too_long_is_told_in_time() -> None:
    slow = Systemctl("30", ("sh", "-c", "exec sleep 30"))
    began = time.monotonic()

    assert await slow.restart(limit=0.2) == "timeout"
    assert time.monotonic() - began < 2


async def test_the_real_systemctl_of_this_machine_is_no_error() -> None:
    unit = await Systemctl("a-unit-that-nobody-has.service").show()

    assert unit is None or not unit.is_found
