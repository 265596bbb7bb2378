"""The nemesis's judge finds what is broken, and only that; the program runs with tiny numbers."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.nemesis_checks import Kept, KeptMessage, KeptTurn, Rules, check, waits
from benchmarks.nemesis_faults import KINDS
from benchmarks.nemesis_history import Change, History, Json, Request, Stay, View, common, union
from tests.fake_script import ANSWER

ROOT = Path(__file__).parent.parent.parent
RUN_SECONDS = 170
RULES = Rules(restarts_in_window=2, window_seconds=60, retry_seconds=10, flowing_seconds=0.5)
WRITTEN = ANSWER[:40]
PEOPLE = 3


class Case:
    """A run in which all went well: one person, one question, one answer; tests doctor it."""

    def __init__(self) -> None:
        self.history = History(seed=7, people=PEOPLE, slots=1, began=1000.0, ended=2000.0)
        asked = Request(0, "chat.ask", 1000.0, "Et ?", "abc", acknowledged_at=1000.1)
        asked.ok = {"conversation": "c", "question": 1, "answer": 2}
        self.asked = asked
        self.history.requests.append(asked)
        self.messages = [
            KeptMessage(1, "c", None, "person", 1, "abc", "Et ?"),
            KeptMessage(2, "c", 1, "model", None, None, WRITTEN),
        ]
        self.turns = [KeptTurn(1, 2, 1, "done", 1000.1, 1000.2, 1001.0, "stop", None, 10)]
        self.log: list[Json] = [
            {"type": "hello", "epoch": "e"},
            snapshot(0),
            event(1, "messages", messages=[shape(1, "Et ?"), shape(2, "")]),
            text(2, WRITTEN[:10]),
            text(3, WRITTEN[10:]),
        ]

    def found(self) -> list[str]:
        """Return the invariants that the judge finds broken."""
        view = View("tab")
        for number, message in enumerate(self.log):
            view.apply(message, 1000.0 + number)
        self.history.views = [view]
        kept = Kept(self.messages, self.turns)
        return [each.invariant for each in check(self.history, kept, RULES)]

    def restarted(self, at: float, before: str = "unloading", cause: str = "hung_idle") -> None:
        number = len(self.history.changes) + 1
        change = Change(number, at - 0.1, before, "restarting", {"cause": cause})
        self.history.changes[number] = change
        self.history.restarts.append(Stay("restart", at, at + 0.5))


def shape(number: int, words: str) -> Json:
    return {"id": number, "text": words, "turn": None}


def snapshot(n: int, *messages: Json, epoch: str = "e") -> Json:
    position = {"epoch": epoch, "n": n}
    return {"type": "snapshot", "conversation": "c", "position": position, "messages": messages}


def event(n: int, verb: str, /, **fields: Any) -> Json:
    return {"type": verb, "conversation": "c", "n": n, **fields}


def text(n: int, words: str) -> Json:
    return event(n, "text", message=2, kind="text", d=words)


@pytest.fixture
def case() -> Case:
    return Case()


def test_a_run_in_which_all_went_well_breaks_nothing(case: Case) -> None:
    assert case.found() == []


def test_a_question_that_is_not_kept_is_lost(case: Case) -> None:
    case.messages, case.turns = [], []
    case.log = []

    assert set(case.found()) == {"lost"}


def test_an_answer_without_a_turn_is_lost(case: Case) -> None:
    case.turns = []

    assert case.found() == ["lost"]


def test_a_question_kept_with_another_text_is_lost(case: Case) -> None:
    case.messages[0] = dataclasses.replace(case.messages[0], text="Autre chose")

    assert "lost" in case.found()


def test_a_question_kept_twice_is_a_duplicate(case: Case) -> None:
    case.messages.append(dataclasses.replace(case.messages[0], id=3))
    case.log.append(event(4, "messages", messages=[shape(3, "Et ?")]))

    assert case.found() == ["duplicate"]


def test_a_second_answer_that_nobody_asked_for_is_a_duplicate(case: Case) -> None:
    case.messages.append(dataclasses.replace(case.messages[1], id=3))
    case.turns.append(dataclasses.replace(case.turns[0], id=2, message=3))
    case.log.append(event(4, "messages", messages=[shape(3, WRITTEN)]))

    assert case.found() == ["duplicate"]


@pytest.mark.parametrize("ok", [{"answer": 3}, None], ids=["known", "lost on the way"])
def test_a_second_answer_that_was_asked_for_is_none(case: Case, ok: Json | None) -> None:
    case.history.requests.append(Request(0, "chat.regenerate", 1500.0, message=2, ok=ok))
    case.messages.append(dataclasses.replace(case.messages[1], id=3))
    case.turns.append(dataclasses.replace(case.turns[0], id=2, message=3))
    case.log.append(event(4, "messages", messages=[shape(3, WRITTEN)]))

    assert case.found() == []


def test_a_second_answer_that_was_promised_and_is_not_there_is_lost(case: Case) -> None:
    wanted = Request(0, "chat.regenerate", 1500.0, message=2, ok={"answer": 3})
    case.history.requests.append(wanted)

    assert case.found() == ["lost", "duplicate"]


def test_a_second_turn_of_one_answer_must_have_been_asked_for(case: Case) -> None:
    case.turns.append(dataclasses.replace(case.turns[0], id=2))
    assert case.found() == ["duplicate"]

    case.history.requests.append(Request(0, "chat.continue", 1500.0, message=2, ok={"answer": 2}))
    assert case.found() == []


def test_a_turn_that_does_not_end_is_found(case: Case) -> None:
    case.turns[0] = dataclasses.replace(case.turns[0], state="queued", finished_at=None)

    assert case.found() == ["ends"]


def test_a_gap_is_found(case: Case) -> None:
    del case.log[3]

    assert "sequence" in case.found()


def test_a_repeat_is_found_and_changes_nothing(case: Case) -> None:
    case.log.append(case.log[-1])

    assert case.found() == ["sequence"]


def test_a_repeat_after_coming_back_is_found(case: Case) -> None:
    case.log += [{"type": "hello", "epoch": "e"}, case.log[3], case.log[4]]

    assert case.found() == ["sequence", "sequence"]


def test_a_snapshot_that_goes_back_is_found(case: Case) -> None:
    case.log.append(snapshot(2, shape(1, "Et ?"), shape(2, WRITTEN)))

    assert case.found() == ["sequence"]


def test_a_new_start_of_the_daemon_begins_with_a_snapshot(case: Case) -> None:
    hello = {"type": "hello", "epoch": "f"}
    whole = [snapshot(0, shape(1, "Et ?"), shape(2, WRITTEN), epoch="f")]
    case.log += [hello, *whole]
    assert case.found() == []

    case.log += [{"type": "hello", "epoch": "g"}, text(1, "!")]
    assert case.found() == ["sequence"]


def test_a_text_that_differs_from_the_kept_one_is_found(case: Case) -> None:
    case.log[4] = text(3, WRITTEN[11:])

    assert case.found() == ["text"]


def test_a_rewrite_replaces_what_there_was(case: Case) -> None:
    case.log += [event(4, "rewrite", message=2, text="", thinking=""), text(5, WRITTEN)]

    assert case.found() == []


def test_an_answer_of_two_attempts_is_not_what_the_engine_wrote(case: Case) -> None:
    both = WRITTEN[:10] + WRITTEN
    case.messages[1] = dataclasses.replace(case.messages[1], text=both)
    case.log.append(snapshot(9, shape(1, "Et ?"), shape(2, both)))

    assert case.found() == ["text"]


def test_a_message_that_a_tab_does_not_show_is_found(case: Case) -> None:
    case.log = [case.log[0], snapshot(5, shape(1, "Et ?"))]

    assert case.found() == ["text"]


def test_a_restart_while_words_come_is_found_where_the_engine_is_not_dead(case: Case) -> None:
    case.history.saw_text(1499.7)
    case.restarted(1500.0, cause="dead")
    assert case.found() == []

    case.history.saw_text(1599.7)
    case.restarted(1600.0)
    assert case.found() == ["flowing"]


def test_a_restart_without_a_verdict_is_found_but_where_the_daemon_died(case: Case) -> None:
    case.history.restarts.append(Stay("restart", 1500.0, 1501.0))
    assert case.found() == ["restarts"]

    case.history.absences.append(Stay("killed", 1500.1, 1501.0))
    assert case.found() == []


def test_two_restarts_at_once_are_found_but_for_a_new_daemon(case: Case) -> None:
    case.restarted(1500.0)
    case.restarted(1500.3)
    assert case.found() == ["restarts"]

    case.history.absences.append(Stay("killed", 1500.1, 1500.2))
    assert case.found() == []


def test_one_restart_more_than_the_budget_is_found(case: Case) -> None:
    for moment in (1500.0, 1520.0, 1561.0):
        case.restarted(moment)
    assert case.found() == []

    case.restarted(1565.0)
    assert case.found() == ["budget"]


def test_a_retry_is_beside_the_budget_but_not_at_once(case: Case) -> None:
    for moment in (1500.0, 1520.0):
        case.restarted(moment)
    case.restarted(1530.0, before="failed")
    assert case.found() == []

    case.restarted(1533.0, before="failed")
    assert case.found() == ["budget"]


@pytest.mark.parametrize(("seconds", "found"), [(59, []), (61, ["stuck"])])
def test_a_turn_that_nobody_ends_is_stuck(case: Case, seconds: float, found: list[str]) -> None:
    case.turns[0] = dataclasses.replace(case.turns[0], finished_at=1000.2 + seconds)

    assert case.found() == found


def waiting(case: Case, seconds: float) -> None:
    """Let somebody's second question wait so long for its place."""
    asked = Request(1, "chat.ask", 1100.0, "Et ?", "def", acknowledged_at=1100.0)
    asked.ok = {"conversation": "d", "question": 3, "answer": 4}
    case.history.requests.append(asked)
    case.messages += [
        KeptMessage(3, "d", None, "person", 2, "def", "Et ?"),
        KeptMessage(4, "d", 3, "model", None, None, WRITTEN),
    ]
    begins = 1100.0 + seconds
    case.turns.append(
        KeptTurn(2, 4, 2, "done", 1100.0, begins, begins + 1, "stop", None, 10),
    )


