"""Asks the model for better titles while the engine has nothing else to do."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import NamedTuple

from couachgptd.core import wire
from couachgptd.core.conversations import Conversation, Message
from couachgptd.core.errors import (
    AnswerInterrupted,
    CouachError,
    EngineBusy,
    EngineUnavailable,
)
from couachgptd.core.models import (
    ALWAYS_THINKS,
    THINKING,
    ChatRequest,
    Finished,
    Loading,
    Reading,
    Text,
    Thought,
)
from couachgptd.core.ports import Engine, Store
from couachgptd.core.titles import RECENT, Untitled, due, first_exchange, is_by_rule, title_said
from couachgptd.core.verdicts import State, Verdict
from couachgptd.services.attempts import Call
from couachgptd.services.models import ModelService
from couachgptd.services.prompts import Prompts
from couachgptd.services.runner import TurnRunner
from couachgptd.services.topics import Topics

log = logging.getLogger(__name__)

LOOKS = 4  # in the time after which a title may be asked for
# Of an engine that says nothing we let go before the watchdog grows suspicious: one too slow for a
# title may be well, and one that hangs is found out by its probes or the next question.
MOST_SECONDS = 25.0


class Said(NamedTuple):
    """What a model said for a title; `is_whole` where it came to its end."""

    text: str
    is_whole: bool


class TitleService:
    """One title at a time, once the engine was idle and well for `idle_seconds`; 0 is never.

    `state` is the watchdog's. Whoever asks something meanwhile ends it (`Leisure`). Only models
    that are in memory are asked, and nothing is learned, counted or told of it but the title.
    """

    def __init__(
        self,
        store: Store,
        topics: Topics,
        engine: Engine,
        models: ModelService,
        prompts: Prompts,
        runner: TurnRunner,
        state: Callable[[], State],
        *,
        idle_seconds: float,
        most_seconds: float = MOST_SECONDS,
    ) -> None:
        self._store = store
        self._topics = topics
        self._engine = engine
        self._models = models
        self._prompts = prompts
        self._runner = runner
        self._state = state
        self._idle_seconds = idle_seconds
        self._most_seconds = most_seconds
        self._clock: Callable[[], float] = asyncio.get_running_loop().time

    async def keep(self) -> None:
        """Look again and again whether a title can be asked for."""
        while self._idle_seconds:
            await asyncio.sleep(self._idle_seconds / LOOKS)
            try:
                if self._rest() >= self._idle_seconds:
                    await self._look()
            except Exception:  # a title is worth no more than a line in the log
                log.exception("a title could not be asked for; trying again later")

    def _rest(self) -> float:
        """Return for how long the engine has been well, and wanted by nobody."""
        state = self._state()
        if state.verdict is not Verdict.READY or not self._runner.is_idle:
            return 0.0
        return self._clock() - max(self._runner.leisure.since, state.since)

    async def _look(self) -> None:
        untitled = await self._store.untitled(RECENT)
        chosen = due(
            untitled,
            models=[
                name
                for name in self._models.loaded_names
                if not self._models.can(ALWAYS_THINKS, name)
            ],
            kept=self._runner.slots.kept,
            idle_seconds=self._clock() - self._runner.leisure.since,
            least_seconds=self._idle_seconds,
        )
        if chosen is not None:
            await self._title(chosen)

    async def _title(self, chosen: Untitled) -> None:
        conversation, turn = chosen.conversation, chosen.turn
        messages = await self._store.messages(conversation.id)
        exchange = first_exchange(messages, turn)
        if exchange is None or not is_by_rule(conversation, messages):
            await self._store.title_by_model(conversation, None)
            return
        try:
            request = await self._request(chosen, messages)
        except CouachError as error:  # it is too long by now, or its pictures are gone
            log.info("no title can be asked for", extra={"turn": turn.id, "error": error.code})
            await self._store.title_by_model(conversation, None)
            return
        loaded = {each.name for each in await self._engine.loaded()}
        # Nothing may wait between this and the call: from then on, whoever asks cuts it.
        if request.model not in loaded or self._rest() < self._idle_seconds:
            return
        began = self._clock()
        said = await self._runner.leisure.fill(self._ask(request))
        title = None
        if said is not None:
            title = title_said(
                said.text, is_whole=said.is_whole, question=exchange[0], answer=exchange[1]
            )
            await self._keep(conversation, title)
        outcome = "cut" if said is None else "refused" if title is None else "made"
        seconds = round(self._clock() - began, 1)
        log.info("title asked for", extra={"turn": turn.id, "outcome": outcome, "seconds": seconds})

    async def _request(self, chosen: Untitled, messages: Sequence[Message]) -> ChatRequest:
        slots, turn = self._runner.slots, chosen.turn
        kept = slots.kept.get(chosen.conversation.id)
        return await self._prompts.of_title(
            turn,
            messages,
            chosen.language,
            slots.spare() if kept is None else kept,
            is_kept=kept is not None,
            can_think=self._models.can(THINKING, turn.model),
        )

    async def _ask(self, request: ChatRequest) -> Said | None:
        """Return what the model says, nothing where it fails; None where it could not be asked."""
        try:
            async with asyncio.timeout(self._most_seconds):
                with self._runner.attempts.aside(request, self._clock) as call:
                    return await self._answer(request, call)
        except (EngineBusy, EngineUnavailable):
            return None
        except (CouachError, TimeoutError) as error:
            log.info("a title was not given", extra={"error": getattr(error, "code", "too_slow")})
            return Said("", is_whole=False)

    async def _answer(self, request: ChatRequest, call: Call) -> Said | None:
        text = ""
        async with aclosing(self._engine.chat(request)) as pieces:
            async for piece in pieces:
                match piece:
                    case Loading():
                        return None  # the engine was asked nothing yet: nothing will be loaded
                    case Reading(tokens, total_tokens):
                        call.read(tokens, total_tokens, self._clock())
                    case Text(more, tokens):
                        call.wrote(tokens, self._clock())
                        text += more
                    case Thought():
                        raise AnswerInterrupted(reason="thought")
                    case Finished(reason):
                        return Said(text, is_whole=reason == "stop")
        raise AnswerInterrupted(reason="no_final_frame")

    async def _keep(self, conversation: Conversation, title: str | None) -> None:
        changed = await self._store.title_by_model(conversation, title)
        if changed is not None:
            fields = {"conversation": wire.conversation(changed)}
            self._topics.tell(changed.owner_id, "conversation", fields)
