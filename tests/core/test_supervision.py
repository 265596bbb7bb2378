"""The fault table of the note, row by row: what the supervisor makes of each, and how fast."""

import pytest

from couachgptd.core.budgets import Limits
from couachgptd.core.snapshots import Phase, Process
from couachgptd.core.verdicts import (
    USED_BY_OTHERS,
    Cancel,
    CancelReason,
    FailedReason,
    QuarantineModel,
    QuarantineReason,
    QuarantineTurn,
    Restart,
    Unload,
    Verdict,
    reset,
    restored,
    saved,
)
from couachgptd.core.vitals import Abilities
from tests.core.simulated_engine import World

LADDER = (Cancel, Unload, Restart)
NEVER = float("inf")


def ready(**features: object) -> World:
    """Return a world whose engine has been well for a while."""
    world = World(slots=int(str(features.pop("slots", 1))))
    for name, value in features.items():
        setattr(world.engine, name, value)
    world.run(20)
    assert world.state.verdict is Verdict.READY
    return world


def writing(**features: object) -> World:
    """Return a world that has been writing a long answer for a while."""
    world = ready(**features)
    world.ask(1, answer_tokens=900)
    world.run(30)
    assert world.state.verdict is Verdict.BUSY
    assert world.attempts[1].phase is Phase.WRITE
    return world


def took(world: World, verdict: Verdict, since: float) -> float:
    """Return how many seconds after `since` the verdict was first taken."""
    return world.log.first(verdict, after=since) - since


def acted(world: World, *kinds: type) -> list[float]:
    return [at for at, _ in world.log.of(*(kinds or LADDER))]


def is_answered(world: World) -> bool:
    return all(question.end == "done" for question in world.questions)


# --- hung ------------------------------------------------------------------------------------


def test_row_01_stops_mid_stream_with_an_idle_cpu() -> None:
    world = writing()
    world.engine.wedge, at = "still", world.now

    world.run(60 + 400)

    assert took(world, Verdict.SUSPECT, at) <= 31
    assert took(world, Verdict.HUNG_IDLE, at) <= 47
    assert acted(world, Cancel)[0] - at <= 48
    assert took(world, Verdict.UNLOADING, at) <= 58
    assert took(world, Verdict.READY, at) <= 78
    assert acted(world, Restart) == []
    assert is_answered(world)


def test_row_02_our_child_is_frozen_while_it_writes() -> None:
    world = writing(is_ours=True)
    world.engine.wedge, world.engine.probe_ok, at = "still", False, world.now
    life = world.engine.life

    world.run(80)

    assert took(world, Verdict.HUNG_IDLE, at) <= 60
    assert world.engine.life > life
    world.run(600)
    assert is_answered(world)
    assert acted(world, Restart) == []


def test_row_02_our_child_is_frozen_while_it_reads() -> None:
    world = ready(is_ours=True, read_rate=10.0)
    world.ask(1, prompt_tokens=4000)
    world.run(40)
    world.engine.wedge, world.engine.probe_ok, at = "still", False, world.now

    world.run(90)

    assert took(world, Verdict.HUNG_IDLE, at) <= 90
    assert world.log.of(Cancel)


def test_row_02_a_frozen_runner_is_recognised_while_it_reads_though_all_probes_are_green() -> None:
    world = ready(read_rate=10.0)
    world.ask(1, prompt_tokens=4000)
    world.run(7)
    world.engine.wedge, at = "still", world.now

    world.run(90)

    assert took(world, Verdict.HUNG_IDLE, at) <= 90


def test_row_02_a_slow_model_is_frozen_and_its_long_gaps_are_no_excuse() -> None:
    world = ready(token_seconds=10.0)
    world.ask(1, answer_tokens=20)
    world.run(300)
    world.ask(2, answer_tokens=900)
    world.run(100)
    world.engine.wedge, at = "still", world.now

    world.run(70)

    assert took(world, Verdict.HUNG_IDLE, at) <= 60


