"""Rows to the domain's own shapes, one function a shape."""

from dataclasses import asdict
from datetime import UTC, datetime

from couachgptd.core.attachments import Attachment
from couachgptd.core.choices import Choices
from couachgptd.core.conversations import (
    Author,
    Conversation,
    ConversationKind,
    Message,
    Rating,
)
from couachgptd.core.folders import Folder
from couachgptd.core.ids import ConversationId, FolderId, MessageId, TurnId, UserId
from couachgptd.core.turns import Sent, Timings, Turn, TurnSource, TurnState
from couachgptd.core.users import Role, User, UserState
from couachgptd.storage.tables import (
    ConversationTable,
    FolderTable,
    MessageTable,
    TurnTable,
    UserTable,
)


def now() -> datetime:
    """Return the time to the millisecond, which is what a row keeps."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def to_user(row: UserTable) -> User:
    return User(
        id=UserId(row.id),
        login=row.login,
        name=row.name,
        role=Role(row.role),
        state=UserState(row.state),
        language=row.language,
        created_at=row.created_at,
        zone=row.zone,
        model=row.model,
    )


def to_conversation(row: ConversationTable) -> Conversation:
    return Conversation(
        id=ConversationId(row.id),
        kind=ConversationKind(row.kind),
        owner_id=UserId(row.owner_id),
        title=row.title,
        created_at=row.created_at,
        updated_at=row.updated_at,
        is_title_own=row.is_title_own,
        is_pinned=row.is_pinned,
        is_archived=row.is_archived,
        deleted_at=row.deleted_at,
        choices=Choices(**row.choices),
        folder_id=None if row.folder_id is None else FolderId(row.folder_id),
    )


def to_folder(row: FolderTable) -> Folder:
    return Folder(FolderId(row.id), row.name)


def to_message(
    row: MessageTable,
    turn: Turn | None = None,
    attachments: tuple[Attachment, ...] = (),
    rating: Rating | None = None,
) -> Message:
    return Message(
        id=MessageId(row.id),
        conversation_id=ConversationId(row.conversation_id),
        parent_id=None if row.parent_id is None else MessageId(row.parent_id),
        author=Author(row.author),
        author_id=None if row.author_id is None else UserId(row.author_id),
        client_id=row.client_id,
        text=row.text,
        thinking=row.thinking,
        created_at=row.created_at,
        edited_at=row.edited_at,
        deleted_at=row.deleted_at,
        turn=turn,
        attachments=attachments,
        rating=rating,
    )


def to_turn(row: TurnTable) -> Turn:
    return Turn(
        id=TurnId(row.id),
        asker_id=None if row.asker_id is None else UserId(row.asker_id),
        source=TurnSource(row.source),
        state=TurnState(row.state),
        attempt=row.attempt,
        model=row.model,
        queued_at=row.queued_at,
        conversation_id=None
        if row.conversation_id is None
        else ConversationId(row.conversation_id),
        message_id=None if row.message_id is None else MessageId(row.message_id),
        options=row.options,
        sent=Sent(**row.sent) if row.sent else None,
        started_at=row.started_at,
        finished_at=row.finished_at,
        timings=Timings(
            prompt_tokens=row.prompt_tokens,
            cached_tokens=row.cached_tokens,
            answer_tokens=row.answer_tokens,
            load_seconds=row.load_seconds,
            read_seconds=row.read_seconds,
            write_seconds=row.write_seconds,
        ),
        finish_reason=row.finish_reason,
        error_code=row.error_code,
        error_fields=row.error_fields,
        think_seconds=row.think_seconds,
        energy_j=row.energy_j,
    )


def turn_columns(turn: Turn) -> dict[str, object]:
    """Return the columns of a turn that change during its life."""
    timings = turn.timings
    return {
        "state": turn.state.value,
        "sent": {} if turn.sent is None else asdict(turn.sent),
        "attempt": turn.attempt,
        "started_at": turn.started_at,
        "finished_at": turn.finished_at,
        "prompt_tokens": timings.prompt_tokens,
        "cached_tokens": timings.cached_tokens,
        "answer_tokens": timings.answer_tokens,
        "load_seconds": timings.load_seconds,
        "read_seconds": timings.read_seconds,
        "write_seconds": timings.write_seconds,
        "finish_reason": turn.finish_reason,
        "error_code": turn.error_code,
        "error_fields": turn.error_fields,
        "think_seconds": turn.think_seconds,
        "energy_j": turn.energy_j,
    }