def test_somebody_who_waits_three_times_their_share_does_not_starve(case: Case) -> None:
    waiting(case, 29)  # two others, five seconds each, three times
    assert case.found() == []


def test_somebody_who_waits_longer_starves(case: Case) -> None:
    waiting(case, 31)
    assert case.found() == ["starved"]


def no_daemon(case: Case) -> None:
    case.history.absences.append(Stay("killed", 1110.0, 1115.0))


def hung(case: Case) -> None:
    changes = [
        Change(1, 1110.0, "busy", "suspect", {}),
        Change(2, 1115.0, "unloading", "ready", {}),
    ]
    case.history.changes = {each.id: each for each in changes}


def started(case: Case) -> None:
    change = Change(1, 1110.0, "restarting", "starting", {})
    case.history.changes = {1: change}
    case.history.saw_text(1115.0)


@pytest.mark.parametrize("pause", [no_daemon, hung, started])
def test_a_pause_is_no_waiting(case: Case, pause: Callable[[Case], None]) -> None:
    waiting(case, 31)
    pause(case)

    assert case.found() == []


def test_what_waits_behind_ones_own_turn_is_not_at_the_head() -> None:
    history = History(seed=7, people=2, slots=1, ended=2000.0)
    turns = [
        KeptTurn(1, 2, 1, "done", 1000.0, 1001.0, 1030.0, "stop", None, 10),
        KeptTurn(2, 4, 1, "done", 1002.0, 1032.0, 1033.0, "stop", None, 10),
        KeptTurn(3, 6, 2, "stopped", 1000.0, None, 1010.0, None, None, 0),
    ]

    found = {turn.id: wait for turn, wait in waits(history, Kept([], turns))}

    assert found == {1: 1.0, 2: 2.0, 3: 10.0}