def test_row_03_the_unload_never_completes() -> None:
    world = writing(unload_works=False)
    world.engine.wedge, at = "still", world.now

    world.run(460)

    assert took(world, Verdict.RESTARTING, at) <= 80
    assert took(world, Verdict.READY, at) <= 130
    assert len(acted(world, Restart)) == 1
    assert is_answered(world)


def test_row_04_silent_with_a_busy_cpu() -> None:
    world = writing()
    world.engine.wedge, at = "spin", world.now

    world.run(89)
    assert took(world, Verdict.SLOW, at) <= 47
    assert acted(world) == []

    world.run(400)
    assert 90 <= acted(world)[0] - at <= 106
    assert took(world, Verdict.HUNG_SPIN, at) <= 106
    assert is_answered(world)


def test_row_05_slow_but_alive_one_token_in_twenty_seconds() -> None:
    world = ready(token_seconds=20.0)
    world.ask(1, answer_tokens=900)

    world.run(600 + 3600)

    assert acted(world) == []
    assert world.log.first(Verdict.SUSPECT) == NEVER


def test_row_06_reads_for_400_seconds_in_silence() -> None:
    world = ready(read_rate=10.0)
    world.ask(1, prompt_tokens=4000)

    world.run(600)

    assert acted(world) == []
    assert is_answered(world)


@pytest.mark.parametrize("prompt_tokens", [10, 400])
def test_row_06_reads_400_seconds_of_a_prompt_that_looked_short(prompt_tokens: int) -> None:
    world = ready(read_rate=prompt_tokens / 400)
    world.ask(1, prompt_tokens=prompt_tokens)

    world.run(600)

    assert acted(world) == []
    assert is_answered(world)


def test_row_07_a_first_load_takes_200_seconds_with_disk_reads() -> None:
    world = ready(load_seconds=200.0)
    world.ask(1)

    world.run(150)
    assert world.state.verdict is Verdict.LOADING

    world.run(200)
    assert acted(world) == []
    assert world.log.first(Verdict.SUSPECT) == NEVER
    assert is_answered(world)


def test_row_08_a_load_is_stuck_twice() -> None:
    world = ready(wedges_on=Phase.LOAD, unload_works=False)
    world.ask(1)
    at = world.now

    world.run(400)

    assert took(world, Verdict.HUNG_IDLE, at) <= 60 + 15 + 2
    assert len(acted(world, Restart)) <= 2
    assert [each for _, each in world.log.of(QuarantineModel)] == [QuarantineModel("m")]
    world.ask(2, model="m")
    world.engine.wedges_on = None
    world.ask(3, model="other")
    world.run(300)
    assert [each.end for each in world.questions[1:]] == ["model quarantined", "done"]


def test_row_09_probes_are_green_and_generation_never_starts() -> None:
    world = ready(wedges_on=Phase.LOAD, unload_works=False)
    world.ask(1)
    at = world.now
    world.run(90)
    world.engine.wedges_on = None

    world.run(300)

    assert took(world, Verdict.READY, at) <= 150
    assert len(acted(world, Restart)) == 1
    assert is_answered(world)


def test_row_10_only_the_inventory_hangs() -> None:
    world = writing()
    world.engine.inventory_ok = False

    world.run(300)

    assert acted(world) == []
    assert is_answered(world)


# --- dead ------------------------------------------------------------------------------------


def test_row_11_the_service_is_killed_and_its_unit_starts_it_again() -> None:
    world = writing()
    world.kill()
    world.others_act, at = True, world.now
    world.run(6)
    assert took(world, Verdict.STARTING, at) <= 6

    world.others_act = False
    world.start_by_person()
    world.run(14)

    assert took(world, Verdict.READY, at) <= 20
    world.run(400)
    assert acted(world) == []
    assert is_answered(world)


