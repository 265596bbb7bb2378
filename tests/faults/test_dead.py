"""Rows 11 to 18 and 34: an engine that is dead, in other hands, or cannot be restarted."""

import asyncio
import os
import signal

import pytest

from tests.conftest import StartFakeOllama
from tests.faults.service import (
    MakePatient,
    Service,
    begun,
    ended,
    eventually,
    is_healed,
    shown,
    stages,
    state_is,
    whole,
)

WRITES = ("--rate=40", "--tokens=60")


async def test_row_11_the_service_is_killed(service: Service, patient: MakePatient) -> None:
    """Inject: kill -9 in mid-answer. Expect: noticed at once, one restart, asked again."""
    await service.start(*WRITES)
    site = await patient()
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        service.kill()

        assert await state_is(tab, "dead", "restarting", seconds=6)
        await is_healed(tab, asked, 60)
        await site.is_well()

    assert site.ladder() == ["restarting"]
    assert [each["cause"] for each in site.status()["restarts"]["engine"]] == ["dead"]
    assert service.restarts == 1


async def test_row_11_the_service_is_killed_and_its_unit_starts_it_again(
    service: Service, patient: MakePatient
) -> None:
    """Inject: kill -9; systemd itself starts it again. Expect: not restarted once more by us."""
    await service.start(*WRITES)
    site = await patient()
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        with service.in_other_hands():
            service.kill()
            await asyncio.sleep(2)
            await service.start()

        await is_healed(tab, asked, 60)
        await site.is_well()

    assert site.ladder() == []
    assert service.restarts == 0


async def test_row_12_the_runner_is_killed_in_mid_answer(
    service: Service, patient: MakePatient
) -> None:
    """Inject: kill -9 of the runner. Expect: interrupted at once, one retry, no restart."""
    await service.start(*WRITES, "--runner=plain")
    site = await patient()
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        os.kill(await service.runner(), signal.SIGKILL)

        await tab.until("queued", asked["answer"], seconds=5)
        await is_healed(tab, asked, 60)
        await site.is_well()

    assert site.ladder() == []
    assert service.restarts == 0


async def test_row_13_exits_at_each_start(service: Service, patient: MakePatient) -> None:
    """Inject: a bad binary. Expect: 3 restarts, FAILED and told; questions are taken and kept; one
    more try after a while heals it.
    """
    await service.start(*WRITES)
    site = await patient(retry_seconds=3)
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        service.runs("--exit-at-start=1")
        service.kill()

        failed = await tab.next("engine", where=lambda told: told["engine"]["state"] == "failed")
        restarts = service.restarts
        service.runs(*WRITES)
        async with site.tab("marc") as other:
            assert other.hello["engine"]["state"] == "failed"
            kept = await other.ask("Et moi ?")
            await is_healed(tab, asked, 60)
            assert (await ended(other, kept))["state"] == "done"
            assert stages(other, kept)[0] == "queued"

    assert failed["engine"]["reason"] == "budget_spent"
    assert restarts == 3
    assert service.restarts == 4
    assert site.ladder() == ["restarting"] * 3 + ["failed", "restarting"]


async def test_row_14_the_port_is_taken(
    service: Service, patient: MakePatient, start_fake_ollama: StartFakeOllama
) -> None:
    """Inject: another program has the port. Expect: FAILED and why; it is never restarted."""
    service.runs("--exit-at-start=1")
    await asyncio.to_thread(service.systemctl, "start")
    other = await asyncio.to_thread(start_fake_ollama, f"--port={service.port}")
    site = await patient()
    async with site.tab() as tab:
        failed = tab.hello["engine"]
        asked = await tab.ask("[[tokens=20]] Explique.")
        await asyncio.sleep(4)
        queued = await asyncio.to_thread(site.status)
        other.process.kill()
        other.process.wait()
        await service.start(*WRITES)

        turn = await ended(tab, asked)

    assert (failed["state"], failed["reason"]) == ("failed", "port_taken")
    assert queued["turns"]["queued"] == 1
    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert service.restarts == 0


async def test_row_15_the_runner_is_killed_each_time(
    service: Service, patient: MakePatient
) -> None:
    """Inject: the runner is killed by a signal at both attempts (without a cgroup nothing says
    that it was for want of memory). Expect: told; no third attempt, no restart; others served.
    """
    await service.start(*WRITES, "--runner=plain")
    site = await patient()
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        os.kill(await service.runner(), signal.SIGKILL)
        await tab.next("rewrite")
        os.kill(await service.runner(), signal.SIGKILL)

        turn = await ended(tab, asked)
        other = await tab.ask("[[tokens=20]] Et ceci ?")
        assert (await ended(tab, other))["state"] == "done"

    assert (turn["state"], turn["attempt"]) == ("interrupted", 2)
    assert turn["error"] == {"code": "engine_killed", "fields": {"signal": "SIGKILL"}}
    assert whole(60).startswith(shown(tab, asked))
    assert shown(tab, asked)
    assert site.ladder() == []
    assert service.restarts == 0


