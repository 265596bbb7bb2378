"""What the verbs of the control socket answer, as typed dictionaries."""

from typing import Any, Literal, NotRequired, TypedDict


class User(TypedDict):
    id: int | str
    login: str
    name: str
    role: Literal["admin", "member", "reader"]
    state: Literal["pending", "active", "suspended"]
    language: str
    created_at: str


class ModelOptions(TypedDict):
    """How a model answers; null is the server's own, of `option_defaults` the engine's."""

    temperature: float | None
    top_p: float | None
    answer_tokens: int | None
    context_tokens: int | None


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
    visible_to: Literal["everyone", "members", "admins"]
    options: ModelOptions


class ModelList(TypedDict):
    models: list[Model]
    default: str | None
    option_defaults: ModelOptions


class Fit(TypedDict):
    """Whether a model fits; what is None is not known."""

    model: str
    verdict: Literal["fits", "tight", "does_not_fit", "unknown"]
    reason: Literal[
        "room",
        "loaded",
        "others",
        "in_use",
        "little_left",
        "disk_low",
        "memory",
        "disk",
        "size_unknown",
        "not_told",
    ]
    is_installed: bool
    size_bytes: int | None
    size_from: Literal["engine", "catalogue", "name"] | None
    memory_needed_bytes: int | None
    memory_available_bytes: int | None
    memory_total_bytes: int | None
    slots: int | None
    context_tokens: int | None
    fitting_context_tokens: int | None
    disk_needed_bytes: int | None
    disk_free_bytes: int | None
    unloads: list[str]
    load_seconds: float | None


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
    cpu_cores: float | None
    memory_bytes: int | None


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
    is_held: bool
    running: list[QueuedTurn]
    waiting: list[QueuedTurn]


class Turns(TypedDict):
    queued: int
    running: int
    is_paused: bool
    is_held: bool


class Users(TypedDict):
    total: int
    pending: int
    online: int


class Machine(TypedDict):
    cores: int
    load: float
    memory_total_bytes: int
    memory_available_bytes: int
    disk_total_bytes: int
    disk_free_bytes: int


class Restart(TypedDict):
    """`by`: the actor of the audit; null where nobody asked for it."""

    at: str
    cause: str
    by: str | None


class Restarts(TypedDict):
    """The last three of each, newest first."""

    daemon: list[Restart]
    engine: list[Restart]


class Status(TypedDict):
    version: str
    pid: int
    started_at: str
    uptime_seconds: float
    address: str
    health: Literal["ok", "degraded", "failed"]
    problems: list[str]
    memory_bytes: int
    cpu_seconds: float
    sockets: int
    machine: Machine
    engine: EngineStatus
    turns: Turns
    users: Users
    restarts: Restarts
    incidents: list[Incident]


class Event(TypedDict):
    """A line of an answer: a `turn` with its stage, a piece of `text`, or a `rewrite` of it all."""

    type: str
    turn: NotRequired[dict[str, Any]]
    kind: NotRequired[str]
    d: NotRequired[str]
    text: NotRequired[str]
    thinking: NotRequired[str]


class LoadedModel(TypedDict):
    name: str
    memory_bytes: int | None
    context_tokens: int | None


class Unit(TypedDict):
    state: str
    result: str


class EngineDetail(Engine):
    address: str | None
    version: str | None
    since: str
    is_maintenance: bool
    is_stopped: bool
    model: str | None
    loaded: list[LoadedModel]
    quarantined: list[str]
    pid: int | None
    unit: Unit | None
    cpu_cores: float | None
    memory_bytes: int | None
    processes: int | None


class Unloaded(TypedDict):
    engine: Engine
    unloaded: list[str]


class TurnAnswer(TypedDict):
    turn: QueuedTurn


class PullEvent(TypedDict):
    """A line of a download: `progress` again and again, then `done`."""

    type: Literal["progress", "done"]
    stage: NotRequired[str]
    bytes: NotRequired[int]
    total_bytes: NotRequired[int]


class Starter(TypedDict):
    """`why_not`: why it cannot be fetched; null where it can. `size_bytes`: null with Ollama."""

    name: str
    title: str
    licence: str
    languages: list[str]
    size_bytes: int | None
    is_there: bool
    why_not: Literal["elsewhere", "not_in_ollama"] | None


class StarterList(TypedDict):
    starters: list[Starter]


class InForce(TypedDict):
    """`origin`: default, file, override (`--set`), or stored by the page; secrets are hidden."""

    key: str
    value: Any
    default: Any
    origin: Literal["default", "file", "override", "stored"]
    is_reloadable: bool


class Configuration(TypedDict):
    file: str | None
    settings: list[InForce]


class Reloaded(TypedDict):
    applied: list[str]
    needs_restart: list[str]


class LogEvent(TypedDict):
    """A `line` again and again; `end` where nothing more is to come, `now` where more will."""

    type: Literal["line", "now", "end"]
    text: NotRequired[str]


class LogLines(TypedDict):
    lines: list[str]


class Change(TypedDict):
    """What is so now, once at first and then at each change, of the kind that `type` says."""

    type: Literal["engine", "queue", "online", "stopping"]
    engine: NotRequired[Engine]
    queue: NotRequired[Queue]
    online: NotRequired[int]
    pages: NotRequired[int]
    is_stopping: NotRequired[bool]


class Stack(TypedDict):
    """`stack` are places in the code, the innermost last."""

    name: str
    stack: list[str]


class Dump(TypedDict):
    tasks: list[Stack]
    threads: list[Stack]


class Ending(TypedDict):
    running: int
    drain_seconds: float


class UserAnswer(TypedDict):
    user: User


class UserList(TypedDict):
    users: list[User]


class EngineAnswer(TypedDict):
    engine: Engine


class IncidentList(TypedDict):
    incidents: list[Incident]


class Nothing(TypedDict):
    pass


class Belongings(TypedDict):
    conversations: int
    messages: int


class OneTimeLink(TypedDict):
    url: str
    expires_at: str


class Session(TypedDict):
    """`id` names it and opens nothing; `open_pages` are its person's, over all their sessions."""

    id: str
    user: str
    address: str
    created_at: str
    seen_at: str | None
    expires_at: str
    open_pages: int


class SessionList(TypedDict):
    sessions: list[Session]


class Ended(TypedDict):
    ended: int


class Invitation(TypedDict):
    id: str
    uses_left: int
    created_by: str
    created_at: str
    expires_at: str


class InvitationList(TypedDict):
    invitations: list[Invitation]


class InvitationAnswer(TypedDict):
    invitation: Invitation
    url: str
