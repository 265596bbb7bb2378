"""The verbs of a chat: ask, stop, answer again, go on, watch."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from typing import Any

from couachgptd.core import wire
from couachgptd.core.attachments import Attachment
from couachgptd.core.choices import NOTHING_CHOSEN, Choices, Made
from couachgptd.core.conversations import Author, Conversation, Message
from couachgptd.core.errors import BadRequest, CouachError, MessageEmpty, NotFound, TurnRunning
from couachgptd.core.ids import AttachmentId, ConversationId, MessageId, TurnId, UserId
from couachgptd.core.models import THINKING
from couachgptd.core.ports import Store
from couachgptd.core.titles import title_by_rule
from couachgptd.core.turns import Turn, TurnSource, TurnState
from couachgptd.core.users import User
from couachgptd.core.wire import Json
from couachgptd.services.attached import WithFiles
from couachgptd.services.events import EventQueue
from couachgptd.services.live import LiveTurn, MakeRequest
from couachgptd.services.models import ModelService
from couachgptd.services.prompts import Prompts
from couachgptd.services.runner import TurnRunner
from couachgptd.services.topics import Send, Topic, Topics

CHARACTERS_PER_TOKEN = 4  # a guess for the forecast, where counting would cost more than it helps
# Of a crowd that asks within one second, most wait here, where they hold up no answer under way:
# in the event loop's own queue every token would stand behind their work.
ASKED_AT_ONCE = 4
CLIENT_ID_MAX_LENGTH = 64
OPERATOR_LANGUAGE = "fr"  # of the system prompt; the answer follows the question's


@dataclass(frozen=True, slots=True)
class Question:
    """What a person asks; see `chat.ask` in docs/protocol.md for what None means.

    `choices` are a new conversation's; one that is there has its own. `attachments` None means
    those of the edited question.
    """

    text: str
    client_id: str
    conversation_id: ConversationId | None = None
    parent_id: MessageId | None = None
    edited_id: MessageId | None = None
    model: str | None = None
    choices: Choices = NOTHING_CHOSEN
    attachments: tuple[AttachmentId, ...] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What an accepted question became."""

    conversation: Conversation
    question: MessageId
    answer: MessageId
    is_new_conversation: bool


