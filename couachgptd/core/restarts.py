"""When the engine may be restarted again: back-off, a budget, and one try now and then after it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from couachgptd.core.budgets import Limits

DAY_SECONDS = 86400.0
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Restarts:
    """Our restarts, kept across our own. Times are `Snapshot.now`, in seconds.

    `at` are those of the last day, oldest first, without the tries once all was spent;
    `unsettled` counts both since the engine was last well, `newest_at` is the newest of both.
    """

    at: tuple[float, ...] = ()
    unsettled: int = 0
    newest_at: float | None = None

    def are_spent(self, now: float, limits: Limits) -> bool:
        lately = sum(now - each < limits.restarts_window_seconds for each in self.at)
        today = sum(now - each < DAY_SECONDS for each in self.at)
        return lately >= limits.restarts_in_window or today >= limits.restarts_in_day

    def delay(self, limits: Limits, chance: float) -> float:
        """Return the seconds to wait before the next; `chance`, 0 to 1, is where in ±10 %."""
        if not self.unsettled:
            return 0.0
        grown = limits.backoff_first_seconds * limits.backoff_factor ** min(self.unsettled - 1, 8)
        return min(grown, limits.backoff_max_seconds) * (1 + JITTER * (2 * chance - 1))

    def ordered(self, now: float) -> Self:
        today = tuple(each for each in self.at if now - each < DAY_SECONDS)
        return replace(self, at=(*today, now), unsettled=self.unsettled + 1, newest_at=now)

    def retried(self, now: float) -> Self:
        return replace(self, unsettled=self.unsettled + 1, newest_at=now)

    def refused(self) -> Self:
        """Take back the newest, which was not done after all."""
        was_counted = bool(self.at) and self.at[-1] == self.newest_at
        at = self.at[:-1] if was_counted else self.at
        return replace(self, at=at, unsettled=max(0, self.unsettled - 1))

    def answered(self, now: float, limits: Limits) -> Self:
        """Note a whole answer: long enough after the last restart, the back-off begins anew."""
        if self.newest_at is None or now - self.newest_at < limits.settled_seconds:
            return self
        return replace(self, unsettled=0)

    def document(self) -> dict[str, Any]:
        return {"at": list(self.at), "unsettled": self.unsettled, "newest_at": self.newest_at}

    @classmethod
    def of(cls, document: Mapping[str, Any], clock_seconds: float, elapsed_seconds: float) -> Self:
        """Read what `document` wrote, on a clock that has gone on by `clock_seconds` since then.

        `elapsed_seconds` really passed: a machine that was off starts its clock anew.
        """
        shift = clock_seconds - max(0.0, elapsed_seconds)
        newest_at = document["newest_at"]
        return cls(
            at=tuple(each + shift for each in document["at"]),
            unsettled=document["unsettled"],
            newest_at=None if newest_at is None else newest_at + shift,
        )
