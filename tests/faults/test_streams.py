"""Rows 19 to 27: streams that break, never end, or outlive who reads them; poison."""

import asyncio

import psutil
import pytest

from tests.faults.service import (
    MakePatient,
    Service,
    begun,
    ended,
    is_healed,
    shown,
    stages,
    turns,
    whole,
)
from tests.running_daemon import positions, text_of

WRITES = ("--rate=40", "--tokens=60")
LINES_MAX_BYTES = 64 << 20  # what three lines of 10 MB may cost for a moment


async def test_row_19_busy_three_times_then_well(service: Service, patient: MakePatient) -> None:
    """Inject: 503 "queue full" three times. Expect: answered after the back-off, no restart."""
    await service.start(*WRITES)
    await service.script(status=503, status_times=3)
    site = await patient(read_soft_min_seconds=30)
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")

        turn = await ended(tab, asked, seconds=30)

    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert shown(tab, asked) == whole(60)
    assert (await service.state())["requests"] == 4
    assert site.verdicts() == []
    assert service.restarts == 0


# What breaks the stream after so many tokens, and the reason that people are told.
CUTS = {
    "eof_after": "no_final_frame",  # row 20
    "error_after": "an error was encountered while running the model: told to",  # row 21
    "malformed_after": "malformed_line",  # row 22
    "huge_line_after": "line_too_long",
    "reset_after": None,  # row 23: RST
}


async def test_rows_20_to_23_a_stream_that_is_cut(service: Service, patient: MakePatient) -> None:
    """Inject: streams that break after 20 tokens, at every attempt and at the first one only.
    Expect: one retry, then an honest error, the text kept; or healed by it. No restart.
    """
    await service.start(*WRITES)
    site = await patient("engine.slots=10", "chat.waiting_per_person=10")
    process = psutil.Process(site.daemon.pid)
    async with site.tab() as tab:
        before = process.memory_info().rss
        always = {fault: await tab.ask(f"[[{fault}=20]] Explique.") for fault in CUTS}
        once = [await tab.ask(f"[[{fault}=20 once]] Explique.") for fault in CUTS]
        for fault, asked in always.items():
            turn = await ended(tab, asked)
            assert (turn["state"], turn["attempt"]) == ("interrupted", 2), fault
            assert turn["error"]["code"] == "answer_interrupted", fault
            reason = turn["error"]["fields"]["reason"]
            assert reason == (CUTS[fault] or reason), fault
            assert shown(tab, asked) == whole(20), fault
            assert any(each["is_healing"] for each in turns(tab, asked)), fault
        for asked in once:
            await is_healed(tab, asked, 60)
        grown = process.memory_info().rss - before

    assert grown < LINES_MAX_BYTES
    assert (await service.state())["requests"] == 20
    assert site.ladder() == []
    assert service.restarts == 0


async def test_row_22_an_answer_in_slices_of_one_byte(
    service: Service, patient: MakePatient
) -> None:
    """Inject: every byte by itself, also inside letters. Expect: put together as it was."""
    await service.start("--tokens=60", """--script={"sliced": true}""")
    site = await patient()
    async with site.tab() as tab:
        asked = await tab.ask("Explique.")

        turn = await ended(tab, asked)

    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert shown(tab, asked) == whole(60)


async def test_row_23_a_half_open_connection(service: Service, patient: MakePatient) -> None:
    """Inject: the engine neither reads nor writes any more, nor closes. Expect: as row 1."""
    await service.start(*WRITES)
    site = await patient()
    async with site.tab() as tab:
        await service.script(half_open_after=20)
        asked = await tab.ask("Explique.")
        await begun(tab, asked)
        await service.script(half_open_after=None)

        await is_healed(tab, asked, 60)
        await site.is_well()

    assert site.ladder() == ["cancelling", "unloading"]
    assert service.restarts == 0