@pytest.mark.parametrize("is_ours", [True, False])
def test_row_11_killed_and_nobody_else_starts_it(*, is_ours: bool) -> None:
    world = writing(is_ours=is_ours)
    world.kill()
    at = world.now

    world.run(400)

    assert acted(world, Restart)[0] - at <= 5
    assert took(world, Verdict.READY, at) <= 20
    assert is_answered(world)


def test_row_12_the_runner_is_killed_in_mid_answer() -> None:
    world = writing()
    world.kill_runner()

    world.run(400)

    assert acted(world) == []
    assert is_answered(world)


def test_row_13_exits_at_each_start() -> None:
    world = ready()
    world.chance = 1.0
    world.engine.starts = False
    world.kill()
    at = world.now

    world.run(1700)

    assert took(world, Verdict.FAILED, at) <= 240
    assert len(acted(world, Restart)) == 3
    world.engine.starts = True
    world.run(500)
    assert len(acted(world, Restart)) == 4  # the one try after half an hour
    assert world.state.verdict is Verdict.READY


def test_row_14_the_port_is_taken() -> None:
    world = ready()
    world.kill()
    world.port_taken, world.engine.starts, at = True, False, world.now

    world.run(7200)

    assert took(world, Verdict.FAILED, at) <= 30
    assert world.log.transitions[-1].evidence["reason"] == FailedReason.PORT_TAKEN
    assert acted(world) == []


@pytest.mark.parametrize("phase", [Phase.LOAD, Phase.WRITE])
def test_row_15_killed_for_want_of_memory(phase: Phase) -> None:
    world = ready(load_seconds=60.0)
    question = world.ask(1, answer_tokens=900)
    world.run(20 if phase is Phase.LOAD else 90)
    assert world.attempts[1].phase is phase
    world.kill_runner(oom=True)
    at = world.now

    world.run(60)

    told = [when - at for when, each in world.log.of(QuarantineTurn)]
    assert told
    assert told[0] <= 6
    assert question.end == f"quarantined: {QuarantineReason.OUT_OF_MEMORY}"
    assert acted(world, Unload, Restart) == []


def test_row_15_a_kill_elsewhere_on_the_machine_is_no_blame() -> None:
    world = writing()
    world.engine.oom_kills += 1  # version 1 of cgroups counts for the whole machine

    world.run(60)

    assert world.log.of(QuarantineTurn) == []


@pytest.mark.parametrize("seconds_between", [1, 5])
def test_row_15_a_kill_may_be_counted_before_its_stream_ends(seconds_between: int) -> None:
    world = ready()
    question = world.ask(1, answer_tokens=900)
    world.run(90)
    world.engine.oom_kills += 1
    world.run(seconds_between)
    assert world.log.of(QuarantineTurn) == []  # nothing of ours has ended yet
    world.kill_runner()

    world.run(60)

    assert question.end == f"quarantined: {QuarantineReason.OUT_OF_MEMORY}"


# --- other hands --------------------------------------------------------------------------------


def test_row_16_stopped_by_a_person() -> None:
    world = writing()
    world.stop_by_person()
    at = world.now

    world.run(600)
    assert took(world, Verdict.STOPPED, at) <= 6
    assert acted(world) == []

    world.start_by_person()
    at = world.now
    world.run(300)
    assert took(world, Verdict.READY, at) <= 10
    assert acted(world) == []


@pytest.mark.parametrize("is_seen_acting", [True, False])
def test_row_17_restarted_by_a_person(*, is_seen_acting: bool) -> None:
    world = writing()
    world.stop_by_person()
    world.others_act = is_seen_acting
    world.run(8 if is_seen_acting else 0)
    world.others_act = False
    world.start_by_person()
    at = world.now
    world.engine.wedges_on = Phase.WRITE  # as an upgrade may do until it is through

    world.run(115)
    assert acted(world) == []
    assert took(world, Verdict.READY, at) <= 10

    world.run(30)
    assert acted(world) != []


def test_row_17_an_upgrade_that_leaves_it_dead_for_a_while() -> None:
    world = ready()
    world.kill()
    world.others_act = True
    world.run(30)
    world.others_act = False

    world.run(80)
    assert acted(world) == []

    world.run(60)
    assert len(acted(world, Restart)) == 1


