"""The real daemon heals a real llama.cpp; nobody touches anything between the fault and the answer.

The times of a run are shown at its end. `make soak` runs the faults again with the defaults of
`[watchdog]`, against the deadlines we promise.
"""

import asyncio
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from benchmarks.report import table
from tests.faults import llama
from tests.faults.llama import (
    DECODER_FROZEN,
    DECODER_FROZEN_READING,
    KILLED_LOADING,
    KILLED_READING,
    KILLED_WRITING,
    NO_OLLAMA,
    STOPPED_LOADING,
    STOPPED_READING,
    STOPPED_WRITING,
    STORY,
    Fault,
    Healing,
    disturbed,
    its_child,
    opened_tab,
    truncated,
)
from tests.faults.llama_scenes import (
    BAD_FILE_SETTINGS,
    CROWD_SETTINGS,
    PEOPLE,
    STOPPED_SETTINGS,
    bad_file,
    crowd,
    stopped_reading,
    taken_port,
)
from tests.running_daemon import RunningDaemon

SOFT_SECONDS = 3.0
CONFIRM_SECONDS = 2.0
SHORT = (
    f"watchdog.gap_soft_min_seconds={SOFT_SECONDS}",
    f"watchdog.read_soft_min_seconds={SOFT_SECONDS}",
    f"watchdog.load_soft_min_seconds={SOFT_SECONDS}",
    f"watchdog.confirm_seconds={CONFIRM_SECONDS}",
    "watchdog.confirm_samples=2",
    "watchdog.grace_seconds=1",
    "watchdog.cancel_seconds=1",
)
ROOM_SECONDS = 15.0  # looks at an engine that answers no page take some 4 s each
DEAD_SECONDS = 5.0
QUIET_CORES = 0.2
DRAIN_SECONDS = 30.0
ONE_BREATH_SECONDS = 0.1
ORPHAN_SECONDS = 2.0

NewSite = Callable[..., RunningDaemon]


@pytest.fixture(scope="module")
def told(request: pytest.FixtureRequest) -> Iterator[list[Healing]]:
    """Collect what was measured; it is shown once the file is done."""
    found: list[Healing] = []
    yield found
    capture = request.config.pluginmanager.get_plugin("capturemanager")
    if found and capture is not None:
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"\n{table([asdict(each) for each in found])}\n")


