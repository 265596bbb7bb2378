"""Rows 1 to 10: an engine that says nothing, or little, and is hung or only slow."""

import asyncio
import os
import signal

import pytest

from tests.faults.service import (
    MakePatient,
    Patient,
    Service,
    begun,
    ended,
    eventually,
    is_healed,
    shown,
    stages,
    state_is,
    states,
    turns,
    whole,
)
from tests.running_daemon import Json, Socket

WRITES = {"rate": 80, "tokens": 60}
HANGS = WRITES | {"hang_after": 20}


async def hangs(tab: Socket, service: Service, **told: object) -> Json:
    """Ask what hangs in mid-answer, and would not a second time."""
    await service.script(**HANGS, **told)
    asked = await tab.ask("Explique.")
    await begun(tab, asked)
    await service.script(hang_after=None)
    return asked


async def answers(tab: Socket, text: str = "[[tokens=20]] Et ensuite ?") -> None:
    asked = await tab.ask(text)
    assert (await ended(tab, asked))["state"] == "done"


def was_left_alone(site: Patient) -> bool:
    return site.ladder() == [] and site.service.restarts == 0


async def test_row_01_stops_mid_stream_with_an_idle_cpu(
    service: Service, patient: MakePatient
) -> None:
    """Inject: no token after the 20th, CPU 0. Expect: cancelled, unloaded, asked again."""
    await service.start()
    site = await patient()
    async with site.tab() as tab:
        asked = await hangs(tab, service)

        await is_healed(tab, asked, 60)
        await site.is_well()

    assert site.verdicts()[:4] == ["suspect", "hung_idle", "cancelling", "unloading"]
    assert set(states(tab)) >= {"suspect", "ready"}
    state = await service.state()
    assert (state["cancelled"], state["requests"], state["loads"]) == (1, 2, 2)
    assert service.restarts == 0


@pytest.mark.soak
@pytest.mark.timeout(600)
async def test_row_01_at_default_times(service: Service, patient: MakePatient) -> None:
    """Inject: as row 1. Expect: hung within 60 s, answered within 120 s, no restart."""
    await service.start()
    site = await patient(limits={})
    clock = asyncio.get_running_loop().time
    async with site.tab() as tab:
        asked = await hangs(tab, service)
        at = clock()

        await state_is(tab, "hung_idle", "cancelling", seconds=60)
        await tab.next("rewrite", seconds=60)
        assert clock() - at < 100
        await is_healed(tab, asked, 60)

    assert service.restarts == 0


async def test_row_02_a_frozen_runner_behind_green_probes(
    service: Service, patient: MakePatient
) -> None:
    """Inject: SIGSTOP of the runner. Expect: as row 1, in another runner."""
    await service.start()
    await service.script(**WRITES, runner="plain")
    site = await patient()
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        frozen = await service.runner()
        os.kill(frozen, signal.SIGSTOP)

        await is_healed(tab, asked, 60)
        await site.is_well()

    assert site.ladder() == ["cancelling", "unloading"]
    assert await service.runner() != frozen
    assert service.restarts == 0


@pytest.mark.soak
async def test_row_02_the_whole_engine_is_frozen(service: Service, patient: MakePatient) -> None:
    """Inject: SIGSTOP of the service. Expect: no unload can work; one restart, asked again."""
    await service.start()
    await service.script(**WRITES)
    site = await patient()
    service.runs("--rate=80", "--tokens=60")
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        service.kill(signal.SIGSTOP)

        await is_healed(tab, asked, 60)
        await site.is_well()

    assert site.ladder()[-1] == "restarting"
    assert service.restarts == 1


async def test_row_03_the_unload_never_completes(service: Service, patient: MakePatient) -> None:
    """Inject: as row 1, the model stays. Expect: one restart, asked again."""
    service.runs("--rate=80", "--tokens=60")
    await service.start()
    site = await patient()
    async with site.tab() as tab:
        asked = await hangs(tab, service, unload_ignored=True)

        await is_healed(tab, asked, 60)
        await site.is_well()

    assert site.ladder() == ["cancelling", "unloading", "restarting"]
    assert service.restarts == 1


async def test_row_04_silent_with_a_busy_cpu(service: Service, patient: MakePatient) -> None:
    """Inject: spins from the 20th token on. Expect: SLOW; only past the hard budget cancelled."""
    await service.start()
    site = await patient(gap_soft_min_seconds=1, gap_soft_max_seconds=2, hard_factor=6)
    async with site.tab() as tab:
        asked = await hangs(tab, service, runner="plain", spin=True)

        await is_healed(tab, asked, 60)
        await site.is_well()

    verdicts = site.verdicts()
    assert verdicts.index("slow") < verdicts.index("hung_spin") < verdicts.index("cancelling")
    assert "hung_idle" not in verdicts
    (spun,) = [each for each in site.incidents() if each["after"] == "hung_spin"]
    assert spun["evidence"]["silence_seconds"] >= spun["evidence"]["hard_seconds"]
    assert service.restarts == 0


