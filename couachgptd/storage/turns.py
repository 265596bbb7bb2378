"""Turns, kept: their stages, the growing text, the end, and what a crash left behind."""

from collections.abc import Sequence
from typing import Any

from couachgptd.core.ids import TurnId, UserId
from couachgptd.core.turns import RUNNING, Turn, TurnSource, TurnState
from couachgptd.storage import statements
from couachgptd.storage.database import Database
from couachgptd.storage.rows import now, to_turn, turn_columns
from couachgptd.storage.tables import ConversationTable, MessageTable, TurnTable


class TurnStore:
    def __init__(self, database: Database) -> None:
        self._db = database

    async def add_turn(self, *, source: TurnSource, model: str, options: dict[str, Any]) -> Turn:
        def work() -> Turn:
            row = TurnTable.create(
                source=source.value,
                state=TurnState.QUEUED.value,
                attempt=1,
                model=model,
                options=options,
                queued_at=now(),
            )
            return to_turn(row)

        return await self._db.write(work)

    async def save_progress(self, progress: Sequence[tuple[Turn, str, str]]) -> None:
        def work() -> None:
            _save(progress)

        await self._db.write(work)

    async def finish_turn(self, turn: Turn, text: str, thinking: str) -> None:
        def work() -> None:
            _save([(turn, text, thinking)])

        await self._db.write(work)

    async def recover_turns(self) -> list[Turn]:
        def work() -> list[Turn]:
            cut = TurnTable.state.in_([state.value for state in RUNNING])
            _end(cut, TurnState.INTERRUPTED, error_code="daemon_restarted")
            is_queued = TurnTable.state == TurnState.QUEUED.value
            # Nobody waits any more for an answer that is not kept anywhere.
            _end(is_queued & TurnTable.message.is_null(), TurnState.INTERRUPTED)
            # We ended between a deletion and the stop that goes with it.
            binned = ConversationTable.select(ConversationTable.id).where(
                ~ConversationTable.deleted_at.is_null()
            )
            _end(is_queued & TurnTable.conversation.in_(binned), TurnState.STOPPED)
            return [
                to_turn(row) for row in TurnTable.select().where(is_queued).order_by(TurnTable.id)
            ]

        return await self._db.write(work)

    async def turn_of(self, user_id: UserId, turn_id: TurnId) -> Turn | None:
        def work() -> Turn | None:
            row = TurnTable.get_or_none((TurnTable.id == turn_id) & (TurnTable.asker == user_id))
            return to_turn(row) if row else None

        return await self._db.read(work)


def _end(which: Any, state: TurnState, **why: str) -> None:
    """End turns that nobody will end any more; what their answers have is whole then."""
    MessageTable.update(is_growing=False).where(
        MessageTable.id.in_(TurnTable.select(TurnTable.message).where(which))
    ).execute()
    TurnTable.update(state=state.value, finished_at=now(), **why).where(which).execute()


def _save(progress: Sequence[tuple[Turn, str, str]]) -> None:
    statements.update(TurnTable, [(turn.id, turn_columns(turn)) for turn, _, _ in progress])
    texts = [
        (
            turn.message_id,
            {"text": text, "thinking": thinking, "is_growing": not turn.state.is_final},
        )
        for turn, text, thinking in progress
        if turn.message_id is not None
    ]
    statements.update(MessageTable, texts)