@pytest.fixture
def models(starter_model: Path, tmp_path: Path) -> Path:
    """Return a folder of models with the good one."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "bon.gguf").symlink_to(starter_model)
    return folder


@pytest.fixture
def new_site(models: Path, tmp_path: Path) -> Iterator[NewSite]:
    """Start daemons on the folder of models, with ada, claire, lea and marc."""
    started: list[RunningDaemon] = []

    def start(*settings: str) -> RunningDaemon:
        site = RunningDaemon(tmp_path, NO_OLLAMA, *llama.settings(models, "bon", *settings))
        started.append(site.start())
        for login in PEOPLE:
            site.add_user(login)
        return site

    yield start
    for site in started:
        site.kill()


def verdicts(site: RunningDaemon) -> list[str]:
    """Return what the watchdog said that is worth an incident, oldest first."""
    _, answer = site.control("GET", "/v1/engine/incidents?limit=200")
    return [each["after"] for each in reversed(answer["incidents"])]


def has_healed(healing: Healing) -> None:
    """Check what holds of every fault: the same question, whole, and what was written kept."""
    assert (healing.state, healing.attempts) == ("done", 2), healing
    assert healing.answering_after_s is not None, healing
    assert healing.detected_after_s is not None, healing
    assert healing.detected_after_s < healing.answering_after_s, healing
    healed, anew = (healing.saw.find(words) for words in ("queued, healing", "begun anew"))
    assert 0 <= healed < anew, healing  # the text stays until there is another


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(STOPPED_WRITING, marks=pytest.mark.soak),
        pytest.param(STOPPED_READING, marks=pytest.mark.soak),
        DECODER_FROZEN,  # the one that probes do not see
    ],
    ids=lambda fault: fault.name,
)
async def test_a_frozen_engine_is_recognised_and_the_question_answered(
    fault: Fault, new_site: NewSite, models: Path, told: list[Healing]
) -> None:
    healing = await disturbed(new_site(*SHORT), "ada", models / "bon.gguf", fault)

    told.append(healing)
    has_healed(healing)
    assert healing.verdict == "hung_idle"
    assert healing.detected_after_s is not None
    assert healing.detected_after_s >= CONFIRM_SECONDS
    assert healing.detected_after_s <= SOFT_SECONDS + CONFIRM_SECONDS + ROOM_SECONDS


@pytest.mark.parametrize(
    "fault",
    [KILLED_WRITING, pytest.param(KILLED_LOADING, marks=pytest.mark.soak)],
    ids=lambda fault: fault.name,
)
async def test_a_killed_engine_is_back_and_the_question_answered(
    fault: Fault, new_site: NewSite, models: Path, told: list[Healing]
) -> None:
    healing = await disturbed(new_site(), "ada", models / "bon.gguf", fault)

    told.append(healing)
    has_healed(healing)
    assert healing.verdict == "dead"
    assert healing.answering_after_s is not None
    assert healing.answering_after_s <= DEAD_SECONDS + ROOM_SECONDS


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("fault", "within_seconds"),
    [
        (STOPPED_WRITING, 60),
        (DECODER_FROZEN, 60),
        (STOPPED_READING, 90),
        (DECODER_FROZEN_READING, 90),
        (STOPPED_LOADING, 90),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
async def test_a_frozen_engine_is_recognised_in_time_by_default(
    fault: Fault, within_seconds: float, new_site: NewSite, models: Path, told: list[Healing]
) -> None:
    healing = await disturbed(new_site(), "ada", models / "bon.gguf", fault)

    told.append(healing)
    has_healed(healing)
    assert healing.detected_after_s is not None
    assert healing.detected_after_s <= within_seconds


@pytest.mark.soak
@pytest.mark.parametrize("fault", [KILLED_WRITING, KILLED_READING], ids=lambda fault: fault.name)
async def test_a_killed_engine_answers_again_in_time_by_default(
    fault: Fault, new_site: NewSite, models: Path, told: list[Healing]
) -> None:
    healing = await disturbed(new_site(), "ada", models / "bon.gguf", fault)

    told.append(healing)
    has_healed(healing)
    assert healing.reading_after_s is not None
    assert healing.load_s is not None
    # From there on it reads, which a long prompt makes long.
    assert healing.reading_after_s <= DEAD_SECONDS + healing.load_s


# --- a file that is no model ----------------------------------------------------------------------


async def test_a_corrupt_model_alone_is_told_and_no_death_of_the_engine(
    new_site: NewSite, models: Path, starter_model: Path, told: list[Healing]
) -> None:
    (models / "bon.gguf").unlink()
    bad = truncated(starter_model, models / "bon.gguf")
    site = new_site(*BAD_FILE_SETTINGS)

    seen = await bad_file(site, bad, starter_model)

    told.append(seen.healing)
    assert (seen.turn["state"], seen.turn["error"]["code"]) == ("failed", "model_broken")
    assert seen.refused["type"] == "error", seen
    assert seen.refused["code"] == "no_model"
    assert seen.mended["state"] == "done"
    assert not llama.HUNG & set(verdicts(site))


async def test_a_corrupt_model_beside_a_good_one_leaves_the_others_served(
    new_site: NewSite, models: Path, starter_model: Path
) -> None:
    truncated(starter_model, models / "tronque.gguf")
    (models / "poubelle.gguf").write_bytes(b"ceci n'est pas un modele" * 100)
    site = new_site("chat.answer_tokens=40")
    async with opened_tab(site, "ada") as ada, opened_tab(site, "claire") as claire:
        first = await claire.ask("Bonjour")
        bad = [await ada.ask(STORY, model=model) for model in ("tronque", "poubelle", "tronque")]
        second = await claire.ask(STORY)
        turns = [await ada.ended(asked["answer"], 60) for asked in bad]
        served = [await claire.ended(asked["answer"], 60) for asked in (first, second)]

    assert {turn["error"]["code"] for turn in turns} == {"model_broken"}
    assert [turn["state"] for turn in served] == ["done", "done"]
    assert not llama.HUNG & set(verdicts(site))


# --- the port -------------------------------------------------------------------------------------


async def test_a_child_whose_port_is_taken_gets_another(
    new_site: NewSite, told: list[Healing]
) -> None:
    seen = await taken_port(new_site())

    told.append(seen.healing)
    has_healed(seen.healing)
    assert seen.port not in seen.ports


# --- many at once, and a long prompt --------------------------------------------------------------


async def test_eight_chats_on_two_slots_are_all_answered_and_nobody_waits_for_one_who_asks_much(
    new_site: NewSite, told: list[Healing]
) -> None:
    seen = await crowd(new_site(*CROWD_SETTINGS))

    told.append(seen.healing)
    assert [turn["state"] for turn in seen.turns] == ["done"] * 8
    assert all(seen.texts)
    for began, _ in seen.spans:
        assert sum(other <= began < end for other, end in seen.spans) <= 2
    starts = [began for began, _ in seen.spans]
    # Of ada's five, at most two had begun when nobody else had asked yet. Two slots that come free
    # at once are given out in one breath: which of the two says its first word first is chance.
    assert max(starts[5:]) <= starts[2] + ONE_BREATH_SECONDS


async def test_a_long_prompt_cancelled_while_it_is_read_holds_its_slot_until_the_engine_lets_go(
    new_site: NewSite, told: list[Healing]
) -> None:
    site = new_site(*STOPPED_SETTINGS)

    seen = await stopped_reading(site)

    told.append(seen.healing)
    assert seen.turn["state"] == "stopped"
    assert seen.said_after < seen.let_go_after <= DRAIN_SECONDS, seen
    # What the engine still had to compute was done before the next question was given to it.
    assert seen.answering < seen.drained, seen
    assert seen.cores_after < QUIET_CORES, seen
    assert seen.answered["state"] == "done"
    assert not llama.HUNG & set(verdicts(site))
    assert seen.is_alive


# --- the daemon itself ----------------------------------------------------------------------------


async def test_a_daemon_that_is_killed_leaves_no_llama_and_answers_again(
    new_site: NewSite,
) -> None:
    site = new_site()
    async with opened_tab(site, "ada") as tab:
        asked = await tab.ask(STORY)
        await tab.writes(asked["answer"])
        child = its_child(site)
        site.kill()
        async with asyncio.timeout(ORPHAN_SECONDS):
            while has_not_ended(child):  # noqa: ASYNC110 -- another's child ends without an event
                await asyncio.sleep(0.02)
    site.start("chat.answer_tokens=40")
    async with opened_tab(site, "ada") as tab:
        again = await tab.ask("Bonjour", conversation=asked["conversation"], parent=asked["answer"])
        turn = await tab.ended(again["answer"], 60)

    assert turn["state"] == "done"


def has_not_ended(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
