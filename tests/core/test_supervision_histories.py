"""What holds of the supervisor in every history of random faults, loads and people."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from couachgptd.core.budgets import Limits
from couachgptd.core.snapshots import Phase, Process, Snapshot
from couachgptd.core.supervision import decide
from couachgptd.core.verdicts import (
    Cancel,
    CancelReason,
    Decision,
    Restart,
    State,
    Transition,
    Unload,
    Verdict,
    reset,
    restored,
    saved,
)
from couachgptd.core.vitals import Abilities
from tests.core.simulated_engine import World

# The defaults, five times as fast: histories are then long beside every budget.
LIMITS = Limits(
    load_soft_min_seconds=12,
    load_hard_seconds=66,
    read_soft_min_seconds=12,
    read_hard_min_seconds=30,
    read_hard_max_seconds=90,
    gap_soft_min_seconds=6,
    gap_soft_max_seconds=24,
    drain_soft_min_seconds=6,
    drain_batch_tokens=8,
    total_min_seconds=60,
    total_max_seconds=180,
    confirm_seconds=3,
    grace_seconds=4,
    foreign_grace_seconds=24,
    start_seconds=12,
    cancel_seconds=2,
    unload_seconds=4,
    restart_seconds=9,
    backoff_first_seconds=6,
    backoff_max_seconds=60,
    restarts_window_seconds=180,
    restarts_in_day=5,
    retry_seconds=120,
    settled_seconds=120,
    maintenance_max_seconds=60,
)
CLOCKS = (LIMITS.total_max_seconds, LIMITS.maintenance_max_seconds, LIMITS.foreign_grace_seconds)

BOTH = (False, True)
Fault = Callable[[World], None]


def knob(name: str, values: Iterable[object]) -> list[Fault]:
    def turn(value: object) -> Fault:
        return lambda world: setattr(world.engine, name, value)

    return [turn(value) for value in values]


def ask(poison: str, prompt: int, answer: int) -> Fault:
    def ask_it(world: World) -> None:
        turn = len(world.questions) + 1
        world.ask(turn, poison=poison, prompt_tokens=prompt, answer_tokens=answer)

    return ask_it


def pause(world: World) -> None:
    world.now += 30
    world.late = world.asleep = 30.0


def stop_a_question(world: World) -> None:
    for question in world.questions:
        if not question.end:
            question.stop_at = world.now
            return


def restart_by_others(world: World) -> None:
    if not world.is_restarting:
        world.stop_by_person()
        world.start_by_person()


def reset_stream(world: World) -> None:
    for attempt in list(world.attempts):
        world.fail(attempt, "answer_interrupted")


def reset_by_person(world: World) -> None:
    world.state = reset(world.state)
    if isinstance(world.check, Invariants):
        world.check.restarts.clear()


def restart_us(world: World) -> None:
    """The daemon starts again: streams are cut, what is saved comes back."""
    reset_stream(world)
    world.failures.clear()
    world.attempts.clear()
    kept = json.loads(json.dumps(saved(world.state, world.now)))
    world.state = restored(kept, world.now, 0.0)


FAULTS: list[Fault] = [
    *[ask(poison, 20, 60) for poison in ("", "", "", "hang", "kill", "stall")],
    ask("", 3000, 40),
    ask("", 20, 10**6),
    *knob("wedge", ("still", "spin", "")),
    *knob("probe_ok", BOTH),
    *knob("inventory_ok", BOTH),
    *knob("has_meters", BOTH),
    *knob("unload_works", BOTH),
    *knob("cancel_works", BOTH),
    *knob("starts", BOTH),
    *knob("load_reads", BOTH),
    *knob("load_seconds", (3.0, 40.0)),
    *knob("token_seconds", (0.2, 5.0)),
    *knob("burns", (1.0, 0.0)),
    *knob("acts_seconds", (1.0, 20.0)),
    *knob("thrashes", BOTH),
    lambda world: world.kill(),
    lambda world: world.kill_runner(),
    lambda world: world.kill_runner(oom=True),
    lambda world: None if world.is_restarting else world.stop_by_person(),
    lambda world: None if world.is_restarting else world.start_by_person(),
    restart_by_others,
    lambda world: setattr(world, "others_act", not world.others_act),
    lambda world: setattr(world, "is_maintenance", not world.is_maintenance),
    lambda world: setattr(world, "port_taken", not world.port_taken),
    lambda world: setattr(world, "refuses", "" if world.refuses else "not_permitted"),
    lambda world: setattr(world, "abilities", Abilities(can_restart=False)),
    lambda world: setattr(world, "abilities", Abilities(can_unload=False)),
    lambda world: setattr(world, "abilities", Abilities()),
    pause,
    stop_a_question,
    reset_stream,
    restart_us,
    reset_by_person,
]

histories = st.lists(
    st.tuples(st.integers(0, len(FAULTS) - 1), st.integers(0, 25)), min_size=1, max_size=14
)
worlds = st.builds(
    lambda slots, ours, chance: (slots, ours, chance),
    st.integers(1, 3),
    st.booleans(),
    st.floats(0, 1),
)


class Invariants:
    """Looks at every decision; what it remembers is its own, not the supervisor's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.restarts: list[float] = []
        self.life: str | None = None
        self.born_at = float("-inf")
        self.paused_at = float("-inf")

    def __call__(self, before: State, snapshot: Snapshot, decision: Decision) -> None:
        if int(snapshot.now) % 8 == 0:
            assert decide(before, snapshot, LIMITS) == decision
        self.chain_holds(before, decision)
        self.watch(snapshot)
        if snapshot.refusal is not None and before.step and before.step.cause is not Verdict.FAILED:
            self.restarts.pop()  # it was not done
        harsh = [
            each
            for each in decision.actions
            if isinstance(each, Unload | Restart)
            or (isinstance(each, Cancel) and each.reason is CancelReason.HUNG)
        ]
        if harsh:
            self.nothing_flows(snapshot)
            self.nobody_else_has_it(snapshot)
            assert snapshot.now - self.born_at >= LIMITS.grace_seconds
            assert snapshot.now - self.paused_at >= LIMITS.grace_seconds
        restarts = [each for each in decision.actions if isinstance(each, Restart)]
        assert len(restarts) <= 1
        if restarts and before.verdict is not Verdict.FAILED:
            self.budget_holds(snapshot.now)
        self.attempts_end(snapshot)

    def chain_holds(self, before: State, decision: Decision) -> None:
        verdict = before.verdict
        for each in decision.transitions:
            assert isinstance(each, Transition)
            assert each.before is verdict
            assert each.after is not verdict
            json.dumps(each.evidence, allow_nan=False)
            verdict = each.after
        assert decision.state.verdict is verdict

    def watch(self, snapshot: Snapshot) -> None:
        if max(snapshot.late_seconds, snapshot.asleep_seconds) > LIMITS.pause_seconds:
            self.paused_at = snapshot.now
        life = snapshot.engine.incarnation
        if life is not None and self.life is not None and life != self.life:
            self.born_at = float("-inf") if snapshot.engine.is_ours else snapshot.now
        self.life = life or self.life

    def nothing_flows(self, snapshot: Snapshot) -> None:
        for each in snapshot.attempts:
            if each.phase is Phase.WRITE and each.progress_at is not None:
                silence = snapshot.now - each.progress_at
                alive = snapshot.engine.process in {Process.RUNNING, Process.UNKNOWN}
                assert silence >= (LIMITS.gap_soft_min_seconds if alive else 2.0)

    def nobody_else_has_it(self, snapshot: Snapshot) -> None:
        assert not snapshot.engine.is_acted_on
        assert not snapshot.engine.is_port_taken
        assert snapshot.engine.process is not Process.STOPPED
        began = self.world.state.maintenance_from
        forgotten = began is not None and snapshot.now - began >= LIMITS.maintenance_max_seconds
        assert forgotten or not snapshot.is_maintenance

    def budget_holds(self, now: float) -> None:
        self.restarts.append(now)
        window = LIMITS.restarts_window_seconds
        assert sum(now - each < window for each in self.restarts) <= LIMITS.restarts_in_window
        assert len(self.restarts) <= LIMITS.restarts_in_day

    def attempts_end(self, snapshot: Snapshot) -> None:
        for each in snapshot.attempts:
            if each.phase is not Phase.DRAIN and self.paused_at < each.opened_at:
                assert snapshot.now - each.opened_at <= sum(CLOCKS) * 2


