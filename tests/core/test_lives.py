"""Which restarts are told, and what each is called."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from couachgptd.core.incidents import Incident
from couachgptd.core.lives import KEPT, End, Life, Restart, begun, engine_restarts, recalled, saved
from couachgptd.core.records import AuditEntry

AT = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def later(minutes: int) -> datetime:
    return AT + timedelta(minutes=minutes)


def asked(verb: str, minutes: int = 5, **detail: Any) -> AuditEntry:
    return AuditEntry(minutes, later(minutes), "zoe uid:994 pid:41", verb, detail)


@pytest.mark.parametrize(
    ("end", "orders", "boot", "cause", "is_named"),
    [
        (End.ASKED, [], "one", "stopped", False),
        (End.ASKED, [], None, "stopped", False),
        (End.ASKED, [], "two", "boot", False),
        (End.ASKED, [asked("restart")], "one", "restart", True),
        (End.ASKED, [asked("drain")], "two", "drain", True),
        (End.ASKED, [asked("drain", 4), asked("restart", 3)], "one", "drain", True),
        (End.FAILED, [asked("restart")], "one", "failed", False),
        (None, [], "one", "killed", False),
        (None, [asked("restart")], "one", "killed", False),
        (None, [], "two", "boot", False),
        (None, [asked("db.restore")], "two", "restore", True),
        (End.ASKED, [asked("restart", 3), asked("db.restore", 4)], "one", "restore", True),
    ],
)
def test_a_start_is_called_by_how_the_life_before_ended(
    end: End | None, orders: list[AuditEntry], boot: str | None, cause: str, *, is_named: bool
) -> None:
    life = begun(Life(AT, "one", end), orders, later(10), boot)

    by = "zoe uid:994 pid:41" if is_named else None
    assert life == Life(later(10), boot, None, (Restart(later(10), cause, by),))


def test_the_first_start_is_no_restart() -> None:
    assert begun(None, [], AT, "one") == Life(AT, "one")


def test_the_last_restarts_are_kept_newest_first_over_each_life() -> None:
    life = begun(None, [], AT, "one")
    for number in range(KEPT + 2):
        life = begun(recalled(saved(life)), [], later(number), "one")

    assert [each.at for each in life.restarts] == [later(4), later(3), later(2)]


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"at": 3}', '{"at": "noon", "boot": ""}'])
def test_what_cannot_be_read_is_as_if_nothing_were_kept(text: str | None) -> None:
    assert recalled(text) is None


def test_the_engine_was_restarted_by_the_watchdog_or_by_an_order_that_was_done() -> None:
    incidents = [
        Incident(later(8), "backoff", "restarting", {"cause": "dead"}),
        Incident(later(2), "hung_idle", "restarting", {}),
    ]
    orders = [
        asked("engine.restart", 9, error="engine_busy"),
        asked("engine.unload", 7),
        asked("engine.start", 6),
        asked("engine.restart", 1),
    ]

    assert engine_restarts(incidents, orders) == [
        Restart(later(8), "dead"),
        Restart(later(6), "ordered", "zoe uid:994 pid:41"),
        Restart(later(2), "hung_idle"),
    ]
