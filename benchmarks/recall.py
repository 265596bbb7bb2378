"""Does a model say back what it was told: twenty facts, several exchanges apart.

Each fact is told and the model's own answer to it kept (a refusal there spoils what follows), then
comes small talk, then the question. Four ways in the same run: with and without our system prompt,
the whole history and our window.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.context import ANSWER_TOKENS, CONTEXT_TOKENS, opened_engine
from benchmarks.machine import load_average
from benchmarks.programs import ROOT
from benchmarks.recall_pairs import PAIRS, TALK, Pair, is_recalled, is_refused
from benchmarks.report import Report, Target, parser
from couachgptd.core.context import system_prompt, window
from couachgptd.core.models import ChatRequest, PromptMessage, Text
from couachgptd.engine.embedded import EmbeddedEngine
from couachgptd.settings import Chat

MODEL = ROOT / ".cache" / "pictures" / "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"
APART = (4, 12)  # exchanges of small talk between the fact and the question
MOST_TOKENS = 60  # of an answer
SEED = 1
LEAST_SHARE = 0.9
QUICK_PAIRS = 2


@dataclass(frozen=True, slots=True)
class Recall:
    """How many facts came back, of all; `refused` were not said back for a reason of manners."""

    system_prompt: str
    history: str
    apart: int
    french: int
    english: int
    facts: int
    share: float
    refused: int
    load: float


@dataclass(frozen=True, slots=True)
class Way:
    """What is sent before the question."""

    has_system: bool
    has_window: bool

    def system(self, language: str) -> list[PromptMessage]:
        if not self.has_system:
            return []
        return [PromptMessage("system", system_prompt(language))]


WAYS = tuple(
    Way(has_system, has_window) for has_system in (False, True) for has_window in (False, True)
)


class Asker:
    """One model, asked with the temperature of the configuration and always the same seed."""

    def __init__(self, engine: EmbeddedEngine, model: str, chat: Chat) -> None:
        self._engine = engine
        self._model = model
        self._chat = chat

    async def answer(self, messages: Sequence[PromptMessage]) -> str:
        request = ChatRequest(
            self._model,
            tuple(messages),
            max_tokens=MOST_TOKENS,
            temperature=self._chat.temperature,
            seed=SEED,
        )
        async with aclosing(self._engine.chat(request)) as pieces:
            return "".join([piece.text async for piece in pieces if isinstance(piece, Text)])

    async def recall(self, pair: Pair, way: Way, apart: int) -> str:
        """Tell the fact, talk of other things, ask for it, and return the answer."""
        system = way.system(pair.language)
        told = PromptMessage("user", pair.told)
        said = PromptMessage("assistant", await self.answer([*system, told]))
        talk = TALK[pair.language]
        exchanges = [(told, said)] + [
            (PromptMessage("user", question), PromptMessage("assistant", answer))
            for question, answer in (talk[number % len(talk)] for number in range(apart))
        ]
        asked = PromptMessage("user", pair.asked)
        start = await self._start(system, exchanges, asked) if way.has_window else 0
        history = [message for exchange in exchanges[start:] for message in exchange]
        return await self.answer([*system, *history, asked])

    async def _start(
        self,
        system: Sequence[PromptMessage],
        exchanges: Sequence[tuple[PromptMessage, PromptMessage]],
        asked: PromptMessage,
    ) -> int:
        questions = [question for question, _ in exchanges] + [asked]
        answers = [answer for _, answer in exchanges]
        counts = await self._engine.count_tokens(self._model, [*questions, *answers, *system])
        used = sum(counts[len(questions) + len(answers) :])
        return window(
            counts[: len(questions)],
            counts[len(questions) : len(questions) + len(answers)],
            keep=self._chat.context_exchanges,
            budget_tokens=CONTEXT_TOKENS - ANSWER_TOKENS - used,
        ).start


async def measure(
    model: Path, pairs: Sequence[Pair], apart: Sequence[int], answers: list[str]
) -> list[Recall]:
    rows: list[Recall] = []
    async with opened_engine(model) as engine:
        asker = Asker(engine, model.stem, Chat())
        for distance in apart:
            for way in WAYS:
                found = [(pair, await asker.recall(pair, way, distance)) for pair in pairs]
                answers += [
                    f"{way} {distance}: {pair.asked} -> {answer!r}" for pair, answer in found
                ]
                recalled = [pair.language for pair, answer in found if is_recalled(pair, answer)]
                missed = [answer for pair, answer in found if not is_recalled(pair, answer)]
                rows.append(
                    Recall(
                        system_prompt="ours" if way.has_system else "none",
                        history="our window" if way.has_window else "whole",
                        apart=distance,
                        french=recalled.count("fr"),
                        english=recalled.count("en"),
                        facts=len(pairs),
                        share=len(recalled) / len(pairs),
                        refused=sum(map(is_refused, missed)),
                        load=load_average(),
                    )
                )
    return rows


def run(model: Path, *, pairs: Sequence[Pair], apart: Sequence[int], shows_answers: bool) -> Report:
    report = Report(f"recall ({model.stem})")
    answers: list[str] = []
    rows = asyncio.run(measure(model, pairs, apart, answers))
    report.rows += rows
    ours = next(row for row in rows if row.system_prompt == "ours" and row.history == "our window")
    name = f"facts recalled {ours.apart} exchanges later"
    report.targets.append(Target(name, ours.share, LEAST_SHARE, "of all", is_floor=True))
    report.notes += answers if shows_answers else []
    return report


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument(
        "--model", type=Path, default=MODEL, help="a GGUF file (`make soak` fetches this one)"
    )
    arguments.add_argument("--apart", type=int, nargs="+", default=APART, metavar="N")
    arguments.add_argument("--answers", action="store_true", help="print what the model said")
    chosen = arguments.parse_args()
    report = run(
        chosen.model.absolute(),
        pairs=PAIRS[:: len(PAIRS) // QUICK_PAIRS] if chosen.quick else PAIRS,
        apart=chosen.apart[:1] if chosen.quick else chosen.apart,
        shows_answers=chosen.answers,
    )
    report.show(as_json=chosen.json)


if __name__ == "__main__":
    main()