def test_row_13_its_unit_starts_it_again_and_again_in_vain() -> None:
    world = ready()
    world.engine.starts = False
    world.kill()
    at = world.now
    for _ in range(60):
        world.others_act = True
        world.run(5)
        world.others_act = False
        world.start_by_person()
        world.run(1)

    assert took(world, Verdict.FAILED, at) <= 30
    assert acted(world) == []
    world.engine.starts = True
    world.start_by_person()
    world.run(10)
    assert world.state.verdict is Verdict.READY


def test_row_17_a_restart_in_the_same_second_as_a_token() -> None:
    world = writing()
    world.engine.process = Process.EXITED
    world.engine.life += 1  # its stream has not noticed yet

    world.run(100)

    assert acted(world) == []


def test_row_18_the_engine_ignores_sigterm() -> None:
    world = writing(unload_works=False, acts_seconds=18.0)
    world.engine.wedge = "still"
    world.run(200)
    at = world.log.first(Verdict.RESTARTING)

    assert took(world, Verdict.READY, at) <= 60
    assert len(acted(world, Restart)) == 1


def test_row_19_busy_three_times_then_well() -> None:
    world = ready()
    for turn in (1, 2, 3):
        world.ask(turn)
        world.run(2)
        world.fail(max(world.attempts), "engine_busy")
    world.run(7)

    world.run(300)

    assert acted(world) == []
    assert world.log.of(QuarantineModel, QuarantineTurn) == []
    assert is_answered(world)


# --- streams --------------------------------------------------------------------------------------


def test_row_23_a_reset_stream_is_no_fault_of_the_engine() -> None:
    world = writing()
    world.fail(1, "answer_interrupted")

    world.run(400)

    assert acted(world) == []
    assert is_answered(world)


def test_row_23_a_half_open_stream_is_as_row_01() -> None:
    world = writing()
    world.engine.wedge, at = "still", world.now  # the stream's end never comes

    world.run(460)

    assert took(world, Verdict.HUNG_IDLE, at) <= 47
    assert acted(world, Restart) == []
    assert is_answered(world)


def test_row_24_writes_beyond_what_was_asked_for() -> None:
    world = ready()
    question = world.ask(1, answer_tokens=10**9, max_tokens=256)

    world.run(300)

    assert [each for _, each in world.log.of(*LADDER)] == [Cancel((1,), CancelReason.RUNAWAY)]
    assert question.end == "done"
    assert world.state.verdict is Verdict.READY


def test_row_24_writes_longer_than_anything_may_take() -> None:
    world = ready(token_seconds=20.0)
    world.ask(1, answer_tokens=10**9, max_tokens=10**6)

    world.run(7200 + 60)

    assert [each for _, each in world.log.of(*LADDER)] == [Cancel((1,), CancelReason.RUNAWAY)]


def test_row_25_stopped_while_reading_and_the_engine_goes_on() -> None:
    world = ready(read_rate=10.0, cancel_works=False)
    question = world.ask(1, prompt_tokens=4000)
    world.run(20)
    question.stop_at = at = world.now
    world.ask(2, prompt_tokens=10)
    budget = Limits().hard_factor * 512 / 8

    world.run(5)
    assert len(world.attempts) == 1  # the slot is not given to the next

    world.run(budget + 120)
    assert 30 <= acted(world, Unload)[0] - at <= budget + 5
    assert acted(world, Restart) == []
    assert world.questions[1].end == "done"


def test_row_25_stopped_while_reading_and_the_engine_obeys() -> None:
    world = ready(read_rate=10.0)
    question = world.ask(1, prompt_tokens=4000)
    world.run(20)
    question.stop_at = world.now
    world.ask(2, prompt_tokens=10)

    world.run(12)

    assert acted(world) == []
    assert max(world.attempts) == 2