def live(history: list[tuple[int, int]], made: tuple[int, bool, float]) -> World:
    slots, is_ours, chance = made
    world = World(slots=slots, limits=LIMITS, sample_seconds=1.0)
    world.chance, world.engine.is_ours = chance, is_ours
    world.engine.acts_seconds = world.engine.start_seconds = 1.0
    world.check = Invariants(world)
    world.run(5)
    for fault, seconds in history:
        FAULTS[fault](world)
        world.run(seconds)
    return world


def mend(world: World) -> None:
    """Every fault ceases, and a person starts what is not running."""
    good = World().engine
    for name in ("probe_ok", "inventory_ok", "has_meters", "unload_works", "cancel_works"):
        setattr(world.engine, name, True)
    for name in ("wedge", "thrashes", "starts", "load_reads", "load_seconds", "token_seconds"):
        setattr(world.engine, name, getattr(good, name))
    world.engine.burns, world.abilities = 0.0, Abilities()
    world.others_act = world.is_maintenance = world.port_taken = False
    world.refuses = ""
    if world.engine.process is Process.STOPPED and not world.is_restarting:
        world.start_by_person()


@given(histories, worlds)
@settings(max_examples=1500, deadline=None)
def test_the_invariants_hold_in_every_history(
    history: list[tuple[int, int]], made: tuple[int, bool, float]
) -> None:
    live(history, made)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@given(st.lists(histories, min_size=1, max_size=5), worlds)
