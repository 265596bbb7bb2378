"""Builds what a turn sends to the engine: system prompt, window, question, room for the answer."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from couachgptd.core.attachments import IMAGE_TOKENS, Attachment
from couachgptd.core.choices import (
    ALL,
    NOTHING_CHOSEN,
    Choices,
    Made,
    SystemPromptTooLong,
    made_with,
)
from couachgptd.core.context import Exchange, exchanges_of, system_prompt, window
from couachgptd.core.conversations import Message, branch_to
from couachgptd.core.errors import ContextExceeded, EngineUnavailable, MessageTooLong
from couachgptd.core.model_rules import RulesOf, no_rules
from couachgptd.core.models import ChatRequest, PromptMessage
from couachgptd.core.ports import Engine
from couachgptd.core.titles import TITLE_TOKENS, first_exchange, head, instruction
from couachgptd.core.turns import Sent, Turn
from couachgptd.services.attached import Attached, WithFiles

# The counts of an estimate stay what they were when the tokenizer could not be asked: a window
# that moved because a number got better would cost a whole reading of the prompt.
COUNTS_KEPT = 20_000
# Template marks around the whole prompt that belong to no message.
MARGIN_TOKENS = 16


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the engine is asked for an answer, and what people are told of it."""

    request: ChatRequest
    sent: Sent