def test_row_25_a_slot_is_freed_after_its_budget_while_another_writes() -> None:
    world = ready(slots=2)
    stopped = world.ask(1, answer_tokens=900)
    world.ask(2, answer_tokens=900)
    world.run(30)
    stopped.stop_at = world.now
    drain = 512 / 8  # one batch of a model that has not been read with yet

    world.run(drain - 2)
    assert len(world.attempts) == 2

    world.run(5)
    assert len(world.attempts) == 1
    assert acted(world) == []


def test_row_25_the_engine_goes_on_and_only_a_restart_ends_it() -> None:
    world = ready(read_rate=10.0, cancel_works=False, unload_works=False)
    question = world.ask(1, prompt_tokens=4000)
    world.run(20)
    question.stop_at = world.now

    world.run(300)

    assert len(acted(world, Unload)) == 1
    assert len(acted(world, Restart)) == 1
    assert world.state.verdict is Verdict.READY


# --- poison ------------------------------------------------------------------------------------


def test_row_27_the_same_prompt_hangs_twice() -> None:
    world = ready()
    poison = world.ask(1, poison="hang")
    others = [world.ask(turn) for turn in (2, 3)]

    world.run(600)

    assert poison.end == f"quarantined: {QuarantineReason.POISON}"
    assert poison.tries == 2
    assert [each.end for each in others] == ["done", "done"]
    assert len(acted(world, Unload, Restart)) == 2


def test_row_27_what_we_cancelled_ourselves_is_blamed_once() -> None:
    world = writing()
    world.engine.wedge = "still"
    world.run(44)
    attempt = world.attempts[1]
    world.run(2)
    assert world.log.of(Cancel)
    assert attempt.phase is Phase.WRITE
    world.attempts[1] = attempt  # the runner ends it as one that died
    world.fail(1, "engine_killed", has_died=True)

    world.run(2)

    assert world.log.of(QuarantineTurn) == []


def test_row_27_the_suspects_of_two_slots_are_tried_alone() -> None:
    world = ready(slots=2)
    poison = world.ask(1, poison="kill", prompt_tokens=500)
    innocent = world.ask(2, answer_tokens=600)
    other = world.ask(3)

    world.run(900)

    assert poison.end == f"quarantined: {QuarantineReason.POISON}"
    assert innocent.end == other.end == "done"
    assert innocent.tries == 2


def test_row_27_a_model_whose_load_fails_three_times() -> None:
    world = ready(load_seconds=30.0)
    for turn in (1, 2, 3):
        world.ask(turn)
        world.run(5)
        world.fail(max(world.attempts), "engine_killed", has_died=True)
        world.questions[-1].end = "interrupted"

    world.run(2)

    assert [each for _, each in world.log.of(QuarantineModel)] == [QuarantineModel("m")]


# --- ourselves ---------------------------------------------------------------------------------


def test_row_28_we_are_frozen_for_20_seconds() -> None:
    world = writing()
    world.engine.wedge = "still"
    world.run(44)
    world.now += 20
    world.late, world.engine.wedge = 20.0, ""

    world.run(300)

    assert acted(world) == []
    assert is_answered(world)


def test_row_28_a_pause_delays_a_true_verdict_and_does_not_lose_it() -> None:
    world = writing()
    world.engine.wedge = "still"
    world.run(20)
    world.now += 20
    world.late, at = 20.0, world.now

    world.run(60)

    assert 45 <= took(world, Verdict.HUNG_IDLE, at) <= 50


def test_row_33_the_wall_clock_jumps_by_an_hour() -> None:
    world = ready()
    world.engine.starts = False
    world.kill()
    world.run(100)
    document = saved(world.state, world.now)

    for jump in (-3600.0, 0.0):
        again = restored(document, world.now + 5, 5 + jump)
        assert len(again.memory.restarts.at) == 2
        assert all(world.now - 105 <= each <= world.now + 5 for each in again.memory.restarts.at)