class ChatService:
    def __init__(
        self,
        store: Store,
        topics: Topics,
        runner: TurnRunner,
        models: ModelService,
        prompts: Prompts,
    ) -> None:
        self._store = store
        self._topics = topics
        self._runner = runner
        self._models = models
        self._prompts = prompts
        self._gate = asyncio.Semaphore(ASKED_AT_ONCE)

    async def recover(self) -> None:
        """Take up what the last run of the daemon left: queued turns wait again, in order."""
        for turn in await self._store.recover_turns():
            if turn.asker_id is None or turn.message_id is None:
                continue
            user = await self._store.user(turn.asker_id)
            found = await self._store.message_of(turn.asker_id, turn.message_id)
            if user is None or found is None:
                continue
            if user.is_active:
                self._submit(user, replace(found[1], turn=turn), retries=turn.attempt - 1)
            else:
                stopped = replace(turn.at(TurnState.STOPPED), finished_at=turn.queued_at)
                await self._store.finish_turn(stopped, found[1].text, found[1].thinking)

    async def conversation(self, user: User, conversation_id: str) -> Conversation:
        """Find it on any shelf. Raises NotFound, also for somebody else's."""
        found = await self._store.conversation(user.id, ConversationId(conversation_id))
        if found is None:
            raise NotFound
        return found

    async def ask(
        self, user: User, question: Question, accepted: Callable[[Asked], None]
    ) -> ConversationId:
        """Commit a question with its turn, say so by `accepted`, and let it run.

        `accepted` is called before the first event of the answer, so that whoever asked can
        watch from the start. Returns the conversation. Raises MessageEmpty, MessageTooLong,
        TurnRunning, QueueFull, NotFound, ModelMissing, ModelHidden, NoModel, EngineUnavailable,
        SystemPromptTooLong, TooManyAttachments, ModelBlind.
        """
        if not question.text.strip() and not question.attachments:
            raise MessageEmpty
        if not 0 < len(question.client_id) <= CLIENT_ID_MAX_LENGTH:
            raise BadRequest(reason="client_id")
        try:
            async with self._gate:
                return await self._ask(user, question, accepted)
        except CouachError:
            # What was taken once is not refused the second time, however full it is by now.
            again = await self._store.asked(user.id, question.client_id)
            if again is None:
                raise
            accepted(Asked(again[0], again[1].id, again[2].id, is_new_conversation=False))
            return again[0].id

    async def _ask(
        self, user: User, question: Question, accepted: Callable[[Asked], None]
    ) -> ConversationId:
        with self._runner.place(user.id):
            choices = question.choices
            if question.conversation_id is not None:
                choices = (await self.conversation(user, question.conversation_id)).choices
            chosen = await self._models.resolve(
                question.model or choices.model, user.role, user.model
            )
            made = self._made(chosen, choices)
            files = await self._files_of(user, question)
            asked = WithFiles(question.text, files)
            read = await self._prompts.require_fit(chosen, made, user.language, asked)
            conversation, message, answer, is_new = await self._store.add_question(
                user_id=user.id,
                conversation_id=question.conversation_id,
                client_id=question.client_id,
                text=question.text,
                title=title_by_rule(question.text, [file.name for file in files]),
                parent_id=question.parent_id,
                edited_id=question.edited_id,
                source=TurnSource.CHAT,
                model=chosen,
                options=made.document(),
                choices=choices,
                attachments=[file.id for file in files],
            )
            is_first = is_new and question.conversation_id is None
            accepted(Asked(conversation, message.id, answer.id, is_first))
            if is_new:
                self._announce(user, conversation, [message, answer])
                known = [message, answer] if is_first else None
                self._submit(user, answer, known, question=read)
            return conversation.id

    async def _files_of(self, user: User, question: Question) -> tuple[Attachment, ...]:
        ids = question.attachments
        if ids is None and question.edited_id is not None:
            found = await self._store.message_of(user.id, question.edited_id)
            ids = tuple(file.id for file in found[1].attachments) if found else ()
        return await self._prompts.attached.named(user.id, ids or ())

    async def regenerate(self, user: User, message_id: int, model: str | None) -> MessageId:
        """Answer the same question again, as another branch."""
        conversation, answer = await self._own_answer(user, message_id)
        if answer.parent_id is None:
            raise NotFound
        with self._runner.place(user.id):
            chosen = await self._models.resolve(
                model or conversation.choices.model, user.role, user.model
            )
            question = await self._store.message_of(user.id, answer.parent_id)
            if question is not None:
                await self._prompts.require_sight(chosen, question[1].attachments)
            conversation, another = await self._store.add_answer(
                user_id=user.id,
                question_id=answer.parent_id,
                model=chosen,
                options=self._made(chosen, conversation.choices).document(),
            )
            self._announce(user, conversation, [another])
            self._submit(user, another)
        return another.id

    async def go_on(self, user: User, message_id: int) -> MessageId:
        """Go on with an answer that was cut. Raises BadRequest for one that is whole."""
        conversation, answer = await self._own_answer(user, message_id)
        if answer.turn is None or not answer.turn.is_cut:
            raise BadRequest(reason="message")
        with self._runner.place(user.id):
            chosen = await self._models.resolve(answer.turn.model, user.role)
            conversation, answer = await self._store.add_attempt(
                user_id=user.id,
                message_id=answer.id,
                model=chosen,
                options=self._made(chosen, conversation.choices).document(),
            )
            self._topics.tell(
                user.id, "conversation", {"conversation": wire.conversation(conversation)}
            )
            self._submit(user, answer)
        return answer.id

    async def stop(self, user: User, turn_id: int) -> None:
        """Stop a turn of one's own; an ended one stays as it is. Raises NotFound."""
        if await self._store.turn_of(user.id, TurnId(turn_id)) is None:
            raise NotFound
        await self._runner.stop(TurnId(turn_id))

    async def stop_all(self, user_id: UserId) -> None:
        """Stop every turn of a person who may not go on."""
        await asyncio.gather(*(self._runner.stop(turn) for turn in self._runner.turns_of(user_id)))

    async def watch(
        self,
        user: User,
        conversation_id: str,
        position: Any,
        watcher: object,
        send: Send,
    ) -> None:
        """Send what `position` has missed, or a snapshot, then every event as it comes.

        Raises NotFound.
        """
        conversation = await self.conversation(user, conversation_id)
        topic = self._topics.topic(conversation.id)
        missed = self._topics.missed(topic, position)
        if missed is None:
            await self._send_snapshot(topic, send)
        else:
            for event in missed:
                send(event)
        topic.watchers[watcher] = send

    def watch_new(self, conversation: Conversation, watcher: object, send: Send) -> None:
        """Watch a conversation that has just been made, from its very first event."""
        topic = self._topics.topic(conversation.id)
        send(self._topics.snapshot(topic, []))
        topic.watchers[watcher] = send

    async def ask_operator(self, text: str, model: str | None) -> AsyncGenerator[Json]:
        """Answer a question of the operator's; it is kept nowhere. Closing it stops the turn."""
        if not text.strip():
            raise MessageEmpty
        events = EventQueue()
        with self._runner.place(None):
            chosen = await self._models.resolve(model)
            turn = await self._store.add_turn(source=TurnSource.API, model=chosen, options={})

            async def request(slot: int) -> Any:
                return await self._prompts.of_question(chosen, OPERATOR_LANGUAGE, text, slot)

            live = LiveTurn(turn, events.publish, request)
            self._runner.submit(live, prompt_tokens=likely_tokens(text))
        try:
            async for event in events:
                yield event
                if event["type"] == "turn" and event["turn"]["finished_at"]:
                    return
        finally:
            await self._runner.stop(turn.id)

    # how it works

    def _made(self, model: str, choices: Choices) -> Made:
        can_think = self._models.can(THINKING, model)
        return self._prompts.made(model, choices, can_think=can_think)

    async def _own_answer(self, user: User, message_id: int) -> tuple[Conversation, Message]:
        found = await self._store.message_of(user.id, MessageId(message_id))
        if found is None or found[1].author is not Author.MODEL:
            raise NotFound
        if found[1].turn is not None and not found[1].turn.state.is_final:
            raise TurnRunning
        return found

    def _announce(self, user: User, conversation: Conversation, messages: list[Message]) -> None:
        topic = self._topics.topic(conversation.id)
        shapes = [wire.message(message) for message in messages]
        topic.publish("messages", {"messages": shapes}, revises=True)
        self._topics.tell(
            user.id, "conversation", {"conversation": wire.conversation(conversation)}
        )

    def _submit(
        self,
        user: User,
        answer: Message,
        known: list[Message] | None = None,
        *,
        question: str = "",
        retries: int = 0,
    ) -> None:
        turn = answer.turn
        if turn is None or turn.conversation_id is None:
            raise ValueError("an answer that is submitted has a turn in a conversation")
        topic = self._topics.topic(turn.conversation_id)
        topic.is_live = True
        topic.revision += 1  # a snapshot being read knows nothing of this turn yet

        def publish(kind: str, fields: dict[str, Any], revises: bool) -> None:  # noqa: FBT001
            topic.publish(kind, fields, revises=revises)
            if revises:
                topic.is_live = False
                topic.rest()
                # Asking costs half as much as a question: only where something has changed.
                if fields["turn"]["error"] or turn.model not in self._models.loaded_names:
                    self._models.refresh_soon()

        live = LiveTurn(turn, publish, self._request_of(turn, answer, user.language, known))
        live.begin_with(answer.text, answer.thinking)
        live.retries = retries
        self._runner.submit(live, prompt_tokens=likely_tokens(question))

    def _request_of(
        self, turn: Turn, answer: Message, language: str, known: list[Message] | None
    ) -> MakeRequest:
        async def request(slot: int) -> Any:
            if turn.conversation_id is None:
                raise ValueError("a turn of a chat has a conversation")
            kept = known or await self._store.messages(turn.conversation_id)
            # What an attempt before this one wrote is to be written anew, not gone on with.
            messages = [answer if each.id == answer.id else each for each in kept]
            prompt = await self._prompts.of_branch(turn, messages, language, slot)
            live = self._runner.live(turn.id)
            if live is not None:
                live.send(prompt.sent)
            return prompt.request

        return request

    async def _send_snapshot(self, topic: Topic, send: Send) -> None:
        while True:
            revision = topic.revision
            messages = await self._store.messages(ConversationId(topic.name))
            if revision == topic.revision:
                break  # nothing was added or ended while the store was read
        send(self._topics.snapshot(topic, [self._shape(message) for message in messages]))

    def _shape(self, message: Message) -> Json:
        """Shape a message as it is now: what grows is in memory, ahead of the store."""
        live = self._runner.live(message.turn.id) if message.turn else None
        if live is None:
            return wire.message(message)
        live.flush()
        grown = replace(message, text=live.text, thinking=live.thinking)
        return wire.message(grown, live.shape())


def likely_tokens(question: str) -> int:
    """Return about what the engine must read for a question; the rest is mostly in its cache."""
    return 32 + len(question) // CHARACTERS_PER_TOKEN