class Prompts:
    def __init__(
        self,
        engine: Engine,
        *,
        own_system_prompt: str,
        exchanges: int,
        answer_tokens: int,
        temperature: float,
        attached: Attached,
        rules_of: RulesOf = no_rules,
    ) -> None:
        self._engine = engine
        self.attached = attached
        self._own = own_system_prompt
        self.default = Made(temperature, answer_tokens, exchanges)
        self._rules_of = rules_of
        self._counts: OrderedDict[tuple[str, str, int, int], int] = OrderedDict()

    def made(self, model: str, choices: Choices, *, can_think: bool) -> Made:
        """Return what an answer of this model is made with, by these choices."""
        rules = self._rules_of(model).options
        return made_with(choices, rules, self.default, can_think=can_think)

    async def of_question(self, model: str, language: str, text: str, slot: int) -> ChatRequest:
        """Build the request of a question that belongs to no conversation."""
        made = self.made(model, NOTHING_CHOSEN, can_think=False)
        messages = (self._system(language, made), PromptMessage("user", text))
        system, question = await self._count(model, messages)
        window([question], [], keep=1, budget_tokens=await self._budget(model, made, system))
        return await self._request(model, made, messages, slot)

    async def of_branch(
        self, turn: Turn, messages: Sequence[Message], language: str, slot: int
    ) -> Prompt:
        """Build the request of a turn of a conversation; its answer may have begun already.

        Raises MessageTooLong, ModelBlind; ContextExceeded where the answer has grown too long to
        go on.
        """
        if turn.message_id is None:
            raise ValueError("a turn of a conversation has a message")
        made = self._made_of(turn)
        branch = branch_to(messages, turn.message_id)
        answer, before = branch[-1], branch[:-1]
        exchanges = exchanges_of(before)
        questions, answers = await self._spoken(turn.model, exchanges)
        begun = [PromptMessage("assistant", answer.text)] if answer.text else []
        system = self._system(language, made)
        counts = await self._count(turn.model, [system, *questions, *answers, *begun])
        question_counts = counts[1 : 1 + len(questions)]
        answer_counts = counts[1 + len(questions) : 1 + len(questions) + len(answers)]
        # What is already written of the answer stands in the prompt too.
        begun_tokens = sum(counts[1 + len(questions) + len(answers) :])
        budget = await self._budget(turn.model, made, counts[0]) - begun_tokens
        if question_counts[-1] > budget and begun_tokens:
            needed = question_counts[-1] + begun_tokens
            raise ContextExceeded(tokens=needed, limit_tokens=budget + begun_tokens)
        keep = made.exchanges if made.exchanges != ALL else len(questions)
        chosen = window(question_counts, answer_counts, keep=keep, budget_tokens=budget)
        prompt = [system]
        for index in range(chosen.start, len(questions)):
            prompt.append(questions[index])
            if index < len(answers):
                prompt.append(answers[index])
        sent = Sent(
            exchanges=len(questions) - 1 - chosen.start,
            first=exchanges[chosen.start].question.id,
            tokens=counts[0] + chosen.tokens + begun_tokens + MARGIN_TOKENS,
            limit_tokens=await self._engine.context_tokens(turn.model),
        )
        return Prompt(await self._request(turn.model, made, (*prompt, *begun), slot), sent)

    async def of_title(
        self,
        turn: Turn,
        messages: Sequence[Message],
        language: str,
        slot: int,
        *,
        is_kept: bool,
        can_think: bool,
    ) -> ChatRequest:
        """Build the request of a title, after what the engine has read already, if it is kept.

        It then reads a line more and forgets nothing; else it is given the heads of the first
        exchange. Raises what `of_branch` does.
        """
        exchange = first_exchange(messages, turn)
        if exchange is None:
            raise ValueError("a title is asked for an exchange")
        question, answer = exchange
        if is_kept:
            before = (await self.of_branch(turn, messages, language, slot)).request.messages
        else:
            asked = PromptMessage("user", head(question))
            before = (asked, PromptMessage("assistant", head(answer)))
        return ChatRequest(
            model=turn.model,
            messages=(*before, PromptMessage("user", instruction(question, language))),
            max_tokens=TITLE_TOKENS,
            slot=slot,
            think=False if can_think else None,
            temperature=0.0,
        )

    async def preview(
        self, model: str, made: Made, branch: Sequence[Message], language: str
    ) -> tuple[Sent, int]:
        """Return what a next question on this branch would be sent after, and the answer's room.

        Of the question itself nothing is counted.
        """
        exchanges = [each for each in exchanges_of(branch) if each.answer is not None]
        questions, answers = await self._spoken(model, exchanges, must_see=False)
        system = self._system(language, made)
        counts = await self._count(model, [system, *questions, *answers])
        budget = await self._budget(model, made, counts[0])
        keep = made.exchanges if made.exchanges != ALL else len(questions) + 1
        chosen = window(
            [*counts[1 : 1 + len(questions)], 0],
            counts[1 + len(questions) :],
            keep=keep,
            budget_tokens=max(budget, 0),
        )
        context = await self._engine.context_tokens(model)
        sent = Sent(
            exchanges=len(questions) - chosen.start,
            first=exchanges[chosen.start].question.id if chosen.start < len(questions) else None,
            tokens=counts[0] + chosen.tokens + MARGIN_TOKENS,
            limit_tokens=context,
        )
        return sent, _room(made, context)

    async def require_fit(self, model: str, made: Made, language: str, asked: WithFiles) -> str:
        """Return the text to be read for a question. Raises MessageTooLong where it does not fit.

        Raises ModelBlind, and SystemPromptTooLong where a chosen prompt leaves no room for any.
        """
        try:
            read = await self.attached.question(model, asked)
            context = await self._engine.context_tokens(model)
        except EngineUnavailable:
            return asked.text  # the turn will say so, and the question is kept
        messages = (self._system(language, made), read)
        size = sum(len(message.text.encode()) for message in messages)
        if size + len(read.images) * IMAGE_TOKENS < context // 4:
            return read.text  # no token is shorter than a byte
        system, question = await self._count(model, messages)
        budget = await self._budget(model, made, system)
        if budget <= 0 and made.system_prompt is not None:
            share = len(made.system_prompt) / system
            raise SystemPromptTooLong(max_length=max(0, round((system + budget) * share)))
        if question > budget:
            raise MessageTooLong(tokens=question, limit_tokens=budget)
        return read.text

    async def require_sight(self, model: str, files: Sequence[Attachment]) -> None:
        """Raise ModelBlind for pictures that the model cannot see."""
        try:
            await self.attached.question(model, WithFiles("", tuple(files)))
        except EngineUnavailable:
            return  # the turn will say so

    async def room(self, model: str, made: Made, language: str) -> int:
        """Return the tokens that one question may take."""
        (system,) = await self._count(model, [self._system(language, made)])
        return await self._budget(model, made, system)

    async def cost(self, model: str, texts: Sequence[str]) -> list[int]:
        """Return about what each text takes as a question."""
        return await self._count(model, [PromptMessage("user", text) for text in texts])

    async def _spoken(
        self, model: str, exchanges: Sequence[Exchange], *, must_see: bool = True
    ) -> tuple[list[PromptMessage], list[PromptMessage]]:
        """Return the questions, and the answers, of which the last question may have none."""
        asked = [each.question for each in exchanges]
        questions = await self.attached.questions(model, asked, must_see=must_see)
        answers = [
            PromptMessage("assistant", each.answer.text) for each in exchanges if each.answer
        ]
        return questions, answers

    def _made_of(self, turn: Turn) -> Made:
        if turn.options:
            return Made.of(turn.options)
        return self.made(turn.model, NOTHING_CHOSEN, can_think=False)  # an older version queued it

    def _system(self, language: str, made: Made) -> PromptMessage:
        own = made.system_prompt or self._own
        return PromptMessage("system", own or system_prompt(language))

    async def _budget(self, model: str, made: Made, system_tokens: int) -> int:
        context = await self._engine.context_tokens(model)
        return context - _room(made, context) - system_tokens - MARGIN_TOKENS

    async def _request(
        self, model: str, made: Made, messages: tuple[PromptMessage, ...], slot: int
    ) -> ChatRequest:
        return ChatRequest(
            model=model,
            messages=messages,
            max_tokens=_room(made, await self._engine.context_tokens(model)),
            slot=slot,
            think=made.think,
            temperature=made.temperature,
            top_p=made.top_p,
        )

    async def _count(self, model: str, messages: Sequence[PromptMessage]) -> list[int]:
        # Of a text only its hash is kept: with files it may be long, and there may be many.
        keys = [
            (model, message.speaker, hash(message.text), len(message.images))
            for message in messages
        ]
        unknown = [
            (key, message)
            for key, message in zip(keys, messages, strict=True)
            if key not in self._counts
        ]
        if unknown:
            counts = await self._engine.count_tokens(model, [message for _, message in unknown])
            for (key, message), count in zip(unknown, counts, strict=True):
                self._counts[key] = count + len(message.images) * IMAGE_TOKENS
        found = [self._counts[key] for key in keys]
        for key in keys:
            self._counts.move_to_end(key)
        while len(self._counts) > COUNTS_KEPT:
            self._counts.popitem(last=False)
        return found


def _room(made: Made, context: int) -> int:
    """Return the tokens kept for the answer: never more than half of the context."""
    return min(made.answer_tokens, context // 2)