def test_row_34_nothing_can_restart_it() -> None:
    world = ready()
    world.abilities = Abilities(can_restart=False)
    world.kill()
    at = world.now

    world.run(600)

    assert took(world, Verdict.FAILED, at) <= 5
    assert world.log.transitions[-1].evidence["reason"] == FailedReason.CANNOT_RESTART
    assert acted(world) == []
    assert len(world.log.transitions) <= 5
    world.start_by_person()
    world.run(10)
    assert world.state.verdict is Verdict.READY


def test_row_34_a_restart_that_was_refused_is_told_at_once_and_tried_again_later() -> None:
    world = writing(unload_works=False)
    world.refuses, world.engine.wedge = "not_permitted", "still"
    world.run(100)
    failed = world.log.transitions[-1]
    assert failed.at - world.log.first(Verdict.RESTARTING) <= 5
    assert (failed.evidence["reason"], failed.evidence["refusal"]) == (
        FailedReason.CANNOT_RESTART,
        "not_permitted",
    )
    assert world.state.memory.restarts.at == (), "what was not done is not counted"
    world.engine.probe_ok = False  # else its questions are tried again meanwhile

    world.run(1500)
    assert len(acted(world, Restart)) == 1
    world.refuses = ""

    world.run(1000)
    assert len(acted(world, Restart)) == 2
    assert is_answered(world)


def test_row_34_a_person_s_reset_tries_at_once_what_was_refused() -> None:
    world = writing(unload_works=False)
    world.refuses, world.engine.wedge = "not_permitted", "still"
    world.run(100)
    assert world.state.verdict is Verdict.FAILED
    world.refuses, world.engine.probe_ok = "", False

    world.state = reset(world.state)
    world.run(200)

    assert len(acted(world, Restart)) == 2


def test_row_36_other_programs_take_the_cpu() -> None:
    world = ready(token_seconds=12.0)
    world.ask(1, answer_tokens=900)
    world.run(30)
    world.engine.probe_ok = world.engine.inventory_ok = False

    world.run(300)

    assert acted(world) == []
    assert world.log.first(Verdict.SUSPECT) == NEVER


def test_row_39_the_machine_is_paused_for_10_minutes() -> None:
    world = writing()
    world.now += 600
    world.asleep = 600.0
    world.engine.probe_ok, world.engine.wedge = False, "still"  # it takes a while to come round
    world.run(25)
    world.engine.probe_ok, world.engine.wedge = True, ""
    at = world.now - 25

    world.run(60)
    assert acted(world) == []

    world.run(300)
    assert took(world, Verdict.RESTARTING, at) == NEVER
    assert is_answered(world)


# --- the verdicts that no row shows ------------------------------------------------------------


def test_our_child_that_computes_for_nobody_is_unloaded() -> None:
    world = writing(is_ours=True)
    world.run(400)
    assert is_answered(world)
    world.engine.burns, at = 1.0, world.now
    world.engine.unload_works = False

    world.run(89)
    assert acted(world) == []

    world.run(400)
    assert took(world, Verdict.HUNG_SPIN, at) <= 200
    assert len(acted(world, Restart)) == 1
    assert world.state.verdict is Verdict.READY


def test_what_a_shared_engine_computes_for_others_is_left_alone() -> None:
    world = writing()
    world.run(400)
    assert is_answered(world)
    world.engine.burns, at = 1.0, world.now

    world.run(3600)

    assert acted(world) == []
    assert took(world, Verdict.BUSY, at) <= 100
    assert world.log.transitions[-1].evidence["reason"] == USED_BY_OTHERS
    assert world.state.may_start
    world.ask(2, answer_tokens=20)
    world.engine.burns = 0.0
    world.run(100)
    assert is_answered(world)
    assert world.state.verdict is Verdict.READY


