"""The typed client of the control socket: one method a verb, one named error a failure."""

import http.client
import json
import os
import socket
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, Literal, NotRequired, TypedDict, cast
from urllib.parse import quote

API_VERSION: Final = "1"
API_HEADER: Final = "X-Couachgpt-Api"
REQUEST_SECONDS: Final = 30.0
RETRY_EVERY_SECONDS: Final = 0.1
LONGEST_ADDRESS: Final = 107  # bytes that a Unix socket's address may have on Linux
FINAL_STATES: Final = frozenset({"done", "stopped", "interrupted", "failed"})


# --- what the verbs answer: the shapes of docs/control.md --------------------------------------


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


# --- what can go wrong -------------------------------------------------------------------------


class ControlClientError(Exception):
    """Base of every failure of a call."""


class DaemonNotRunning(ControlClientError):
    """Nobody listens at the socket."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"nothing listens at {path} ({reason})")
        self.path = path


class PermissionRefused(ControlClientError):
    """The socket, or the daemon behind it, does not want this user."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"not permitted: {path}")
        self.path = path


class DaemonSilent(ControlClientError):
    """The daemon took the call and did not answer in time; the work may go on."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:g} s")
        self.seconds = seconds


class BadAnswer(ControlClientError):
    """What came back is not of the contract, or was cut: another program, or a dying daemon."""


class ControlError(ControlClientError):
    """The daemon said no, with a stable code and the fields that its text needs."""

    def __init__(self, code: str, fields: Mapping[str, Any], status: int = 0) -> None:
        super().__init__(code, dict(fields))
        self.code = code
        self.fields = dict(fields)
        self.status = status


# --- the calls ---------------------------------------------------------------------------------


class ControlClient:
    """Each call opens its own connection, so a client may be kept and shared.

    With `start_wait_seconds`, a call waits that long for a daemon that is still starting.
    `other_api` becomes what the server says when its version of the contract is not ours.
    """

    def __init__(
        self,
        socket_path: Path | str,
        *,
        timeout_seconds: float = REQUEST_SECONDS,
        start_wait_seconds: float = 0.0,
    ) -> None:
        self.path = Path(socket_path)
        self.timeout_seconds = timeout_seconds
        self.start_wait_seconds = start_wait_seconds
        self.other_api: str | None = None

    def status(self) -> Status:
        return cast("Status", self._call("GET", "/v1/status"))

    def users(self) -> list[User]:
        return cast("list[User]", _member(self._call("GET", "/v1/users"), "users", list))

    def add_user(
        self,
        login: str,
        password: str,
        *,
        name: str | None = None,
        role: str | None = None,
        language: str | None = None,
    ) -> User:
        given = {"login": login, "password": password}
        chosen = {"name": name, "role": role, "language": language}
        body = given | {key: value for key, value in chosen.items() if value is not None}
        return self._user(self._call("POST", "/v1/users", body))

    def approve_user(self, login: str) -> User:
        return self._user(self._call("POST", f"/v1/users/{_segment(login)}/approve"))

    def set_password(self, login: str, password: str) -> User:
        """Change a password; the person's sessions end."""
        path = f"/v1/users/{_segment(login)}/password"
        return self._user(self._call("POST", path, {"password": password}))

    def setup_link(self) -> SetupLink:
        return cast("SetupLink", self._call("POST", "/v1/setup-link"))

    def models(self) -> ModelList:
        answer = self._call("GET", "/v1/models")
        _member(answer, "models", list)
        return cast("ModelList", answer)

    def queue(self) -> Queue:
        answer = self._call("GET", "/v1/queue")
        _member(answer, "running", list)
        _member(answer, "waiting", list)
        return cast("Queue", answer)

    def incidents(self, limit: int | None = None) -> list[Incident]:
        """Return what happened to the engine, newest first."""
        path = "/v1/engine/incidents" + ("" if limit is None else f"?limit={limit}")
        return cast("list[Incident]", _member(self._call("GET", path), "incidents", list))

    def reset_engine(self) -> Engine:
        """Have failures, restarts and quarantines forgotten: it is mended."""
        return cast("Engine", _member(self._call("POST", "/v1/engine/reset"), "engine", dict))

    def set_maintenance(self, *, is_on: bool) -> Engine:
        answer = self._call("POST", "/v1/engine/maintenance", {"is_on": is_on})
        return cast("Engine", _member(answer, "engine", dict))

    def ask(
        self, text: str, *, model: str | None = None, silence_seconds: float | None = None
    ) -> Generator[Event, None, None]:
        """Yield the events of one turn, up to the one whose state is final.

        Closing the iterator closes the connection, and that stops the turn. Nothing comes while
        the turn waits in the queue: `silence_seconds` bounds that where the caller wants it.
        """
        body = {"text": text} if model is None else {"text": text, "model": model}
        with closing(self._open(silence_seconds)) as connection:
            try:
                response = self._send(connection, "POST", "/v1/ask", body)
                if response.status != http.client.OK:
                    self._raise(response.status, response.read())
                for line in response:
                    event = _decoded(line)
                    yield cast("Event", event)
                    turn = event.get("turn") or {}
                    if event.get("type") == "turn" and turn.get("state") in FINAL_STATES:
                        return
            except TimeoutError:
                raise DaemonSilent(silence_seconds or 0) from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise BadAnswer(_reason(error)) from error
        raise BadAnswer("the answer ended without its last event")

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        with closing(self._open(self.timeout_seconds)) as connection:
            try:
                response = self._send(connection, method, path, body)
                data = response.read()
            except TimeoutError:
                raise DaemonSilent(self.timeout_seconds) from None
            except (OSError, http.client.HTTPException) as error:
                raise BadAnswer(_reason(error)) from error
        if response.status not in (http.client.OK, http.client.CREATED):
            self._raise(response.status, data)
        return _decoded(data)

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
    ) -> http.client.HTTPResponse:
        headers = {API_HEADER: API_VERSION, "Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        theirs = response.getheader(API_HEADER)
        if theirs is not None and theirs != API_VERSION:
            self.other_api = theirs
        return response

    def _open(self, timeout_seconds: float | None) -> "_UnixConnection":
        give_up_at = time.monotonic() + self.start_wait_seconds
        while True:
            connection = _UnixConnection(self.path, timeout_seconds)
            try:
                connection.connect()
            except PermissionError:
                raise PermissionRefused(self.path) from None
            except TimeoutError:  # its queue of connections is full: it is there, and stuck
                raise DaemonSilent(timeout_seconds or 0) from None
            except OSError as error:
                if time.monotonic() >= give_up_at:
                    raise DaemonNotRunning(self.path, error.strerror or str(error)) from None
                time.sleep(RETRY_EVERY_SECONDS)
            else:
                return connection

    def _raise(self, status: int, data: bytes) -> None:
        try:
            error = json.loads(data)["error"]
            code, fields = str(error["code"]), dict(error.get("fields") or {})
        except (ValueError, TypeError, KeyError):
            code, fields = "", {}
        if status == http.client.FORBIDDEN:
            raise PermissionRefused(self.path)
        if not code:
            raise BadAnswer(f"HTTP {status} without an error code")
        raise ControlError(code, fields, status)

    def _user(self, answer: Any) -> User:
        return cast("User", _member(answer, "user", dict))


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket; the name is only what the Host header says."""

    def __init__(self, path: Path, timeout_seconds: float | None) -> None:
        super().__init__("couachgptd", timeout=timeout_seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self.sock.settimeout(self.timeout)
            if len(os.fsencode(self._path)) <= LONGEST_ADDRESS:
                self.sock.connect(os.fspath(self._path))
            else:
                self._connect_by_folder()
        except BaseException:
            self.close()
            raise

    def _connect_by_folder(self) -> None:
        """Reach a socket whose path is too long for an address, by its open folder."""
        folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            self.sock.connect(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)


def _segment(text: str) -> str:
    return quote(text, safe="")


def _decoded(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        raise BadAnswer("not JSON") from None
    if not isinstance(value, dict):
        raise BadAnswer("not a JSON object")
    return value


def _member(answer: Any, name: str, kind: type) -> Any:
    value = answer.get(name)
    if not isinstance(value, kind):
        raise BadAnswer(f"no {name!r} in the answer")
    return value


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
