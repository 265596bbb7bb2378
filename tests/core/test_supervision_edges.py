"""What a review of the watchdog found: shared engines, a daemon that starts anew, impatience."""

from dataclasses import replace

import pytest

from couachgptd.core.budgets import Limits, Rates
from couachgptd.core.ids import TurnId
from couachgptd.core.restarts import Restarts
from couachgptd.core.signs import is_drained
from couachgptd.core.snapshots import Attempt, EngineFacts, Phase, Process, Snapshot
from couachgptd.core.supervision import decide
from couachgptd.core.verdicts import (
    Failed,
    FailedReason,
    Memory,
    Restart,
    State,
    Step,
    Verdict,
    reset,
)
from couachgptd.core.vitals import Probe

DRAINING = Attempt(
    id=1, turn=TurnId(1), model="m", phase=Phase.DRAIN, phase_from=0.0, opened_at=0.0
)


@pytest.mark.parametrize(
    ("now", "busy_slots", "drained"), [(10, 2, False), (70, 2, True), (1, 0, True)]
)
def test_on_an_engine_that_others_use_a_stopped_answer_is_let_go_of_in_time(
    now: float, busy_slots: int, *, drained: bool
) -> None:
    shared = Snapshot(
        now=now,
        inventory=Probe(0.01, status=200),
        busy_slots=busy_slots,
        engine=EngineFacts(process=Process.UNKNOWN),
        attempts=(DRAINING,),
    )

    assert is_drained(DRAINING, shared, Rates(), Limits()) is drained


def test_what_an_earlier_daemon_gave_up_on_is_gone_with_its_child() -> None:
    failed = Failed(FailedReason.BUDGET_SPENT, incarnation="1", was_live=True)
    state = State(verdict=Verdict.FAILED, since=0.0, memory=Memory(failed=failed))
    idle = EngineFacts(process=Process.IDLE, is_ours=True)

    after = decide(state, Snapshot(now=1.0, engine=idle)).state

    assert after.may_start or after.verdict is Verdict.STARTING
    assert after.memory.failed is None


def test_a_reset_does_not_wait_for_the_back_off() -> None:
    step = Step(cause=Verdict.DEAD, until=500.0)
    memory = Memory(restarts=Restarts(at=(90.0,), unsettled=2))
    state = State(verdict=Verdict.BACKOFF, since=100.0, memory=memory, step=step)
    dead = Snapshot(now=200.0, engine=EngineFacts(process=Process.EXITED))

    assert Restart() not in decide(state, dead).actions
    assert Restart() in decide(reset(state), replace(dead, now=201.0)).actions
