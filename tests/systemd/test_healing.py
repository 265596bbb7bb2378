"""What heals by itself: the daemon by systemd, the engine by the daemon; and what it may not."""

import asyncio
import os
import re
import subprocess

import pytest

from tests.faults.service import begun, ended, eventually, is_healed, shown, state_is, whole
from tests.systemd.sandboxed import Sandbox
from tests.systemd.service import OLLAMA, UNIT, Site

WATCHDOG_SECONDS = 3


# --- systemd over the daemon ---------------------------------------------------------------------


@pytest.mark.parametrize("freezes", ["loop", "all but the loop"])
async def test_row_29_and_30_a_part_of_the_daemon_hangs(site: Site, freezes: str) -> None:
    """Inject: the event loop stands still (29), or the threads of the store do (30), the process
    lives. Expect: aborted by the watchdog, every stack in the journal, back, nothing lost.
    """
    site.drop_in(UNIT, WatchdogSec=WATCHDOG_SECONDS)
    await asyncio.to_thread(site.start)
    site.add_user("claire")
    async with site.tab() as tab:
        asked = await tab.ask("Avant.")
        assert (await ended(tab, asked))["state"] == "done"
        before = site.main_pid
        others = [each for each in site.threads() if each != before]
        frozen = [before] if freezes == "loop" else others
        with site.frozen(*frozen):
            await asyncio.to_thread(site.comes_back, before)

    told = site.journal()
    assert "Watchdog timeout (limit 3s)!" in told
    assert "Fatal Python error: Aborted" in told
    assert told.count("most recent call first") >= 3  # of the loop and of the store's threads
    assert ("no sign of life is given" in told) is (freezes != "loop")
    assert "status=6/ABRT" in told
    async with site.tab() as tab:
        await tab.watch(asked["conversation"])
        assert shown(tab, asked) == "" or shown(tab, asked) == whole(60)
        again = await tab.ask("Après.")
        assert (await ended(tab, again))["state"] == "done"


async def test_row_28_frozen_for_longer_than_the_watchdog_waits(site: Site) -> None:
    """Inject: SIGSTOP of the daemon. Expect: SIGABRT, stacks in the journal, back."""
    site.drop_in(UNIT, WatchdogSec=WATCHDOG_SECONDS)
    await asyncio.to_thread(site.start)
    before = site.main_pid
    site.systemctl("kill", "--kill-whom=main", "--signal=STOP", UNIT)

    await asyncio.to_thread(site.comes_back, before)

    assert "Fatal Python error: Aborted" in site.journal()
    assert site.show("Result") == "success"


@pytest.mark.soak
async def test_row_36_other_programs_take_every_core(site: Site) -> None:
    """Inject: two busy loops for each core. Expect: the daemon is left alone, operators served."""
    site.drop_in(UNIT, WatchdogSec=2 * WATCHDOG_SECONDS)
    await asyncio.to_thread(site.start)
    before = site.main_pid
    burners = [f"burner{number}" for number in range(2 * (os.cpu_count() or 1))]
    for each in burners:
        site.sandbox.run("systemd-run", f"--unit={each}", "sh", "-c", "while :; do :; done")
    try:
        for _ in range(3 * WATCHDOG_SECONDS):
            await asyncio.sleep(1)
            assert site.status()["pid"] == int(before)
    finally:
        site.systemctl("stop", *burners)

    assert site.restarts == 0


async def test_stacks_are_told_on_request(site: Site) -> None:
    await asyncio.to_thread(site.start)
    before = site.main_pid
    site.systemctl("kill", "--kill-whom=main", "--signal=USR1", UNIT)

    await eventually(lambda: "most recent call first" in site.journal())
    assert site.main_pid == before


# --- what the daemon's user may ------------------------------------------------------------------


def as_daemon(site: Site, *words: str) -> "subprocess.CompletedProcess[str]":
    return site.sandbox.run_as("couachgpt", "systemctl", "--no-ask-password", *words)


async def test_the_daemons_user_may_start_stop_and_restart_ollama(site: Site) -> None:
    site.sandbox.run("systemctl", "start", OLLAMA)
    before = site.show("InvocationID", OLLAMA)
    for verb, state in (("restart", "active"), ("stop", "inactive"), ("start", "active")):
        assert as_daemon(site, verb, OLLAMA).returncode == 0
        assert site.show("ActiveState", OLLAMA) == state

    assert site.show("InvocationID", OLLAMA) != before


async def test_the_daemons_user_may_nothing_else(site: Site) -> None:
    other = "other.service"
    site.sandbox.run("systemctl", "start", OLLAMA)
    site.sandbox.run("systemd-run", f"--unit={other}", "sleep", "infinity")
    before = site.show("InvocationID", OLLAMA), site.show("InvocationID", other)
    refused = re.compile("denied|authentication required|not permitted", re.IGNORECASE)
    try:
        for words in (
            ("stop", other),
            ("restart", other),
            ("kill", OLLAMA),
            ("mask", "--runtime", OLLAMA),
            ("enable", OLLAMA),
            ("set-property", OLLAMA, "MemoryMax=1G"),
            ("set-environment", "LD_PRELOAD=/tmp/x"),
            ("daemon-reload",),
            ("poweroff",),
        ):
            done = as_daemon(site, *words)
            assert done.returncode != 0, words
            assert refused.search(done.stderr), (words, done.stderr)
        assert (site.show("InvocationID", OLLAMA), site.show("InvocationID", other)) == before
        assert site.is_active(other)
    finally:
        site.systemctl("stop", other)


