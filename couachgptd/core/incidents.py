"""What happened to the engine, as it is kept for people."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Incident:
    """One change of the watchdog's verdict; `evidence` holds the figures that led to it."""

    at: datetime
    before: str
    after: str
    evidence: dict[str, Any]
