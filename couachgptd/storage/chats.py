"""Conversations and their messages, kept; each question comes with its answer and its turn."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from peewee import fn

from couachgptd.core.choices import NOTHING_CHOSEN, Choices
from couachgptd.core.conversations import Author, Conversation, ConversationKind, Message
from couachgptd.core.errors import NotFound, TurnRunning
from couachgptd.core.ids import AttachmentId, ConversationId, MessageId, UserId, new_conversation_id
from couachgptd.core.ratings import Given, decide
from couachgptd.core.turns import FINAL, Turn, TurnSource, TurnState
from couachgptd.storage import statements
from couachgptd.storage.attachments import attach, attached_in, attached_to
from couachgptd.storage.database import Database
from couachgptd.storage.ratings import keep_rating, ratings_in
from couachgptd.storage.rows import now, to_conversation, to_message, to_turn
from couachgptd.storage.tables import ConversationTable, MessageTable, TurnTable

OPEN_STATES = [state.value for state in TurnState if state not in FINAL]


class ChatStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def messages(self, conversation_id: ConversationId) -> list[Message]:
        def work() -> list[Message]:
            turns = _newest_turns(conversation_id)
            rows = (
                MessageTable.select()
                .where(
                    (MessageTable.conversation == conversation_id)
                    & MessageTable.deleted_at.is_null(),
                )
                .order_by(MessageTable.id)
            )
            files, ratings = attached_in(conversation_id), ratings_in(conversation_id)
            return [
                to_message(row, turns.get(own), files.get(own, ()), ratings.get(own))
                for row in rows
                for own in (MessageId(row.id),)
            ]

        return await self._db.read(work)

    async def message_of(
        self, user_id: UserId, message_id: MessageId
    ) -> tuple[Conversation, Message] | None:
        def work() -> tuple[Conversation, Message] | None:
            found = _own_message(user_id, message_id)
            if found is None:
                return None
            conversation, message = found
            turns = _newest_turns(ConversationId(conversation.id))
            return to_conversation(conversation), to_message(
                message, turns.get(MessageId(message.id)), attached_to(MessageId(message.id))
            )

        return await self._db.read(work)

    async def asked(
        self, user_id: UserId, client_id: str
    ) -> tuple[Conversation, Message, Message] | None:
        return await self._db.read(lambda: _asked(user_id, client_id))

    async def add_question(
        self,
        *,
        user_id: UserId,
        conversation_id: ConversationId | None,
        client_id: str,
        text: str,
        title: str,
        parent_id: MessageId | None,
        edited_id: MessageId | None = None,
        source: TurnSource,
        model: str,
        options: dict[str, Any],
        choices: Choices = NOTHING_CHOSEN,
        attachments: Sequence[AttachmentId] = (),
    ) -> tuple[Conversation, Message, Message, bool]:
        def work() -> tuple[Conversation, Message, Message, bool]:
            again = _asked(user_id, client_id)
            if again is not None:
                return (*again, False)
            conversation = _conversation_to_write(user_id, conversation_id, title, choices)
            parent = parent_id
            if edited_id is not None:
                parent = _parent_of_question(conversation, edited_id)
            elif parent is not None:
                _require_in(conversation, parent)
            elif conversation_id is not None:
                parent = _newest_message(conversation)
            question = statements.insert(
                MessageTable,
                conversation=conversation.id,
                parent=parent,
                author=Author.PERSON.value,
                author_user=user_id,
                client_id=client_id,
                text=text,
                created_at=now(),
            )
            files = attach(user_id, MessageId(question.id), attachments)
            answer, turn = _add_answer(
                conversation, MessageId(question.id), user_id, source, model, options
            )
            return (
                to_conversation(conversation),
                to_message(question, attachments=files),
                to_message(answer, turn),
                True,
            )

        return await self._db.write(work)

    async def add_answer(
        self, *, user_id: UserId, question_id: MessageId, model: str, options: dict[str, Any]
    ) -> tuple[Conversation, Message]:
        def work() -> tuple[Conversation, Message]:
            found = _own_message(user_id, question_id)
            if found is None:
                raise NotFound
            conversation, question = found
            _require_free(conversation)
            answer, turn = _add_answer(
                conversation, MessageId(question.id), user_id, TurnSource.CHAT, model, options
            )
            return to_conversation(conversation), to_message(answer, turn)

        return await self._db.write(work)

    async def add_attempt(
        self, *, user_id: UserId, message_id: MessageId, model: str, options: dict[str, Any]
    ) -> tuple[Conversation, Message]:
        def work() -> tuple[Conversation, Message]:
            found = _own_message(user_id, message_id)
            if found is None:
                raise NotFound
            conversation, answer = found
            _require_free(conversation)
            before = list(
                TurnTable.select().where(TurnTable.message == answer.id).order_by(TurnTable.id)
            )
            statements.update(MessageTable, [(answer.id, {"is_growing": True})])
            turn = _add_turn(
                conversation,
                answer,
                user_id,
                TurnSource.CHAT,
                len(before) + 1,
                model,
                options,
                think_seconds=before[-1].think_seconds if before else None,  # its thoughts stay
            )
            return to_conversation(conversation), to_message(answer, turn)

        return await self._db.write(work)

    async def rate(
        self, user_id: UserId, message_id: MessageId, given: Given
    ) -> tuple[Conversation, Message]:
        def work() -> tuple[Conversation, Message]:
            found = _own_message(user_id, message_id)
            if found is None:
                raise NotFound
            conversation, row = found
            own = ConversationId(conversation.id)
            turn, before = _newest_turns(own).get(message_id), ratings_in(own).get(message_id)
            message = to_message(row, turn, rating=before)
            rating = decide(message, given, now())
            keep_rating(user_id, message_id, rating)
            return to_conversation(conversation), replace(message, rating=rating)

        return await self._db.write(work)


def _own_conversation(user_id: UserId, conversation_id: ConversationId) -> ConversationTable | None:
    row = statements.find(ConversationTable, id=conversation_id, owner=user_id)
    return row if row is not None and row.deleted_at is None else None


def _own_message(
    user_id: UserId, message_id: MessageId
) -> tuple[ConversationTable, MessageTable] | None:
    message = MessageTable.get_or_none(
        (MessageTable.id == message_id) & MessageTable.deleted_at.is_null()
    )
    if message is None:
        return None
    conversation = _own_conversation(user_id, ConversationId(message.conversation_id))
    return (conversation, message) if conversation else None


def _newest_turns(conversation_id: ConversationId) -> dict[MessageId, Turn]:
    rows = (
        TurnTable.select().where(TurnTable.conversation == conversation_id).order_by(TurnTable.id)
    )
    return {MessageId(row.message_id): to_turn(row) for row in rows if row.message_id is not None}


def _asked(user_id: UserId, client_id: str) -> tuple[Conversation, Message, Message] | None:
    question = statements.find(MessageTable, author_user=user_id, client_id=client_id)
    if question is None:
        return None
    conversation = ConversationTable.get_by_id(question.conversation_id)
    answer = (
        MessageTable.select()
        .where((MessageTable.parent == question.id) & (MessageTable.author == Author.MODEL.value))
        .order_by(MessageTable.id)
        .get()
    )
    turns = _newest_turns(ConversationId(conversation.id))
    return (
        to_conversation(conversation),
        to_message(question, attachments=attached_to(MessageId(question.id))),
        to_message(answer, turns.get(MessageId(answer.id))),
    )


def _conversation_to_write(
    user_id: UserId, conversation_id: ConversationId | None, title: str, choices: Choices
) -> ConversationTable:
    if conversation_id is None:
        moment = now()
        return statements.insert(
            ConversationTable,
            id=new_conversation_id(),
            kind=ConversationKind.CHAT.value,
            owner=user_id,
            title=title,
            created_at=moment,
            updated_at=moment,
            choices=choices.document(),
        )
    conversation = _own_conversation(user_id, conversation_id)
    if conversation is None:
        raise NotFound
    _require_free(conversation)
    return conversation


def _require_free(conversation: ConversationTable) -> None:
    open_turns = TurnTable.select().where(
        (TurnTable.conversation == conversation.id) & TurnTable.state.in_(OPEN_STATES)
    )
    if open_turns.exists():
        raise TurnRunning


def _require_in(conversation: ConversationTable, message_id: MessageId) -> None:
    if _message_in(conversation, message_id) is None:
        raise NotFound


def _parent_of_question(conversation: ConversationTable, message_id: MessageId) -> MessageId | None:
    question = _message_in(conversation, message_id)
    if question is None or question.author != Author.PERSON.value:
        raise NotFound
    return None if question.parent_id is None else MessageId(question.parent_id)


def _message_in(conversation: ConversationTable, message_id: MessageId) -> MessageTable | None:
    row = statements.find(MessageTable, id=message_id, conversation=conversation.id)
    return row if row is not None and row.deleted_at is None else None


def _newest_message(conversation: ConversationTable) -> MessageId | None:
    newest = (
        MessageTable.select(fn.MAX(MessageTable.id))
        .where(MessageTable.conversation == conversation.id, MessageTable.deleted_at.is_null())
        .scalar()
    )
    return None if newest is None else MessageId(newest)


def _add_answer(
    conversation: ConversationTable,
    question_id: MessageId,
    user_id: UserId,
    source: TurnSource,
    model: str,
    options: dict[str, Any],
) -> tuple[MessageTable, Turn]:
    answer = statements.insert(
        MessageTable,
        conversation=conversation.id,
        parent=question_id,
        author=Author.MODEL.value,
        text="",
        created_at=now(),
        is_growing=True,
    )
    return answer, _add_turn(conversation, answer, user_id, source, 1, model, options)


def _add_turn(
    conversation: ConversationTable,
    answer: MessageTable,
    user_id: UserId,
    source: TurnSource,
    attempt: int,
    model: str,
    options: dict[str, Any],
    *,
    think_seconds: float | None = None,
) -> Turn:
    conversation.updated_at = now()
    statements.update(
        ConversationTable, [(conversation.id, {"updated_at": conversation.updated_at})]
    )
    row = statements.insert(
        TurnTable,
        conversation=conversation.id,
        message=answer.id,
        asker=user_id,
        source=source.value,
        state=TurnState.QUEUED.value,
        attempt=attempt,
        model=model,
        options=options,
        queued_at=now(),
        think_seconds=think_seconds,
    )
    return to_turn(row)
