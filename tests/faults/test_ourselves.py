"""Rows 28 to 39 as far as they need no systemd: pauses, our own death, crowds, a busy machine."""

import asyncio
import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.faults.service import (
    SECONDS,
    MakePatient,
    Patient,
    Service,
    begun,
    ended,
    eventually,
    is_healed,
    shown,
    turns,
    whole,
)


@pytest.fixture
def burners() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Return a list for programs that burn a core each; they end with the test."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for each in started:
        each.kill()
        each.wait()


@pytest.mark.parametrize("freezes", ["daemon", "machine"])
async def test_row_28_and_39_frozen_for_a_while(
    service: Service, patient: MakePatient, freezes: str
) -> None:
    """Inject: SIGSTOP of the daemon alone (28), or with its engine, which comes round later (39).
    Expect: no verdict on what was not seen, the answer goes on.
    """
    await service.start("--rate=1", "--tokens=10")
    site = await patient(gap_soft_min_seconds=2, pause_seconds=1.5, grace_seconds=3)
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked, letters=1)
        await asyncio.sleep(1)
        os.kill(site.daemon.pid, signal.SIGSTOP)
        if freezes == "machine":
            service.kill(signal.SIGSTOP)
        await asyncio.sleep(4)
        os.kill(site.daemon.pid, signal.SIGCONT)
        if freezes == "machine":
            await asyncio.sleep(1.5)
            service.kill(signal.SIGCONT)

        turn = await ended(tab, asked)

    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert shown(tab, asked) == whole(10)
    assert site.ladder() == []
    assert "hung_idle" not in site.verdicts()
    assert service.restarts == 0


async def test_row_28_a_pause_delays_a_true_verdict_and_does_not_lose_it(
    service: Service, patient: MakePatient
) -> None:
    """Inject: the engine hangs while the daemon is frozen. Expect: seen afterwards, asked again."""
    await service.start("--rate=40", "--tokens=60")
    site = await patient(pause_seconds=2, grace_seconds=2)
    async with site.tab() as tab:
        await service.script(hang_after=20)
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        await service.script(hang_after=None)
        os.kill(site.daemon.pid, signal.SIGSTOP)
        await asyncio.sleep(5)
        os.kill(site.daemon.pid, signal.SIGCONT)

        await is_healed(tab, asked, 60)

    (hung,) = [each for each in site.incidents() if each["after"] == "hung_idle"]
    assert hung["evidence"]["silence_seconds"] < 5  # counted from the end of the pause
    assert service.restarts == 0


async def test_row_31_killed_with_what_the_watchdog_knows(
    service: Service, patient: MakePatient
) -> None:
    """Inject: kill -9 of the daemon after it has restarted the engine. Expect: the restarts that
    it ordered count for the next daemon, too.
    """
    await service.start("--rate=40", "--tokens=60")
    site = await patient(restarts_in_window=1)
    async with site.tab() as tab:
        for text in ("Explique.", "Encore."):
            asked = await tab.ask(f"[[tokens=20]] {text}")
            assert (await ended(tab, asked))["state"] == "done"
            if service.restarts == 0:
                service.kill()
    assert service.restarts == 1
    await asyncio.to_thread(site.daemon.restart, signal.SIGKILL)

    async with site.tab() as tab:
        service.kill()
        failed = await tab.next("engine", where=lambda told: told["engine"]["state"] == "failed")

    assert failed["engine"]["reason"] == "budget_spent"
    assert service.restarts == 1


async def test_row_35_two_hundred_questions_and_one(service: Service, patient: MakePatient) -> None:
    """Inject: 200 questions of Claire, then one of Marc. Expect: his is next but one at most."""
    await service.start("--rate=40", "--tokens=20")
    site = await patient("chat.waiting_per_person=250", "chat.waiting_in_all=500")
    async with site.tab() as tab, site.tab("marc") as other:
        for number in range(200):
            await tab.ask(f"Question {number}")
        before = finished(site)
        asked = await other.ask("Et moi ?")
        await other.until("writing", asked["answer"], seconds=SECONDS)
        passed = finished(site) - before

        assert (await ended(other, asked))["state"] == "done"
        waiting = site.status()["turns"]["queued"]

    assert passed <= 2
    assert waiting > 100


def finished(site: Patient) -> int:
    return site.daemon.log.count("turn ended")


async def test_row_36_other_programs_take_every_core(
    service: Service, patient: MakePatient, burners: list["subprocess.Popen[bytes]"]
) -> None:
    """Inject: two busy loops for each core. Expect: no action; an operator is still answered."""
    await service.start("--rate=5", "--tokens=40")
    site = await patient(gap_soft_min_seconds=3)
    program = [sys.executable, "-S", "-c", "while True: pass"]
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        burners += [subprocess.Popen(program) for _ in range(2 * (os.cpu_count() or 1))]
        clock, slowest = asyncio.get_running_loop().time, 0.0
        while not turns(tab, asked)[-1]["finished_at"]:
            began = clock()
            await asyncio.to_thread(site.status)
            slowest = max(slowest, clock() - began)
            while (message := await tab.receive(SECONDS)) and message["type"] != "turn":
                if clock() - began > 1:
                    break

    turn = turns(tab, asked)[-1]
    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert shown(tab, asked) == whole(40)
    assert slowest < 5
    assert site.ladder() == []
    assert service.restarts == 0


async def test_maintenance_outlives_the_daemon(service: Service, patient: MakePatient) -> None:
    """Inject: kill -9 of the daemon under maintenance. Expect: still so, until its end is asked."""
    await service.start()
    site = await patient()
    site.daemon.control("POST", "/v1/engine/maintenance", {"is_on": True})
    await eventually(lambda: site.status()["engine"]["state"] == "maintenance")

    site.daemon.kill()
    await asyncio.to_thread(site.daemon.start)

    await eventually(lambda: site.status()["engine"]["state"] != "starting")
    assert site.status()["engine"]["state"] == "maintenance"
    site.daemon.control("POST", "/v1/engine/maintenance", {"is_on": False})
    await site.is_well()


async def test_row_38_a_crowd_at_the_control_socket(service: Service, patient: MakePatient) -> None:
    """Inject: 1,000 connections, half of them mute, half with heads that never end. Expect: the
    command line is served meanwhile; they are bounded, and sent away in the end.
    """
    await service.start()
    site = await patient()
    path = str(site.daemon.socket)
    files = psutil.Process(site.daemon.pid).num_fds
    before = files()
    with contextlib.ExitStack() as crowd:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        crowd.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for number in range(1000):
            one = crowd.enter_context(socket.socket(socket.AF_UNIX))
            await asyncio.to_thread(one.connect, path)
            with contextlib.suppress(OSError):  # sent away already
                one.send(b"GET /v1/status HTTP/1.1\r\nX-Slow: " * (number % 2))
        assert site.status()["engine"]["kind"] == "ollama"
        await eventually(lambda: files() - before < 20)

    assert "too many control connections" in site.daemon.log
