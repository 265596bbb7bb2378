"""Time to first token, turn by turn, for three ways to choose what the model is sent.

A sliding window of the last N exchanges, the whole history, and ours (`core.context`), each on an
engine of its own with a real model; turn by turn in turn, so that noise of the machine meets all.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.machine import load_average
from benchmarks.programs import ROOT
from benchmarks.report import Report, Target, parser
from couachgptd import settings
from couachgptd.core.context import system_prompt, window
from couachgptd.core.models import ChatRequest, Finished, PromptMessage, Text, Thought
from couachgptd.engine.embedded import EmbeddedEngine

MODEL = ROOT / ".cache" / "models" / "smollm2-135m-instruct-q4_1.gguf"
STRATEGIES = ("sliding", "whole", "ours")
CONTEXT_TOKENS = 4096
ANSWER_TOKENS = 256
MOST_RATIO = 1.5
QUICK_LETTERS = 120  # of each question and answer: reading them is what takes the time

TOPICS = (
    "the boat hall",
    "resin storage",
    "the new moulds",
    "vacuum pumps",
    "glass fabric",
    "carbon offcuts",
    "the paint shop",
    "delivery dates",
    "safety masks",
    "the oven cycle",
    "spare gaskets",
    "training days",
    "the test bench",
    "waste sorting",
)
QUESTION = (
    "Let us go on with {topic}. Please tell me what the team should check first on a Monday morning"
    " before any work begins, who ought to write it down, and how we make sure that nobody skips a"
    " step when the week is busy? Keep it short, please."
)
ANSWER = (
    "For {topic}, begin with what can stop the whole day: look at the surfaces, the lines and the"
    " labels, and compare them with the sheet from Friday. The person who opens the workshop writes"
    " the result on the board, with the hour and initials, so that everybody sees it at a glance."
    " When the week is busy, two people do the round together and each signs for the other; a step"
    " that was skipped is marked in red and done before noon. Keep the list to seven lines at most,"
    " because a longer one is not read. At the end of the week, the team lead reads the marks and"
    " removes what never fails."
)


@dataclass(frozen=True, slots=True)
class Turn:
    """Seconds from the request to the first token, and the tokens that had to be read for it."""

    turn: int
    sliding_s: float
    whole_s: float
    ours_s: float
    sliding_read: int | None
    whole_read: int | None
    ours_read: int | None
    ours_beside_whole: float
    load: float


@dataclass(frozen=True, slots=True)
class First:
    """How one turn began on one engine."""

    seconds: float
    read_tokens: int | None


def exchange(number: int, letters: int | None) -> tuple[PromptMessage, PromptMessage]:
    topic = f"{TOPICS[number % len(TOPICS)]} (point {number + 1})"
    return (
        PromptMessage("user", QUESTION.format(topic=topic)[:letters]),
        PromptMessage("assistant", ANSWER.format(topic=topic)[:letters]),
    )


class Conversation:
    """One strategy on one engine: each turn sees the same history, chosen from differently."""

    def __init__(
        self, strategy: str, engine: EmbeddedEngine, model: str, keep: int, letters: int | None
    ) -> None:
        self._strategy = strategy
        self._engine = engine
        self._model = model
        self._keep = keep
        self._letters = letters
        self._system = PromptMessage("system", system_prompt("en"))

    async def turn(self, number: int) -> First:
        """Time the first token of the answer to question `number`, then let it be answered."""
        exchanges = [exchange(index, self._letters) for index in range(number + 1)]
        start = await self._start(exchanges)
        messages = [self._system]
        for question, answer in exchanges[start:-1]:
            messages += [question, answer]
        question, answer = exchanges[-1]
        messages.append(question)
        first = await self._first_token(messages)
        # As if it had written the fixed answer itself: its cache holds it when the next turn comes.
        await self._first_token([*messages, answer])
        return first

    async def _start(self, exchanges: Sequence[tuple[PromptMessage, PromptMessage]]) -> int:
        if self._strategy == "whole":
            return 0
        if self._strategy == "sliding":
            return max(0, len(exchanges) - 1 - self._keep)
        questions, answers = zip(*exchanges, strict=True)
        system, *counts = await self._engine.count_tokens(
            self._model, [self._system, *questions, *answers]
        )
        asked, answered = counts[: len(questions)], counts[len(questions) : -1]
        context = await self._engine.context_tokens(self._model)
        budget = context - ANSWER_TOKENS - system
        return window(asked, answered, keep=self._keep, budget_tokens=budget).start

    async def _first_token(self, messages: Sequence[PromptMessage]) -> First:
        request = ChatRequest(self._model, tuple(messages), max_tokens=1, temperature=0.0)
        began = time.monotonic()
        seconds, read = 0.0, None
        async with aclosing(self._engine.chat(request)) as pieces:
            async for piece in pieces:
                if not seconds and isinstance(piece, Text | Thought | Finished):
                    seconds = time.monotonic() - began
                if isinstance(piece, Finished) and piece.timings.prompt_tokens is not None:
                    read = piece.timings.prompt_tokens - (piece.timings.cached_tokens or 0)
        return First(seconds, read)


@asynccontextmanager
async def opened_engine(model: Path) -> AsyncGenerator[EmbeddedEngine]:
    engine = EmbeddedEngine(
        settings.Engine(kind="embedded", slots=1, context_tokens=CONTEXT_TOKENS),
        settings.Embedded(),
        settings.Deadlines(),
        model.parent,
    )
    try:
        await engine.load(model.stem)
        yield engine
    finally:
        await engine.close()


async def measure(model: Path, turns: int, keep: int, letters: int | None) -> list[Turn]:
    rows: list[Turn] = []
    async with AsyncExitStack() as stack:
        talks: list[Conversation] = []
        for strategy in STRATEGIES:
            engine = await stack.enter_async_context(opened_engine(model))
            talks.append(Conversation(strategy, engine, model.stem, keep, letters))
        for number in range(turns):
            sliding, whole, ours = [await talk.turn(number) for talk in talks]
            rows.append(
                Turn(
                    turn=number + 1,
                    sliding_s=sliding.seconds,
                    whole_s=whole.seconds,
                    ours_s=ours.seconds,
                    sliding_read=sliding.read_tokens,
                    whole_read=whole.read_tokens,
                    ours_read=ours.read_tokens,
                    ours_beside_whole=ours.seconds / whole.seconds,
                    load=load_average(),
                )
            )
    return rows


def run(model: Path, *, turns: int, keep: int, letters: int | None = None) -> Report:
    report = Report(f"context ({model.stem}, N = {keep})")
    rows = asyncio.run(measure(model, turns, keep, letters))
    report.rows += rows
    slow = sum(row.ours_beside_whole > MOST_RATIO for row in rows)
    name = f"share of turns where ours takes more than {MOST_RATIO} x the whole history"
    report.targets.append(Target(name, slow / len(rows), 0.2, "of all"))
    report.notes.append("read: tokens of the prompt that the engine's cache did not hold.")
    return report


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--model", type=Path, default=MODEL, help="a GGUF file")
    arguments.add_argument("--turns", type=int, default=14)
    arguments.add_argument("--exchanges", type=int, default=5, metavar="N")
    chosen = arguments.parse_args()
    model = chosen.model.absolute()
    if chosen.quick:
        report = run(model, turns=min(chosen.turns, 2), keep=1, letters=QUICK_LETTERS)
    else:
        report = run(model, turns=chosen.turns, keep=chosen.exchanges)
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