def test_what_a_shared_engine_goes_on_with_after_our_cut_is_ended() -> None:
    world = writing(slots=2)
    cut = world.ask(2, answer_tokens=900)
    world.run(30)
    world.engine.burns, cut.stop_at, at = 1.0, world.now, world.now  # it does not let go
    world.run(800)
    assert {each.end for each in world.questions} == {"done", "stopped"}

    assert took(world, Verdict.HUNG_SPIN, at) <= 800
    assert acted(world, Unload) != []
    assert acted(world, Restart) != []


def test_work_of_others_that_begins_after_our_cut_was_obeyed_is_left_alone() -> None:
    world = writing()
    world.questions[0].stop_at = world.now
    world.run(20)
    assert world.attempts == {}
    world.engine.burns = 1.0

    world.run(3600)

    assert acted(world) == []


def test_an_idle_engine_that_answers_no_probe_is_restarted() -> None:
    world = ready()
    world.engine.probe_ok, at = False, world.now

    world.run(100)

    assert took(world, Verdict.HUNG_IDLE, at) <= 40
    assert len(acted(world, Restart)) == 1
    assert world.state.verdict is Verdict.READY


def test_an_engine_on_another_host_is_only_watched() -> None:
    world = ready(process=Process.UNKNOWN, has_meters=False)
    world.abilities = Abilities(can_restart=False)
    world.engine.probe_ok, at = False, world.now

    world.run(300)
    assert took(world, Verdict.UNREACHABLE, at) <= 21
    assert acted(world) == []

    world.engine.probe_ok = True
    world.run(6)
    assert world.state.verdict is Verdict.READY


def test_a_silent_engine_on_another_host_is_given_up_after_all_else() -> None:
    world = writing(process=Process.UNKNOWN, has_meters=False, unload_works=False)
    world.abilities = Abilities(can_restart=False)
    world.engine.wedge, at = "still", world.now

    world.run(200)

    assert [type(each) for _, each in world.log.of(*LADDER)] == [Cancel, Unload]
    assert took(world, Verdict.FAILED, at) <= 180
    world.engine.wedge = ""
    world.run(700)
    assert is_answered(world)


def test_a_stalled_turn_is_cancelled_alone_while_another_is_well() -> None:
    world = ready(slots=2)
    world.ask(1, answer_tokens=900)
    stalled = world.ask(2, poison="stall")
    world.run(130)

    assert Cancel((2,), CancelReason.STALLED) in [each for _, each in world.log.of(Cancel)]
    assert acted(world, Unload, Restart) == []
    world.run(400)
    assert stalled.end == "done"


def test_maintenance_stays_every_hand_and_ends_by_itself() -> None:
    world = ready()
    world.is_maintenance = True
    world.run(5)
    assert world.state.verdict is Verdict.MAINTENANCE
    world.kill()
    at = world.now

    world.run(1700)
    assert acted(world) == []

    world.run(200)
    assert acted(world, Restart)[0] - at >= 1700


def test_maintenance_outlives_the_daemon_and_ends_when_it_would_have() -> None:
    world = ready()
    world.is_maintenance = True
    world.run(600)
    world.state = restored(saved(world.state, world.now), world.now + 100, 100.0)
    world.now += 100
    world.kill()
    at = world.now

    world.run(1000)
    assert world.state.verdict is Verdict.MAINTENANCE
    assert acted(world) == []

    world.run(300)
    assert 1000 <= acted(world, Restart)[0] - at <= 1200


def test_the_day_s_budget_outlives_the_daemon() -> None:
    world = ready()
    for _ in range(12):
        world.kill()
        world.run(1000)
        assert world.state.verdict in {Verdict.READY, Verdict.FAILED}
        world.state = restored(saved(world.state, world.now), world.now, 0.0)

    assert len(world.state.memory.restarts.at) == 8


def test_thrashing_is_told_and_waits_for_the_hard_budget() -> None:
    world = writing()
    world.engine.wedge, world.engine.thrashes, at = "still", True, world.now

    world.run(89)
    assert took(world, Verdict.THRASHING, at) <= 50
    assert acted(world) == []

    world.run(5)
    assert acted(world) != []