async def test_row_05_slow_but_alive(service: Service, patient: MakePatient) -> None:
    """Inject: a token at two thirds of the soft budget. Expect: nothing is done."""
    await service.start("--rate=0.7", "--tokens=6")
    site = await patient(gap_soft_min_seconds=2.2)
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")

        turn = await ended(tab, asked)

    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert shown(tab, asked) == whole(6)
    assert was_left_alone(site)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_row_05_at_default_times(service: Service, patient: MakePatient) -> None:
    """Inject: a token every 20 s for 600 s. Expect: nothing is done, nothing is suspected."""
    await service.start("--rate=0.05", "--tokens=31")
    site = await patient(limits={})
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")

        turn = await ended(tab, asked, seconds=800)

    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert shown(tab, asked) == whole(31)
    assert site.verdicts() == []


async def test_row_06_reads_for_long_with_a_busy_cpu(
    service: Service, patient: MakePatient
) -> None:
    """Inject: reads in silence for four soft budgets, CPU high. Expect: "reading", no action."""
    await service.start()
    await service.script(**WRITES, runner="plain", spin=True, first_token_delay=6)
    site = await patient(read_hard_min_seconds=30)
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await tab.until("reading", asked["answer"], seconds=5)

        turn = await ended(tab, asked)

    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert was_left_alone(site)
    assert "hung_idle" not in site.verdicts()


async def test_row_07_a_first_load_is_long_and_reads_the_disk(
    service: Service, patient: MakePatient
) -> None:
    """Inject: loads for four soft budgets with disk reads. Expect: "loading", no action."""
    await service.start()
    await service.script(**WRITES, load_reads=True, load_seconds=6)
    site = await patient()
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")
        await tab.until("loading", asked["answer"], seconds=5)
        await asyncio.sleep(4)
        state = (await asyncio.to_thread(site.status))["engine"]["state"]

        turn = await ended(tab, asked)

    assert state == "loading"
    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert was_left_alone(site)


async def test_row_08_a_load_is_stuck_twice(service: Service, patient: MakePatient) -> None:
    """Inject: loads of one model never end. Expect: a restart; then that model is offered no more,
    another one is, and a person's reset forgives it.
    """
    service.runs("""--script={"hangs": ["generate"]}""")
    await service.start()
    site = await patient()
    async with site.tab() as tab:
        first = service.pid
        asked = await tab.ask("Explique.")
        await state_is(tab, "hung_idle", "cancelling", "restarting")
        await eventually(
            lambda: service.pid != first
        )  # it hangs again; only its next start is well
        service.runs()

        turn = await ended(tab, asked)
        await eventually(lambda: service.restarts == 2)
        await site.is_well()
        question = {"conversation": None, "client_id": "x", "parent": None, "model": "couac:1b"}
        again = await tab.request("chat.ask", text="Encore.", **question)
        await answers(tab, "[[tokens=20]] Et ici ?")
        site.daemon.control("POST", "/v1/engine/reset")
        forgiven = await tab.ask("[[tokens=20]] Encore.", model="couac:1b")
        assert (await ended(tab, forgiven))["state"] == "done"

    assert turn["state"] in {"failed", "interrupted"}
    assert turn["error"]["code"] == "model_quarantined"
    assert again["code"] == "model_quarantined"
    assert "unloading" not in site.ladder()
    assert service.restarts == 2


async def test_row_09_probes_are_green_and_generation_never_starts(
    service: Service, patient: MakePatient
) -> None:
    """Inject: /api/version answers, nothing else does any more. Expect: the whole ladder."""
    await service.start()
    site = await patient()
    async with site.tab() as tab:
        await answers(tab)
        await service.script(hangs=["chat", "generate"])
        asked = await tab.ask("[[tokens=20]] Explique.")

        turn = await ended(tab, asked)
        await site.is_well()

    assert (turn["state"], turn["attempt"]) == ("done", 2)
    assert shown(tab, asked) == whole(20)
    assert [each for each in stages(tab, asked) if each == "queued"]
    assert any(each["is_healing"] for each in turns(tab, asked))
    assert site.ladder() == ["cancelling", "unloading", "restarting"]
    assert service.restarts == 1


async def test_row_10_only_the_inventory_hangs(service: Service, patient: MakePatient) -> None:
    """Inject: /api/ps hangs, tokens flow. Expect: no action; it is told in the log."""
    await service.start("""--script={"hangs": ["ps"], "rate": 10, "tokens": 30}""")
    site = await patient(load_soft_min_seconds=10)
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")

        turn = await ended(tab, asked)

    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert shown(tab, asked) == whole(30)
    assert was_left_alone(site)
    assert "inventory does not answer" in site.daemon.log
    assert (await service.state())["most_open"]["ps"] <= 4
