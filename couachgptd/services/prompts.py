"""Builds what a turn sends to the engine: system prompt, window, question, room for the answer."""

from collections import OrderedDict
from collections.abc import Sequence

from couachgptd.core.context import exchanges_of, system_prompt, window
from couachgptd.core.conversations import Message, branch_to
from couachgptd.core.errors import ContextExceeded, EngineUnavailable, MessageTooLong
from couachgptd.core.model_rules import RulesOf, no_rules
from couachgptd.core.models import ChatRequest, PromptMessage
from couachgptd.core.ports import Engine
from couachgptd.core.turns import Turn

# The counts of an estimate stay what they were when the tokenizer could not be asked: a window
# that moved because a number got better would cost a whole reading of the prompt.
COUNTS_KEPT = 20_000
# Template marks around the whole prompt that belong to no message.
MARGIN_TOKENS = 16


class Prompts:
    def __init__(
        self,
        engine: Engine,
        *,
        name: str,
        own_system_prompt: str,
        exchanges: int,
        answer_tokens: int,
        temperature: float,
        rules_of: RulesOf = no_rules,
    ) -> None:
        self._engine = engine
        self.name = name
        self._own = own_system_prompt
        self._exchanges = exchanges
        self._answer_tokens = answer_tokens
        self._temperature = temperature
        self._rules_of = rules_of
        self._counts: OrderedDict[tuple[str, str, str], int] = OrderedDict()

    async def of_question(self, model: str, language: str, text: str, slot: int) -> ChatRequest:
        """Build the request of a question that belongs to no conversation."""
        messages = (self._system(language), PromptMessage("user", text))
        system, question = await self._count(model, messages)
        window([question], [], keep=1, budget_tokens=await self._budget(model, system))
        return await self._request(model, messages, slot)

    async def of_branch(
        self, turn: Turn, messages: Sequence[Message], language: str, slot: int
    ) -> ChatRequest:
        """Build the request of a turn of a conversation; its answer may have begun already.

        Raises MessageTooLong; ContextExceeded where the answer has grown too long to go on.
        """
        if turn.message_id is None:
            raise ValueError("a turn of a conversation has a message")
        branch = branch_to(messages, turn.message_id)
        answer, before = branch[-1], branch[:-1]
        exchanges = exchanges_of(before)
        questions = [PromptMessage("user", item.question.text) for item in exchanges]
        answers = [
            PromptMessage("assistant", item.answer.text) for item in exchanges if item.answer
        ]
        begun = [PromptMessage("assistant", answer.text)] if answer.text else []
        system = self._system(language)
        counts = await self._count(turn.model, [system, *questions, *answers, *begun])
        question_counts = counts[1 : 1 + len(questions)]
        answer_counts = counts[1 + len(questions) : 1 + len(questions) + len(answers)]
        # What is already written of the answer stands in the prompt too.
        begun_tokens = sum(counts[1 + len(questions) + len(answers) :])
        budget = await self._budget(turn.model, counts[0]) - begun_tokens
        if question_counts[-1] > budget and begun_tokens:
            needed = question_counts[-1] + begun_tokens
            raise ContextExceeded(tokens=needed, limit_tokens=budget + begun_tokens)
        chosen = window(question_counts, answer_counts, keep=self._exchanges, budget_tokens=budget)
        sent = [system]
        for index in range(chosen.start, len(questions)):
            sent.append(questions[index])
            if index < len(answers):
                sent.append(answers[index])
        return await self._request(turn.model, (*sent, *begun), slot)

    async def require_fit(self, model: str, language: str, text: str) -> None:
        """Raise MessageTooLong for a question that alone does not fit."""
        messages = (self._system(language), PromptMessage("user", text))
        try:
            context = await self._engine.context_tokens(model)
        except EngineUnavailable:
            return  # the turn will say so, and the question is kept
        if sum(len(message.text.encode()) for message in messages) < context // 4:
            return  # no token is shorter than a byte
        system, question = await self._count(model, messages)
        budget = await self._budget(model, system)
        if question > budget:
            raise MessageTooLong(tokens=question, limit_tokens=budget)

    def _system(self, language: str) -> PromptMessage:
        return PromptMessage("system", system_prompt(self.name, language, self._own))

    async def _budget(self, model: str, system_tokens: int) -> int:
        context = await self._engine.context_tokens(model)
        return context - self._room(model, context) - system_tokens - MARGIN_TOKENS

    def _room(self, model: str, context: int) -> int:
        """Return the tokens kept for the answer: never more than half of the context."""
        chosen = self._rules_of(model).options.answer_tokens
        return min(chosen or self._answer_tokens, self._answer_tokens, context // 2)

    async def _request(
        self, model: str, messages: tuple[PromptMessage, ...], slot: int
    ) -> ChatRequest:
        context = await self._engine.context_tokens(model)
        options = self._rules_of(model).options
        chosen = options.temperature
        return ChatRequest(
            model=model,
            messages=messages,
            max_tokens=self._room(model, context),
            slot=slot,
            temperature=self._temperature if chosen is None else chosen,
            top_p=options.top_p,
        )

    async def _count(self, model: str, messages: Sequence[PromptMessage]) -> list[int]:
        keys = [(model, message.speaker, message.text) for message in messages]
        unknown = [
            message for key, message in zip(keys, messages, strict=True) if key not in self._counts
        ]
        if unknown:
            counts = await self._engine.count_tokens(model, unknown)
            for message, count in zip(unknown, counts, strict=True):
                self._counts[(model, message.speaker, message.text)] = count
        found = [self._counts[key] for key in keys]
        for key in keys:
            self._counts.move_to_end(key)
        while len(self._counts) > COUNTS_KEPT:
            self._counts.popitem(last=False)
        return found
