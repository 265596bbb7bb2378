"""How an attempt ends, and what becomes of its turn."""

from dataclasses import dataclass

from couachgptd.core.errors import (
    AnswerInterrupted,
    CouachError,
    DaemonRestarted,
    EngineKilled,
    EngineTimeout,
    EngineUnavailable,
)
from couachgptd.core.models import Finished
from couachgptd.core.turns import TurnState
from couachgptd.core.verdicts import CancelReason

RETRIES = 1  # by itself; more would let one question hold up everybody


@dataclass(frozen=True, slots=True)
class End:
    """The end of an attempt.

    `drains`: the engine may still be at work on it; `is_tried_again`: the turn goes back to the
    queue, once; `is_deferred`: it goes back as if nothing had been tried, for nothing was.
    """

    state: TurnState
    error: CouachError | None = None
    finished: Finished | None = None
    reason: str | None = None
    drains: bool = False
    is_tried_again: bool = False
    is_deferred: bool = False


STOPPED = End(TurnState.STOPPED, drains=True)
RUNAWAY = End(TurnState.DONE, reason="length", drains=True)


def shut_down() -> End:
    return End(TurnState.INTERRUPTED, DaemonRestarted())


def refused(error: CouachError) -> End:
    """It is not to be tried again: the watchdog has put the question or its model aside."""
    return End(TurnState.FAILED, error, drains=True)


def cut_for(reason: CancelReason, phase: str, seconds: float, retries: int) -> End:
    """Return the end of an attempt that the watchdog cancels after `seconds` in its phase."""
    if reason is CancelReason.RUNAWAY:
        return RUNAWAY
    return _interrupted(EngineTimeout(phase=phase, seconds=round(seconds)), retries)


def failed(error: CouachError, retries: int, *, is_watched: bool) -> End:
    """Return the end of an attempt that the engine failed."""
    if isinstance(error, AnswerInterrupted | EngineKilled | EngineTimeout):
        return _interrupted(error, retries)
    if isinstance(error, EngineUnavailable) and is_watched:
        return End(TurnState.QUEUED, error, is_deferred=True)
    return End(TurnState.FAILED, error)


def _interrupted(error: CouachError, retries: int) -> End:
    again = retries < RETRIES
    return End(TurnState.INTERRUPTED, error, drains=True, is_tried_again=again)
