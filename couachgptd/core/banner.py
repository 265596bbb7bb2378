"""The banner that an administrator shows to everybody."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

TEXT_MOST = 500


class Level(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Banner:
    """Shown until a moment, or until somebody takes it away."""

    text: str
    level: Level
    until: datetime | None = None

    def is_over(self, now: datetime) -> bool:
        return self.until is not None and self.until <= now
