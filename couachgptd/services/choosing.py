"""What is chosen for a conversation, and what there is to choose from: models, and their costs."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from couachgptd.core.budgets import Rates, percentile
from couachgptd.core.choices import NOTHING_CHOSEN, Choices, choices_of
from couachgptd.core.conversations import Message, branch_to
from couachgptd.core.errors import EngineError, NotFound
from couachgptd.core.fit import VERDICTS, Candidate, reason_of
from couachgptd.core.ids import ConversationId, MessageId
from couachgptd.core.memory import MemoryNeed
from couachgptd.core.models import THINKING
from couachgptd.core.ports import Engine, Store
from couachgptd.core.users import User
from couachgptd.core.wire import Json
from couachgptd.services.models import ModelService
from couachgptd.services.prompts import Prompts
from couachgptd.services.topics import Topics

NEED_SECONDS = 3.0  # a list that people wait for says what is known by then
MIDDLE = 50


class ChoosingService:
    """`rates` are what this machine has taught of each model, see `core.budgets`."""

    def __init__(
        self,
        store: Store,
        topics: Topics,
        engine: Engine,
        models: ModelService,
        prompts: Prompts,
        rates: Callable[[], Mapping[str, Rates]],
    ) -> None:
        self._store = store
        self._topics = topics
        self._engine = engine
        self._models = models
        self._prompts = prompts
        self._rates = rates

    def read(self, given: Any) -> Choices:
        """Return what a page sent as choices, None for nothing; raises as `choices_of`."""
        if given is None:
            return NOTHING_CHOSEN
        return choices_of(given, most_answer_tokens=self._prompts.default.answer_tokens)

    async def chosen(self, user: User, conversation_id: ConversationId) -> Choices:
        """Raises NotFound, also for somebody else's."""
        found = await self._store.conversation(user.id, conversation_id)
        if found is None:
            raise NotFound
        return found.choices

    async def choose(self, user: User, conversation_id: ConversationId, choices: Choices) -> None:
        """Keep what counts from the next answer on; told to all open pages of the owner.

        Raises NotFound.
        """
        await self._store.set_choices(user.id, conversation_id, choices)
        fields = {"conversation": conversation_id, "choices": asdict(choices)}
        self._topics.tell(user.id, "choices", fields)

    async def preview(
        self,
        user: User,
        conversation_id: ConversationId | None,
        after: MessageId | None,
        choices: Choices,
    ) -> Json:
        """Return what the next question would be sent after: the shape is `chat.preview`'s.

        Raises what `ModelService.resolve` does, NotFound, EngineUnavailable.
        """
        branch: list[Message] = []
        if conversation_id is not None:
            choices = await self.chosen(user, conversation_id)
            messages = await self._store.messages(conversation_id)
            if messages:
                branch = branch_to(messages, after or messages[-1].id)
        model = await self._models.resolve(choices.model, user.role, user.model)
        can_think = self._models.can(THINKING, model)
        made = self._prompts.made(model, choices, can_think=can_think)
        sent, answer_tokens = await self._prompts.preview(model, made, branch, user.language)
        return {**asdict(sent), "answer_tokens": answer_tokens}

    async def facts(self, user: User) -> list[Json]:
        """Return what using each model costs here; what is not known, or not measured, is None."""
        names = [each["name"] for each in self._models.shapes(user.role)]
        needs = await asyncio.gather(*(self._need(name) for name in names))
        return [self._facts(name, need) for name, need in zip(names, needs, strict=True)]

    def _facts(self, name: str, need: MemoryNeed | None) -> Json:
        rates = self._rates().get(name, Rates())
        size = self._models.size_of(name)
        candidate = Candidate(name, is_installed=True, size_bytes=size)
        verdict = VERDICTS[reason_of(candidate, need, None, self._models.loaded)]
        made = self._prompts.made(name, NOTHING_CHOSEN, can_think=False)
        return {
            "name": name,
            "memory_bytes": need and need.needed_bytes,
            "fit": verdict.value,
            "tokens_per_second": rates.gap_seconds and round(1 / rates.gap_seconds, 2),
            "read_tokens_per_second": _middle(rates.read_rates),
            "load_seconds": _middle(rates.load_seconds),
            "temperature": made.temperature,
            "answer_tokens": made.answer_tokens,
            "exchanges": made.exchanges,
        }

    async def _need(self, name: str) -> MemoryNeed | None:
        try:
            async with asyncio.timeout(NEED_SECONDS):
                return await self._engine.need(name)
        except (EngineError, TimeoutError):
            return None


def _middle(samples: tuple[float, ...]) -> float | None:
    return round(percentile(samples, MIDDLE), 1) if samples else None
