"""couachgptctl status where no daemon answers: what systemd and the last lines say, what to do."""

import json
from pathlib import Path

import pytest

from couachgptd.ctl.dead import to_do
from couachgptd.paths import SYSTEM_SOCKET
from tests.ctl.terminal import run

SHOWN = """LoadState={load}
ActiveState={active}
SubState={sub}
Result={result}
ExecMainStatus={status}
NRestarts=5
StateChangeTimestamp=Mon 2026-11-23 03:00:00 UTC
"""


def machine(folder: Path, **facts: str) -> dict[str, str]:
    """Return the environment of a machine whose systemd says this."""
    told = SHOWN.format(**{"load": "loaded"} | facts)
    for name, output in (
        ("systemctl", told),
        ("journalctl", "couachgptd[7]: the last \x1b word\n"),
    ):
        program = folder / name
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{output}END\n")
        program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "COUACHGPT_SOCKET": str(SYSTEM_SOCKET)}


@pytest.mark.skipif(SYSTEM_SOCKET.exists(), reason="a daemon of this machine's own answers")
@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (("failed", "failed", "exit-code", "78"), "couachgptctl config check"),
        (("failed", "failed", "exit-code", "69"), "port or its control socket"),
        (("failed", "failed", "exit-code", "74"), "data cannot be used"),
        (
            ("failed", "failed", "watchdog", "6"),
            "reset-failed couachgptd.service couachgptd.socket",
        ),
        (("inactive", "dead", "success", "0"), "It was stopped."),
        (("activating", "auto-restart", "exit-code", "1"), "by itself in a moment"),
        (("activating", "start", "success", "0"), "It is starting"),
        (("activating", "auto-restart", "exit-code", "226"), "A folder of it is missing"),
        (("deactivating", "stop-sigterm", "success", "0"), "It is ending"),
    ],
)
async def test_it_says_what_systemd_says_and_what_to_do(
    tmp_path: Path, facts: tuple[str, ...], said: str
) -> None:
    names = dict(zip(("active", "sub", "result", "status"), facts, strict=True))
    environment = machine(tmp_path, **names)

    shown = await run("status", **environment)
    as_json = await run("status", "--json", **environment)

    assert (shown.code, as_json.code) == (3, 3)
    assert f"{facts[0]} ({facts[1]})" in shown.out
    assert "the last \N{REPLACEMENT CHARACTER} word" in shown.out
    assert said in shown.err
    error = json.loads(as_json.err)["error"]
    assert error["fields"]["unit"]["ActiveState"] == facts[0]
    assert error["fields"]["log"]


@pytest.mark.skipif(SYSTEM_SOCKET.exists(), reason="a daemon of this machine's own answers")
@pytest.mark.parametrize(
    ("load", "said"), [("not-found", "run install.sh again"), ("masked", "systemctl unmask")]
)
async def test_it_says_of_a_unit_that_cannot_be_started_why(
    tmp_path: Path, load: str, said: str
) -> None:
    dead = {"active": "inactive", "sub": "dead", "result": "success", "status": "0"}

    shown = await run("status", **machine(tmp_path, load=load, **dead))

    assert shown.code == 3
    assert f"couachgptd.service: {load}" in shown.out
    assert said in shown.err


@pytest.mark.parametrize("words", [(), ("--wait", "1")])
async def test_monitoring_is_told_of_a_dead_daemon_on_standard_output(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    gone = tmp_path / "none.sock"

    shown = await run("status", "--check", "--socket", str(gone), *words)

    assert shown.code == 3
    assert shown.out == f"CRITICAL: couachgptd is not running: nothing listens at {gone}.\n"
    assert shown.err == ""


def test_what_is_unknown_still_has_something_to_do() -> None:
    assert "reset-failed" in to_do({})
