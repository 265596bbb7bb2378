"""What the lines of one answer of Ollama's stand for."""

from typing import Any

from couachgptd.core.errors import AnswerInterrupted, EngineError, EngineRejected
from couachgptd.core.models import Finished, Piece, Thought
from couachgptd.core.turns import Timings
from couachgptd.engine.ollama_api import classified
from couachgptd.engine.thinking import ThinkingSplitter

NANOSECONDS = 1e9


class OllamaAnswer:
    """Makes pieces of the lines of one answer."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._splitter = ThinkingSplitter()
        self._has_begun = False
        self.failure: EngineError | None = None
        self.finished: Finished | None = None

    def pieces(self, lines: list[dict[str, Any]]) -> list[Piece]:
        pieces: list[Piece] = []
        for line in lines:
            if "error" in line:
                # What came before it in the same read is passed on first.
                self._has_begun = self._has_begun or bool(pieces)
                self.failure = self._named(str(line["error"]))
                return pieces
            message = line.get("message")
            if isinstance(message, dict):
                if thought := message.get("thinking"):
                    pieces.append(Thought(str(thought)))
                if content := message.get("content"):
                    pieces += self._splitter.feed(str(content))
            if line.get("done"):
                pieces += self._splitter.finish()
                self.finished = Finished(
                    reason="length" if line.get("done_reason") == "length" else "stop",
                    timings=timings_of(line),
                )
                break
        self._has_begun = self._has_begun or bool(pieces)
        return pieces

    def _named(self, text: str) -> EngineError:
        """Name an error line: what comes after the first words is a cut, not a refusal.

        A real Ollama (0.33) whose runner was killed says "unexpected EOF" there.
        """
        error = classified(text, 0, self._model)
        if self._has_begun and isinstance(error, EngineRejected):
            return AnswerInterrupted(**error.fields)
        return error


def timings_of(line: dict[str, Any]) -> Timings:
    """Return what the closing line tells; Ollama never says how much was cached."""

    def seconds(name: str) -> float | None:
        value = line.get(name)
        return value / NANOSECONDS if isinstance(value, int | float) else None

    def count(name: str) -> int | None:
        value = line.get(name)
        return value if isinstance(value, int) else None

    return Timings(
        prompt_tokens=count("prompt_eval_count"),
        answer_tokens=count("eval_count"),
        load_seconds=seconds("load_duration"),
        read_seconds=seconds("prompt_eval_duration"),
        write_seconds=seconds("eval_duration"),
    )
