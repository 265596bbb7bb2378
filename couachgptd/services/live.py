"""A turn in memory, between its question and its end: what grows, and who is told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Literal

from couachgptd.core import wire
from couachgptd.core.forecast import Spoken
from couachgptd.core.models import ChatRequest
from couachgptd.core.turns import Sent, Timings, Turn, TurnState

Kind = Literal["text", "thinking"]
Publish = Callable[[str, dict[str, Any], bool], None]
MakeRequest = Callable[[int], Awaitable[ChatRequest]]

# One event for what comes within this time: half of what an eye or a frame could tell apart, and
# a fast engine then costs one event where it would cost a hundred. The first piece never waits.
GATHER_SECONDS = 0.025
PROGRESS_SECONDS = 0.25


class LiveTurn:
    """Grows by pieces; publishes them gathered; knows what is not yet kept."""

    def __init__(self, turn: Turn, publish: Publish, make_request: MakeRequest) -> None:
        self.turn = turn
        self.make_request = make_request
        self.is_dirty = False
        self.ended = asyncio.Event()
        self.retries = 0
        self.place: int | None = None
        self.wait: Spoken | None = None
        self._base: dict[Kind, str] = {"text": "", "thinking": ""}
        self._is_rewriting = False
        self._publish = publish
        self._parts: dict[Kind, list[str]] = {"text": [], "thinking": []}
        self._gathered: list[str] = []
        self._gathered_kind: Kind = "text"
        self._published_at = 0.0
        self._progress_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._read_tokens = 0
        self._prompt_tokens = 0
        self._tokens = 0
        self._began_at = 0.0
        self._thought_before = turn.think_seconds  # by what this one goes on with
        self._thinks_from: float | None = None

    def begin_with(self, text: str, thinking: str) -> None:
        """Take over what an earlier attempt wrote: this one goes on after it."""
        self._base = {"text": text, "thinking": thinking}
        self._parts = {"text": [text], "thinking": [thinking]}

    @property
    def text(self) -> str:
        return self._joined("text")

    @property
    def thinking(self) -> str:
        return self._joined("thinking")

    def _joined(self, kind: Kind) -> str:
        whole = "".join(self._parts[kind])
        self._parts[kind] = [whole]
        return whole

    @property
    def is_queued(self) -> bool:
        return self.turn.state is TurnState.QUEUED

    @property
    def so_far(self) -> Turn:
        """The turn with what was counted of it: after a crash nothing else is known."""
        timings = self._counted(self.turn.timings)
        return replace(self.turn, timings=timings, think_seconds=self._thought)

    def shape(self) -> dict[str, Any]:
        return wire.turn(
            self.turn,
            place=self.place,
            wait=self.wait,
            is_healing=self._is_rewriting,
            read_tokens=self._read_tokens,
            prompt_tokens=self._prompt_tokens,
        )

    # what happens to it

    def wait_at(self, place: int, wait: Spoken | None = None) -> None:
        if (place, wait) != (self.place, self.wait):
            self.place, self.wait = place, wait
            self._tell()

    def try_again(self) -> None:
        """Go back to the queue; what is written stays until the next attempt writes."""
        self.flush()
        self._move(TurnState.QUEUED, attempt=self.turn.attempt + 1)
        self.retries += 1
        self._is_rewriting = True
        self._read_tokens = self._prompt_tokens = self._tokens = 0
        self._began_at = 0.0
        self.is_dirty = True
        self._tell()

    def wait_again(self) -> None:
        """Go back to the queue as if nothing had been tried: nothing was."""
        if self.turn.state is not TurnState.QUEUED:
            self.turn = replace(self.turn.at(TurnState.QUEUED), started_at=None)
            self.is_dirty = True
            self._tell()

    def enter(self, state: TurnState) -> None:
        """Move to a stage; the first one beyond the queue starts the clock."""
        if state is self.turn.state:
            return
        self.flush()
        started = self.turn.started_at or _now()
        self._move(state, started_at=started)
        self.place = self.wait = None
        self.is_dirty = True
        self._tell()

    def read(self, tokens: int, total_tokens: int) -> None:
        self.enter(TurnState.READING)
        self._read_tokens, self._prompt_tokens = tokens, total_tokens
        now = asyncio.get_running_loop().time()
        if total_tokens and now - self._progress_at >= PROGRESS_SECONDS:
            self._progress_at = now
            self._tell()

    def send(self, sent: Sent) -> None:
        """Note what the engine is about to be sent; it is told with the next stage."""
        self.turn = replace(self.turn, sent=sent)
        self.is_dirty = True

    def write(self, kind: Kind, text: str, tokens: int = 1) -> None:
        if self.turn.state is not (
            state := TurnState.WRITING if kind == "text" else TurnState.THINKING
        ):
            if self._is_rewriting:
                self._rewrite()
            self.enter(state)
        if kind != self._gathered_kind:
            self.flush()
            self._gathered_kind = kind
        if not text.isascii():
            # Half of a pair from a broken engine: neither sockets nor the store could take it.
            text = text.encode("utf-8", "replace").decode()
        self._parts[kind].append(text)
        self._gathered.append(text)
        self.is_dirty = True
        self._tokens += tokens
        if self._timer is None:
            loop = asyncio.get_running_loop()
            due = self._published_at + GATHER_SECONDS
            if loop.time() >= due:
                self.flush()
            else:
                self._timer = loop.call_at(due, self.flush)

    def _rewrite(self) -> None:
        """Drop what the attempt before had written."""
        self._is_rewriting = False
        self._parts = {"text": [self._base["text"]], "thinking": [self._base["thinking"]]}
        self.turn = replace(self.turn, think_seconds=self._thought_before)
        text, thinking = self._base["text"], self._base["thinking"]
        fields = {"message": self.turn.message_id, "text": text, "thinking": thinking}
        self._publish("rewrite", fields, False)  # noqa: FBT003 -- `revises`, as below

    def flush(self) -> None:
        """Publish what has gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._gathered:
            return
        text = "".join(self._gathered)
        self._gathered.clear()
        self._published_at = asyncio.get_running_loop().time()
        self._began_at = self._began_at or self._published_at
        fields = {"message": self.turn.message_id, "kind": self._gathered_kind, "d": text}
        self._publish("text", fields, False)  # noqa: FBT003 -- `revises`, named in Publish's user

    def end(
        self,
        state: TurnState,
        *,
        reason: str | None = None,
        timings: Timings | None = None,
        error_code: str | None = None,
        error_fields: dict[str, Any] | None = None,
    ) -> None:
        """Reach the end. It is published once it is kept, by `announce_end`."""
        self.flush()
        self._move(
            state,
            finished_at=_now(),
            finish_reason=reason,
            timings=self._counted(timings or self.turn.timings),
            error_code=error_code,
            error_fields=error_fields or {},
        )
        self.place = self.wait = None

    def announce_end(self) -> None:
        self._publish("turn", self._fields(), True)  # noqa: FBT003 -- as above
        self.ended.set()

    def _move(self, state: TurnState, **changes: Any) -> None:
        thought = self._thought
        loop = asyncio.get_running_loop()
        self._thinks_from = loop.time() if state is TurnState.THINKING else None
        self.turn = replace(self.turn.at(state), think_seconds=thought, **changes)

    @property
    def _thought(self) -> float | None:
        """For how long it has thought until now; it may think more than once."""
        if self._thinks_from is None:
            return self.turn.think_seconds
        spent = asyncio.get_running_loop().time() - self._thinks_from
        return round((self.turn.think_seconds or 0) + spent, 3)

    def _counted(self, told: Timings) -> Timings:
        """Return the engine's figures, or ours where it gave none: it was stopped or cut.

        Ours is a count of the engine's pieces in this attempt, thoughts too. llama.cpp and Ollama
        send one a token, or one for a few where these make one letter. The seconds are those from
        the first piece to the last, as in llama.cpp's own figures, taken where pieces are
        published: reading the clock at each would nearly double what `write` costs.
        """
        if told.answer_tokens is not None or not self._tokens:
            return told
        seconds = round(self._published_at - self._began_at, 3) or None
        return replace(told, answer_tokens=self._tokens, write_seconds=seconds)

    def _tell(self) -> None:
        self._publish("turn", self._fields(), False)  # noqa: FBT003 -- as above

    def _fields(self) -> dict[str, Any]:
        return {"message": self.turn.message_id, "turn": self.shape()}


def _now() -> datetime:
    """Return the time to the millisecond, so that what is told now is what will be kept."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