async def test_nobody_else_may_restart_ollama(site: Site) -> None:
    site.sandbox.run("systemctl", "start", OLLAMA)
    done = site.sandbox.run_as("ollama", "systemctl", "--no-ask-password", "restart", OLLAMA)

    assert done.returncode != 0


# --- the daemon over its engine ------------------------------------------------------------------


async def test_row_3_a_hang_is_healed_through_the_unit(site: Site) -> None:
    """Inject: it stops in mid-answer and does not unload. Expect: restarted by systemd, asked
    again, whole.
    """
    site.run_ollama("--rate=40", "--tokens=60", unload_ignored=True)
    await asyncio.to_thread(site.start)
    site.add_user("claire")
    async with site.tab() as tab:
        before = site.show("InvocationID", OLLAMA)
        await site.script(hang_after=20)
        asked = await tab.ask("Explique.")
        await begun(tab, asked)

        await is_healed(tab, asked, 60)

    assert site.ladder()[-1] == "restarting"
    assert site.show("InvocationID", OLLAMA) != before
    assert "Started ollama.service" in site.journal(OLLAMA)


async def test_row_16_a_person_stops_it(site: Site) -> None:
    """Inject: `systemctl stop ollama` by a person. Expect: STOPPED, respected; READY once a person
    starts it.
    """
    await asyncio.to_thread(site.start)
    site.add_user("claire")
    async with site.tab() as tab:
        await state_is(tab, "ready")
        site.systemctl("stop", OLLAMA)
        await state_is(tab, "stopped")
        asked = await tab.ask("Attends.")
        await asyncio.sleep(6)  # more than one look, and every back-off of these limits
        assert site.show("ActiveState", OLLAMA) == "inactive"

        site.systemctl("start", OLLAMA)
        await state_is(tab, "ready")
        assert (await ended(tab, asked))["state"] == "done"

    assert site.ladder() == []


async def test_row_17_a_person_restarts_it(site: Site) -> None:
    """Inject: `systemctl restart ollama` by a person, in mid-answer. Expect: no second restart."""
    await asyncio.to_thread(site.start)
    site.add_user("claire")
    async with site.tab() as tab:
        asked = await tab.ask("[[rate=10]] Explique.")
        await begun(tab, asked)
        site.systemctl("restart", OLLAMA)
        invocation = site.show("InvocationID", OLLAMA)
        await ended(tab, asked)
        await site.is_well()

    assert site.show("InvocationID", OLLAMA) == invocation
    assert "restarting" not in site.verdicts()


async def test_row_11_killed_and_started_by_systemd(site: Site) -> None:
    """Inject: kill -9 of the server. Expect: systemd's own restart is enough."""
    await asyncio.to_thread(site.start)
    site.add_user("claire")
    async with site.tab() as tab:
        asked = await tab.ask("[[rate=20]] Explique.")
        await begun(tab, asked)
        site.systemctl("kill", "--signal=KILL", OLLAMA)

        await is_healed(tab, asked, 60)

    assert site.show("NRestarts", OLLAMA) == "1"
    assert "restarting" not in site.ladder()


# --- memory --------------------------------------------------------------------------------------


async def test_row_15_the_kernel_kills_the_runner(limited_site: Site) -> None:
    """Inject: a model that takes more than MemoryMax= leaves. Expect: killed by the kernel, the
    server lives, told to the person, not tried again.
    """
    site = limited_site
    site.run_ollama("--runner=hungry")
    site.drop_in(OLLAMA, MemoryMax="300M", MemorySwapMax="0")
    await asyncio.to_thread(site.start)
    site.add_user("claire")
    before = site.show("MainPID", OLLAMA)
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        turn = await ended(tab, asked)

    assert turn["state"] == "failed"
    assert turn["error"]["code"] == "engine_out_of_memory"
    assert site.show("MainPID", OLLAMA) == before
    assert site.is_active(OLLAMA)
    assert site.restarts == 0


def test_the_limited_sandbox_limits(limited_site: Site) -> None:
    """Else the row above would prove nothing."""
    eat = "x = bytearray(200 << 20)"
    limited: Sandbox = limited_site.sandbox
    run = ("systemd-run", "--quiet", "--wait", "--collect", "-p", "MemoryMax=100M")

    assert limited.attempt(*run, "python3", "-c", eat).returncode != 0
    assert limited.attempt(*run[:-1], "MemoryMax=400M", "python3", "-c", eat).returncode == 0
