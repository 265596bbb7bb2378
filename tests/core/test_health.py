"""Whether all is well, and if not what is worst."""

from dataclasses import replace

import pytest

from couachgptd.core.health import PROBLEMS, Facts, Health, health, problems
from couachgptd.core.verdicts import Verdict
from couachgptd.ctl.problems import PROBLEMS as TOLD

WELL = Facts(
    engine_state="ready",
    is_engine_up=True,
    has_model=True,
    is_held=False,
    is_stopping=False,
    is_backup_failed=False,
    is_backup_overdue=False,
    disk_free_bytes=100_000_000_000,
    disk_total_bytes=500_000_000_000,
    memory_available_bytes=8_000_000_000,
    memory_total_bytes=16_000_000_000,
)


def test_where_all_is_well_there_is_nothing_to_say() -> None:
    assert problems(WELL) == []
    assert health([]) is Health.OK


@pytest.mark.parametrize(
    ("change", "found", "how"),
    [
        ({"engine_state": "failed"}, ["engine_failed"], Health.FAILED),
        ({"engine_state": "stopped", "is_engine_up": False}, ["engine_stopped"], Health.FAILED),
        ({"engine_state": "hung_spin"}, ["engine_in_trouble"], Health.DEGRADED),
        ({"engine_state": "maintenance"}, ["engine_maintenance"], Health.DEGRADED),
        ({"is_engine_up": False}, ["engine_down"], Health.DEGRADED),
        ({"has_model": False}, ["no_model"], Health.FAILED),
        ({"is_held": True, "is_stopping": True}, ["queue_held", "stopping"], Health.DEGRADED),
        ({"disk_free_bytes": 50_000_000}, ["disk_full"], Health.FAILED),
        ({"disk_free_bytes": 20_000_000_000}, ["disk_low"], Health.DEGRADED),
        ({"memory_available_bytes": 700_000_000}, ["memory_low"], Health.DEGRADED),
        ({"is_backup_failed": True}, ["backup_failed"], Health.DEGRADED),
        ({"is_backup_overdue": True}, ["backup_overdue"], Health.DEGRADED),
    ],
)
def test_what_is_wrong_is_named_and_weighed(
    change: dict[str, object], found: list[str], how: Health
) -> None:
    seen = problems(replace(WELL, **change))  # type: ignore[arg-type]

    assert (seen, health(seen)) == (found, how)


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_is_well_or_has_one_problem(verdict: Verdict) -> None:
    assert len(problems(replace(WELL, engine_state=verdict.value))) <= 1


def test_the_command_line_knows_what_to_do_about_each() -> None:
    assert set(TOLD) == set(PROBLEMS)
