"""Titles that a model gave: whom to ask for, and one statement that lets a person's stand."""

from datetime import timedelta

from peewee import fn

from couachgptd.core.conversations import Conversation, ConversationKind
from couachgptd.core.titles import Untitled
from couachgptd.core.turns import TurnState
from couachgptd.core.users import UserState
from couachgptd.storage import statements
from couachgptd.storage.database import Database
from couachgptd.storage.rows import now, to_conversation, to_turn
from couachgptd.storage.tables import ConversationTable, TurnTable, UserTable

FOUND = 50  # at one look; who is behind them comes up once these were asked for, or are too old


class TitleStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def untitled(self, recent: timedelta) -> list[Untitled]:
        whole = TurnTable.alias()
        newest = whole.select(fn.MAX(whole.id)).where(
            (whole.conversation == ConversationTable.id) & (whole.state == TurnState.DONE.value)
        )

        def work() -> list[Untitled]:
            rows = (
                ConversationTable.select(ConversationTable, TurnTable, UserTable)
                .join(UserTable)
                .switch(ConversationTable)
                .join(TurnTable, on=TurnTable.id == newest, attr="newest")
                .where(
                    (ConversationTable.created_at >= now() - recent)
                    & (ConversationTable.kind == ConversationKind.CHAT.value)
                    & ~ConversationTable.is_title_own
                    & ~ConversationTable.is_title_tried
                    & ConversationTable.deleted_at.is_null()
                    & (UserTable.state == UserState.ACTIVE.value)
                )
                .order_by(TurnTable.id.desc())
                .limit(FOUND)
            )
            return [
                Untitled(
                    to_conversation(row),
                    to_turn(row.newest),  # type: ignore[attr-defined]  # the join's
                    row.owner.language,
                )
                for row in rows
            ]

        return await self._db.read(work)

    async def title_by_model(
        self, conversation: Conversation, title: str | None
    ) -> Conversation | None:
        named = {} if title is None else {"title": title}

        def work() -> Conversation | None:
            # A rename may have come since the model was asked. Which of both is kept is decided
            # here and nowhere else.
            changed = (
                ConversationTable.update(is_title_tried=True, **named)
                .where(
                    (ConversationTable.id == conversation.id)
                    & ~ConversationTable.is_title_own
                    & (ConversationTable.title == conversation.title)
                    & ConversationTable.deleted_at.is_null()
                )
                .execute()
            )
            row = statements.find(ConversationTable, id=conversation.id)
            return to_conversation(row) if changed and named and row is not None else None

        return await self._db.write(work)