@settings(max_examples=4000, deadline=None)
def test_the_invariants_hold_in_long_histories(
    parts: list[list[tuple[int, int]]], made: tuple[int, bool, float]
) -> None:
    live([each for part in parts for each in part], made)


@given(histories, worlds)
@settings(max_examples=150, deadline=None)
def test_once_all_faults_cease_everybody_gets_an_answer_or_an_honest_end(
    history: list[tuple[int, int]], made: tuple[int, bool, float]
) -> None:
    world = live(history, made)
    mend(world)

    for _ in range(30):
        world.run(60)
        if all(question.end for question in world.questions) and world.state.may_start:
            break

    assert [question for question in world.questions if not question.end] == []
    world.run(2 * LIMITS.drain_soft_min_seconds)
    assert world.attempts == {}
    assert world.state.verdict is Verdict.READY


@given(histories, worlds, st.floats(0, 1e6))
@settings(max_examples=200, deadline=None)
def test_what_is_remembered_outlives_the_daemon(
    history: list[tuple[int, int]], made: tuple[int, bool, float], off_seconds: float
) -> None:
    world = live(history, made)
    document = json.loads(json.dumps(saved(world.state, world.now), allow_nan=False))

    assert restored(document, world.now, 0.0).memory == world.state.memory

    # A machine that was off starts its clock anew: what is long ago is before it began.
    later = restored(document, 0.0, off_seconds)
    ages = [world.now - each + off_seconds for each in world.state.memory.restarts.at]
    assert [-each for each in later.memory.restarts.at] == pytest.approx(ages)
    assert replace(later.memory, restarts=world.state.memory.restarts) == world.state.memory