async def test_row_24_an_endless_answer(service: Service, patient: MakePatient) -> None:
    """Inject: an answer without end. Expect: cut at `num_predict`; where that takes too long, by
    the total budget. What is written is the answer; the engine is left alone.
    """
    await service.start("--rate=20", "--tokens=1000000")
    site = await patient("chat.answer_tokens=200", total_min_seconds=3, total_max_seconds=4)
    async with site.tab() as tab:
        asked = await tab.ask("[[rate=2000]] Explique.")
        predicted = await ended(tab, asked)
        long = await tab.ask("Explique.")
        overdue = await ended(tab, long)
        after = await tab.ask("[[tokens=20 rate=100]] Et ceci ?")
        assert (await ended(tab, after))["state"] == "done"

    for turn in (predicted, overdue):
        assert (turn["state"], turn["finish_reason"], turn["attempt"]) == ("done", "length", 1)
    assert shown(tab, asked) == whole(200)
    assert whole(200).startswith(shown(tab, long))
    assert (await service.state(wait_idle=5))["cancelled"] == 1
    assert site.ladder() == []
    assert service.restarts == 0


@pytest.mark.parametrize("obeys", [True, False])
async def test_row_25_stopped_while_reading(
    service: Service, patient: MakePatient, *, obeys: bool
) -> None:
    """Inject: a person stops in the middle of the reading; the engine obeys, or goes on. Expect:
    stopped at once; the next waits until the engine is free, or was unloaded; no restart.
    """
    await service.start(*WRITES, "--runner=plain")
    site = await patient(read_soft_min_seconds=30)
    spin = "spin" if obeys else "spin_on"
    clock = asyncio.get_running_loop().time
    async with site.tab() as tab, site.tab("marc") as other:
        asked = await tab.ask(f"[[hang_before_first {spin}]] Lis.")
        await tab.until("reading", asked["answer"])
        runner = await service.runner()
        kept = await other.ask("Et moi ?")
        await asyncio.sleep(4)
        turn = turns(tab, asked)[-1]
        began = clock()
        await tab.request("chat.stop", turn=turn["id"])
        stopped = await ended(tab, asked, seconds=3)
        assert clock() - began < 2
        assert stages(other, kept)[-1:] != ["reading"]

        assert (await ended(other, kept))["state"] == "done"
        await site.is_well()

    assert (stopped["state"], stopped["error"]) == ("stopped", None)
    assert site.ladder() == ([] if obeys else ["unloading"])
    assert (await service.runner() == runner) == obeys
    assert service.restarts == 0


async def test_row_26_the_browser_is_gone_for_a_while(
    service: Service, patient: MakePatient
) -> None:
    """Inject: the tab is closed in mid-answer and comes back. Expect: no gap, no repeat."""
    await service.start(*WRITES)
    site = await patient()
    async with site.daemon.browser("claire") as browser:
        async with browser.ws() as tab:
            asked = await tab.ask("[[tokens=100]] Explique.")
            await begun(tab, asked)
            seen = [each for each in tab.messages if "n" in each]
            epoch = tab.hello["epoch"]
        await asyncio.sleep(1)
        async with browser.ws() as tab:
            position = {"epoch": epoch, "n": seen[-1]["n"]}
            await tab.watch(asked["conversation"], position)
            turn = await ended(tab, asked)
            seen += [each for each in tab.messages if "n" in each]

    assert (turn["state"], turn["attempt"]) == ("done", 1)
    assert positions(seen) == list(range(seen[0]["n"], seen[-1]["n"] + 1))
    assert text_of(asked["answer"], seen) == whole(100)
    state = await service.state()
    assert (state["requests"], state["cancelled"]) == (1, 0)


async def test_row_27_the_same_prompt_hangs_twice(service: Service, patient: MakePatient) -> None:
    """Inject: a prompt that hangs each time. Expect: put aside after the second, others served;
    no restart is spent on it.
    """
    await service.start(*WRITES)
    site = await patient()
    async with site.tab() as tab, site.tab("marc") as other:
        asked = await tab.ask("[[hang_after=20]] Explique.")
        await begun(tab, asked)
        kept = await other.ask("Et moi ?")

        turn = await ended(tab, asked)
        assert (await ended(other, kept))["state"] == "done"
        await site.is_well()

    assert (turn["state"], turn["attempt"]) == ("failed", 2)
    assert turn["error"]["code"] == "question_quarantined"
    assert shown(tab, asked) == whole(20)
    assert site.ladder() == ["cancelling", "unloading"] * 2
    assert (await service.state())["requests"] == 3
    assert service.restarts == 0
