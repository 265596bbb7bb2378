"""Makes pieces of the event stream of `/v1/chat/completions`, as llama.cpp sends it."""

import json
from typing import Any

from couachgptd.core.errors import (
    AnswerInterrupted,
    ContextExceeded,
    EngineBusy,
    EngineError,
    EngineRejected,
    ModelMissing,
)
from couachgptd.core.models import Finished, Piece, Reading, Thought
from couachgptd.core.turns import Timings
from couachgptd.engine.lines import LineCutter
from couachgptd.engine.thinking import ThinkingSplitter, joined

REASON_MAX_LENGTH = 300
NOT_FOUND = 404
UNAVAILABLE = 503
DATA = b"data:"
END = b"[DONE]"


class OpenAIAnswer:
    """One answer: bytes in, pieces out; `finished` is there once the stream said so."""

    def __init__(self, model: str, *, starts_inside_thought: bool = False) -> None:
        self.finished: Finished | None = None
        self._model = model
        self._lines = LineCutter()
        self._splitter = ThinkingSplitter(starts_inside=starts_inside_thought)
        self._reason: str | None = None
        self._timings = Timings()

    def feed(self, chunk: bytes) -> list[Piece]:
        """Return what the bytes brought; an empty chunk is the end of the stream."""
        pieces: list[Piece] = []
        if not chunk:
            # A server that is not llama.cpp may leave out the closing mark, never the reason.
            if self._reason is None:
                raise AnswerInterrupted(reason="no_final_frame")
            self._finish(pieces)
            return joined(pieces)
        for line in self._lines.feed(chunk):
            if not line.startswith(DATA):
                continue  # blank lines part the events; a comment keeps the connection alive
            data = line[len(DATA) :].strip()
            if data == END:
                self._finish(pieces)
                break
            self._event(data, pieces)
        return joined(pieces)

    def _event(self, data: bytes, pieces: list[Piece]) -> None:
        try:
            event = json.loads(data.decode())  # bytes would cost a third more: it guesses
            if "error" in event:
                raise classified(0, event["error"], self._model)
            if choices := event["choices"]:
                self._choice(choices[0], pieces)
            if progress := event.get("prompt_progress"):
                pieces.append(Reading(int(progress["processed"]), int(progress["total"])))
            if timings := event.get("timings"):
                self._timings = timings_of(timings)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise AnswerInterrupted(reason="malformed_line") from None

    def _choice(self, choice: dict[str, Any], pieces: list[Piece]) -> None:
        delta = choice["delta"]
        if thought := delta.get("reasoning_content"):
            pieces.append(Thought(str(thought)))
        if content := delta.get("content"):
            pieces += self._splitter.feed(str(content))
        if reason := choice.get("finish_reason"):
            self._reason = "length" if reason == "length" else "stop"

    def _finish(self, pieces: list[Piece]) -> None:
        if self._reason is None:
            raise AnswerInterrupted(reason="no_final_frame")
        pieces += self._splitter.finish()
        self.finished = Finished(self._reason, self._timings)


def timings_of(timings: dict[str, Any]) -> Timings:
    """Return llama.cpp's own figures, which are milliseconds."""
    cached = int(timings.get("cache_n", 0))
    return Timings(
        prompt_tokens=cached + int(timings["prompt_n"]),
        cached_tokens=cached,
        answer_tokens=int(timings["predicted_n"]),
        read_seconds=float(timings["prompt_ms"]) / 1000,
        write_seconds=float(timings["predicted_ms"]) / 1000,
    )


def classified(status: int, error: Any, model: str) -> EngineError:
    """Return the error that llama.cpp's status and error object stand for."""
    fields = error if isinstance(error, dict) else {"message": str(error)}
    if fields.get("type") == "exceed_context_size_error":
        return ContextExceeded(
            tokens=fields.get("n_prompt_tokens"), limit_tokens=fields.get("n_ctx")
        )
    code = status or fields.get("code")
    if code == UNAVAILABLE:
        return EngineBusy()
    if code == NOT_FOUND:
        return ModelMissing(model=model)
    return EngineRejected(reason=str(fields.get("message", ""))[:REASON_MAX_LENGTH])
