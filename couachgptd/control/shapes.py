"""What the verbs of the control socket take and answer, as typed dictionaries."""

from typing import Any, Literal, NotRequired, TypedDict

# --- answers


class User(TypedDict):
    id: int | str
    login: str
    name: str
    role: Literal["admin", "member", "reader"]
    state: Literal["pending", "active", "suspended"]
    language: str
    created_at: str


class Model(TypedDict):
    name: str
    size_bytes: int | None
    family: str | None
    parameters: int | str | None
    quantization: str | None
    context_tokens: int | None
    abilities: list[str] | None
    is_loaded: bool | None
    is_broken: bool
    is_quarantined: bool


class ModelList(TypedDict):
    models: list[Model]
    default: str | None


class SetupLink(TypedDict):
    url: str
    expires_at: str | None


class Engine(TypedDict):
    kind: str
    is_up: bool
    detail: str | None
    state: str
    reason: str | None


class EngineStatus(Engine):
    address: str | None
    version: str | None
    model: str | None
    loaded: list[str]
    since: str


class Incident(TypedDict):
    at: str
    before: str
    after: str
    evidence: dict[str, Any]


class QueuedTurn(TypedDict):
    turn: int
    asker: str | None
    state: str
    attempt: int
    model: str
    source: str
    place: int | None
    wait_seconds: list[int] | None
    is_healing: bool


class Queue(TypedDict):
    paused: bool
    running: list[QueuedTurn]
    waiting: list[QueuedTurn]


class Turns(TypedDict):
    queued: int
    running: int
    is_paused: bool


class Users(TypedDict):
    total: int
    pending: int


class Status(TypedDict):
    version: str
    pid: int
    started_at: str
    uptime_seconds: float
    address: str
    memory_bytes: int | None
    sockets: int
    engine: EngineStatus
    turns: Turns
    users: Users


class Event(TypedDict):
    """A line of an answer: a `turn` with its stage, a piece of `text`, or a `rewrite` of it all."""

    type: str
    turn: NotRequired[dict[str, Any]]
    kind: NotRequired[str]
    d: NotRequired[str]
    text: NotRequired[str]
    thinking: NotRequired[str]


class UserAnswer(TypedDict):
    user: User


class UserList(TypedDict):
    users: list[User]


class EngineAnswer(TypedDict):
    engine: Engine


class IncidentList(TypedDict):
    incidents: list[Incident]


# --- bodies


class NewUser(TypedDict):
    login: str
    password: str
    name: NotRequired[str]
    role: NotRequired[Literal["admin", "member", "reader"]]
    language: NotRequired[Literal["fr", "en"]]


class NewState(TypedDict):
    state: Literal["active", "suspended"]


class NewRole(TypedDict):
    role: Literal["admin", "member", "reader"]


class NewPassword(TypedDict):
    password: str


class Switch(TypedDict):
    is_on: bool


class Question(TypedDict):
    text: str
    model: NotRequired[str | None]