async def test_row_16_stopped_by_a_person(service: Service, patient: MakePatient) -> None:
    """Inject: systemctl stop. Expect: STOPPED, never restarted; the question goes on at a start."""
    await service.start(*WRITES)
    site = await patient()
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        await service.stop()

        await state_is(tab, "stopped", seconds=10)
        await asyncio.sleep(4)
        assert site.status()["engine"]["state"] == "stopped"
        async with site.tab("marc") as other:
            kept = await other.ask("Et moi ?")
            await service.start()
            await is_healed(tab, asked, 60)
            assert (await ended(other, kept))["state"] == "done"

    assert site.ladder() == []
    assert service.restarts == 0


async def test_row_17_restarted_by_a_person(service: Service, patient: MakePatient) -> None:
    """Inject: a manual restart that takes a while. Expect: no restart of ours, asked again."""
    await service.start(*WRITES)
    site = await patient()
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        with service.in_other_hands():
            await service.stop()
            await asyncio.sleep(4)
            await service.start()

        await is_healed(tab, asked, 60)
        await site.is_well()

    assert site.ladder() == []
    assert service.restarts == 0


async def test_row_18_the_engine_ignores_sigterm(service: Service, patient: MakePatient) -> None:
    """Inject: hung, the model stays, SIGTERM is ignored. Expect: SIGKILL, asked again."""
    await service.start(
        *WRITES, "--deaf", """--script={"hang_after": 20, "unload_ignored": true}"""
    )
    before = service.pid
    service.runs(*WRITES)
    site = await patient()
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)

        await is_healed(tab, asked, 60)
        await site.is_well()

    assert site.ladder() == ["cancelling", "unloading", "restarting"]
    assert service.pid != before
    assert service.restarts == 1


async def test_row_34_the_restart_is_not_permitted(service: Service, patient: MakePatient) -> None:
    """Inject: systemctl refuses the restart. Expect: FAILED at once and why, no loop; the questions
    go on once a person has restarted it.
    """
    await service.start(*WRITES)
    service.refuse("Failed to restart ollama.service: Access denied")
    site = await patient(restart_seconds=600, backoff_max_seconds=60)
    async with site.tab() as tab:
        await service.script(hang_after=20, unload_ignored=True)
        asked = await tab.ask("Explique.")
        await begun(tab, asked)

        failed = await tab.next(
            "engine", where=lambda told: told["engine"]["state"] == "failed", seconds=60
        )
        await asyncio.sleep(3)
        asks = service.restarts
        await service.stop()
        await service.start()
        await is_healed(tab, asked, 60)

    assert failed["engine"]["reason"] == "cannot_restart"
    assert "not_permitted" in [each["evidence"].get("refusal") for each in site.incidents()]
    assert asks == 1
    assert service.restarts == 1


@pytest.mark.soak
async def test_row_34_the_restart_is_permitted_after_all(
    service: Service, patient: MakePatient
) -> None:
    """Inject: systemctl refuses the restart; later it obeys. Expect: tried again, and healed."""
    await service.start(*WRITES)
    service.refuse("Failed to restart ollama.service: Access denied")
    site = await patient(retry_seconds=4, backoff_max_seconds=600)
    async with site.tab() as tab:
        await service.script(hang_after=20, unload_ignored=True)
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        await state_is(tab, "failed")

        service.permit()
        await is_healed(tab, asked, 60)

    await site.is_well()
    assert service.restarts >= 2


@pytest.mark.soak
async def test_row_34_an_engine_without_a_unit_cannot_be_restarted(
    service: Service, patient: MakePatient, start_fake_ollama: StartFakeOllama
) -> None:
    """Inject: hung; no systemd knows it. Expect: FAILED and why; the question is kept."""
    (service.folder / "bin" / "systemctl").unlink()
    fake = await asyncio.to_thread(start_fake_ollama, f"--port={service.port}", *WRITES)
    site = await patient(gap_soft_min_seconds=1, hard_factor=3, backoff_max_seconds=60)
    async with site.tab() as tab:
        await fake.script(hang_after=20, unload_ignored=True)
        asked = await tab.ask("Explique.")
        await begun(tab, asked)

        failed = await tab.next("engine", where=lambda told: told["engine"]["state"] == "failed")
        fake.process.kill()
        fake.process.wait()
        await state_is(tab, "unreachable")
        await asyncio.to_thread(start_fake_ollama, f"--port={service.port}", *WRITES)
        await is_healed(tab, asked, 60)

    assert failed["engine"]["reason"] == "cannot_restart"
    assert service.restarts == 0
    await eventually(lambda: site.status()["engine"]["state"] == "ready")
