"""Whether all is well: what an operator should know at a glance, as stable words, worst first."""

from dataclasses import dataclass
from enum import IntEnum

DISK_LOW_BYTES = 1_000_000_000
DISK_LOW_SHARE = 0.05
MEMORY_LOW_SHARE = 0.05


class Health(IntEnum):
    """Healthy; somebody should look; people get no answer."""

    OK = 0
    DEGRADED = 1
    FAILED = 2

    @property
    def word(self) -> str:
        return self.name.lower()


# What can be wrong, in the order in which one would want to read it.
PROBLEMS = {
    "engine_failed": Health.FAILED,
    "engine_stopped": Health.FAILED,
    "engine_unreachable": Health.FAILED,
    "no_model": Health.FAILED,
    "disk_full": Health.FAILED,
    "engine_maintenance": Health.DEGRADED,
    "engine_in_trouble": Health.DEGRADED,
    "engine_down": Health.DEGRADED,
    "queue_held": Health.DEGRADED,
    "disk_low": Health.DEGRADED,
    "memory_low": Health.DEGRADED,
    "backup_failed": Health.DEGRADED,
    "backup_overdue": Health.DEGRADED,
    "stopping": Health.DEGRADED,
}

_VERDICTS = {
    "failed": "engine_failed",
    "stopped": "engine_stopped",
    "unreachable": "engine_unreachable",
    "maintenance": "engine_maintenance",
}
# Under these the engine answers, or is on its way to for the first time.
_WELL = frozenset({"ready", "busy", "slow", "loading", "starting"})


@dataclass(frozen=True, slots=True)
class Facts:
    """What there is to judge by; `engine_state` is the watchdog's verdict."""

    engine_state: str
    is_engine_up: bool
    has_model: bool
    is_held: bool
    is_stopping: bool
    is_backup_failed: bool
    is_backup_overdue: bool
    disk_free_bytes: int
    disk_total_bytes: int
    memory_available_bytes: int
    memory_total_bytes: int


def problems(facts: Facts) -> list[str]:
    """Return what is wrong, the worst first; nothing where all is well."""
    share = facts.disk_free_bytes / max(1, facts.disk_total_bytes)
    verdict = facts.engine_state
    found = {
        _VERDICTS.get(verdict, ""): True,
        "engine_in_trouble": verdict not in _VERDICTS and verdict not in _WELL,
        "engine_down": verdict in _WELL and not facts.is_engine_up,
        "no_model": facts.is_engine_up and not facts.has_model,
        "queue_held": facts.is_held,
        "disk_full": facts.disk_free_bytes < DISK_LOW_BYTES // 10,
        "disk_low": facts.disk_free_bytes < DISK_LOW_BYTES or share < DISK_LOW_SHARE,
        "memory_low": facts.memory_available_bytes < MEMORY_LOW_SHARE * facts.memory_total_bytes,
        "backup_failed": facts.is_backup_failed,
        "backup_overdue": facts.is_backup_overdue,
        "stopping": facts.is_stopping,
    }
    found["disk_low"] = found["disk_low"] and not found["disk_full"]
    return [name for name in PROBLEMS if found.get(name)]


def health(found: list[str]) -> Health:
    """Return how bad the worst of it is."""
    return max((PROBLEMS[name] for name in found), default=Health.OK)
