"""The JSON shapes of docs/protocol.md, for the WebSocket and the control socket alike."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from couachgptd.core.attachments import Attachment
from couachgptd.core.conversations import Conversation, Message, Rating
from couachgptd.core.errors import CouachError
from couachgptd.core.folders import Folder
from couachgptd.core.forecast import Spoken
from couachgptd.core.incidents import Incident
from couachgptd.core.lives import Restart
from couachgptd.core.models import EngineStatus, Model
from couachgptd.core.search import Found, Part
from couachgptd.core.turns import Turn, TurnState
from couachgptd.core.users import User

Json = dict[str, Any]


def moment(value: datetime | None) -> str | None:
    return (
        None if value is None else value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def restart(value: Restart) -> Json:
    return {"at": moment(value.at), "cause": value.cause, "by": value.by}


def incident(value: Incident) -> Json:
    return {
        "at": moment(value.at),
        "before": value.before,
        "after": value.after,
        "evidence": value.evidence,
    }


def user(value: User) -> Json:
    return {
        "id": value.id,
        "login": value.login,
        "name": value.name,
        "role": value.role.value,
        "language": value.language,
    }


def own_user(value: User) -> Json:
    """Shape a person for themselves, with what they chose."""
    return {**user(value), "zone": value.zone, "model": value.model}


def conversation(value: Conversation) -> Json:
    return {
        "id": value.id,
        "kind": value.kind.value,
        "title": value.title,
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
        "is_pinned": value.is_pinned,
        "is_archived": value.is_archived,
        "deleted_at": moment(value.deleted_at),
        "folder": value.folder_id,
    }


def folder(value: Folder) -> Json:
    return {"id": value.id, "name": value.name}


def message(value: Message, turn_shape: Json | None = None) -> Json:
    """Shape a message; `turn_shape` says more of its turn than the message itself knows."""
    if turn_shape is None and value.turn is not None:
        turn_shape = turn(value.turn)
    return {
        "id": value.id,
        "parent": value.parent_id,
        "author": value.author.value,
        "author_id": value.author_id,
        "client_id": value.client_id,
        "text": value.text,
        "thinking": value.thinking,
        "created_at": moment(value.created_at),
        "edited_at": moment(value.edited_at),
        "deleted_at": moment(value.deleted_at),
        "turn": turn_shape,
        "attachments": [attachment(each) for each in value.attachments],
        "rating": None if value.rating is None else rating(value.rating),
    }


def rating(value: Rating) -> Json:
    return {"value": value.thumb.value, "word": value.word}


def attachment(value: Attachment) -> Json:
    return {
        "id": value.id,
        "name": value.name,
        "kind": value.kind.value,
        "size_bytes": value.size_bytes,
        "is_cut": value.is_cut,
        "part": None if value.part is None else value.part.shape,
    }


def found(value: Found) -> Json:
    return {
        "titles": [
            {"conversation": conversation(each.conversation), "parts": _parts(each.parts)}
            for each in value.titles
        ],
        "messages": [
            {
                "conversation": conversation(each.conversation),
                "message": each.message_id,
                "author": each.author.value,
                "created_at": moment(each.created_at),
                "parts": _parts(each.parts),
            }
            for each in value.messages
        ],
        "files": [
            {
                "conversation": conversation(each.conversation),
                "message": each.message_id,
                "created_at": moment(each.created_at),
                "parts": _parts(each.parts),
            }
            for each in value.files
        ],
        "has_more": value.has_more,
    }


def _parts(value: tuple[Part, ...]) -> list[Json]:
    return [{"text": part.text, "is_hit": part.is_hit} for part in value]


def turn(
    value: Turn,
    *,
    place: int | None = None,
    wait: Spoken | None = None,
    is_healing: bool = False,
    read_tokens: int = 0,
    prompt_tokens: int = 0,
) -> Json:
    is_queued = value.state is TurnState.QUEUED
    reading = value.state is TurnState.READING and prompt_tokens > 0
    return {
        "id": value.id,
        "state": value.state.value,
        "attempt": value.attempt,
        "model": value.model,
        "source": value.source.value,
        "place": place,
        "wait_seconds": [wait.low_seconds, wait.high_seconds] if wait and is_queued else None,
        "is_healing": is_healing and not value.state.is_final,
        "read_tokens": read_tokens if reading else None,
        "prompt_tokens": prompt_tokens if reading else None,
        "queued_at": moment(value.queued_at),
        "started_at": moment(value.started_at),
        "finished_at": moment(value.finished_at),
        "think_seconds": value.think_seconds,
        "timings": _timings(value) if value.state.is_final else None,
        "finish_reason": value.finish_reason,
        "options": _options(value.options),
        "sent": None if value.sent is None else asdict(value.sent),
        "error": {"code": value.error_code, "fields": value.error_fields}
        if value.error_code
        else None,
    }


def _options(value: Json) -> Json | None:
    """Shape what an answer is made with; a prompt of one's own may be long, and is known there."""
    if not value:
        return None
    shown = {name: each for name, each in value.items() if name != "system_prompt"}
    return {**shown, "has_own_prompt": value.get("system_prompt") is not None}


def _timings(value: Turn) -> Json:
    timings = value.timings
    total = None
    if value.started_at and value.finished_at:
        total = round((value.finished_at - value.started_at).total_seconds(), 3)
    rate = timings.tokens_per_second
    return {
        "prompt_tokens": timings.prompt_tokens,
        "cached_tokens": timings.cached_tokens,
        "answer_tokens": timings.answer_tokens,
        "load_seconds": timings.load_seconds,
        "read_seconds": timings.read_seconds,
        "write_seconds": timings.write_seconds,
        "tokens_per_second": None if rate is None else round(rate, 2),
        "total_seconds": total,
    }


def model(value: Model, *, is_loaded: bool, is_quarantined: bool = False) -> Json:
    """Shape a model; who is put aside after failed loads is one that cannot be used, too."""
    return {
        "name": value.name,
        "size_bytes": value.size_bytes,
        "family": value.family,
        "parameters": value.parameters,
        "quantization": value.quantization,
        "context_tokens": value.context_tokens,
        "abilities": sorted(value.abilities),
        "is_loaded": is_loaded,
        "is_broken": value.is_broken or is_quarantined,
        "is_quarantined": is_quarantined,
    }


def engine(value: EngineStatus, *, state: str = "starting", reason: str | None = None) -> Json:
    """Shape the engine; `state` is the watchdog's verdict, `reason` why it has given up."""
    return {
        "kind": value.kind,
        "is_up": value.is_up,
        "detail": value.detail,
        "state": state,
        "reason": reason,
    }


def error(value: CouachError) -> Json:
    return {"code": value.code, "fields": value.fields}