def test_damage_in_the_file_is_found(case: Case) -> None:
    kept = Kept(case.messages, case.turns, "row 3 missing from index")

    found = check(case.history, kept, RULES)

    assert [each.invariant for each in found] == ["integrity"]


def test_evidence_names_what_happened_around_it(case: Case) -> None:
    case.history.faults.append(Stay("spin", 1495.0, 1499.0))
    case.history.restarts.append(Stay("restart", 1500.0, 1501.0))

    (found,) = check(case.history, Kept(case.messages, case.turns), RULES)

    assert any("fault spin" in line for line in found.evidence)


def test_stays_that_overlap_count_once() -> None:
    assert union([(5, 6), (1, 3), (2, 4), (7, 7)]) == [(1, 4), (5, 6)]
    assert common([(1, 4), (5, 6)], 3, 5.5) == 1.5


@pytest.mark.soak  # tests/faults/test_nemesis.py runs the same program for longer
def test_the_program_throws_faults_and_finds_nothing_broken() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.nemesis", "--quick", "--json", "--seed", "5"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=True,
        timeout=RUN_SECONDS,
    )
    report: dict[str, Any] = json.loads(ended.stdout)

    calm, torn = (row for row in report["rows"] if "faults" in row)
    assert (calm["faults"], torn["faults"]) == ("none", "all")
    assert calm["done"] > 0
    assert calm["reconnected"] == 0
    assert torn["ok"] > 0
    thrown = [row for row in report["rows"] if "fault" in row]
    assert [row["fault"] for row in thrown] == list(KINDS)
    assert sum(row["times"] for row in thrown) > 1
