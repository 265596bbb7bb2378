"""A turn: one answer being made, from queued to its one end."""

import math
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from couachgptd.core.ids import ConversationId, MessageId, TurnId, UserId


class TurnState(StrEnum):
    """The stages that people see; the last four are ends and never change again."""

    QUEUED = "queued"
    LOADING = "loading"
    READING = "reading"
    THINKING = "thinking"
    WRITING = "writing"
    DONE = "done"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in FINAL

    @property
    def is_running(self) -> bool:
        return self in RUNNING


RUNNING = frozenset(
    {TurnState.LOADING, TurnState.READING, TurnState.THINKING, TurnState.WRITING},
)
FINAL = frozenset(
    {TurnState.DONE, TurnState.STOPPED, TurnState.INTERRUPTED, TurnState.FAILED},
)


class TurnSource(StrEnum):
    CHAT = "chat"
    ROOM = "room"
    API = "api"
    BENCHMARK = "benchmark"
    TITLE = "title"


@dataclass(frozen=True, slots=True)
class Timings:
    """What one attempt cost; None where the engine does not say. Times are seconds."""

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    answer_tokens: int | None = None
    load_seconds: float | None = None
    read_seconds: float | None = None
    write_seconds: float | None = None

    @property
    def believable(self) -> Self:
        """These without what no clock or counter can say: a figure below zero, or not finite."""
        told = {item.name: getattr(self, item.name) for item in fields(self)}
        return type(self)(
            **{
                name: value if value is not None and 0 <= value < math.inf else None
                for name, value in told.items()
            }
        )

    @property
    def tokens_per_second(self) -> float | None:
        if not self.answer_tokens or not self.write_seconds:
            return None
        return self.answer_tokens / self.write_seconds


@dataclass(frozen=True, slots=True)
class Sent:
    """What of a conversation the model was sent for one answer.

    `exchanges` are those before the question; `first` is the question that all begins with, None
    where a preview has nothing but the instructions. `tokens` is what was counted of all of it, the
    instructions too, where the engine has no tokenizer an estimate; one slot holds `limit_tokens`,
    the answer's included.
    """

    exchanges: int
    first: MessageId | None
    tokens: int
    limit_tokens: int


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer being made.

    `asker_id` is None for the operator at the control socket; `message_id` is the answer it
    writes, None where nothing is kept; `options` is what it is made with (`core.choices.Made`),
    empty where an older version queued it; `sent` is None before the prompt was built;
    `think_seconds` is how long the model has thought, None where it has not; `energy_j` is joules,
    measured by a later version.
    """

    id: TurnId
    asker_id: UserId | None
    source: TurnSource
    state: TurnState
    attempt: int
    model: str
    queued_at: datetime
    conversation_id: ConversationId | None = None
    message_id: MessageId | None = None
    options: dict[str, Any] = field(default_factory=dict)
    sent: Sent | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    timings: Timings = Timings()
    finish_reason: str | None = None
    error_code: str | None = None
    error_fields: dict[str, Any] = field(default_factory=dict)
    think_seconds: float | None = None
    energy_j: float | None = None

    @property
    def is_cut(self) -> bool:
        """Say whether the answer ended before its end, so that it can be gone on with."""
        if self.state is TurnState.DONE:
            return self.finish_reason == "length"
        return self.state.is_final

    def at(self, state: TurnState) -> Self:
        """Return the turn at a new state; an ended turn never moves again."""
        if self.state.is_final:
            raise ValueError(f"turn {self.id} has ended as {self.state}")
        return replace(self, state=state)
