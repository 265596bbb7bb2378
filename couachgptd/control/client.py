"""couachgptctl's client of the control socket: one call a verb, one named error a failure."""

import http.client
import json
import os
import socket
import time
from collections.abc import Generator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NoReturn

from couachgptd.control.routes import API, API_HEADER, place_of

REQUEST_SECONDS: Final = 30.0
PIECE_BYTES: Final = 1 << 20
RETRY_EVERY_SECONDS: Final = 0.1
LONGEST_ADDRESS: Final = 107  # bytes that a Unix socket's address may have on Linux
SUCCESSES: Final = frozenset({http.client.OK, http.client.CREATED, http.client.ACCEPTED})
FINAL_STATES: Final = frozenset({"done", "stopped", "interrupted", "failed"})
LAST_EVENTS: Final = frozenset({"done", "end"})  # of streams that end by themselves


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

    def call(
        self,
        verb: str,
        body: Mapping[str, Any] | None = None,
        /,
        **names: object,
    ) -> Any:
        """Return what a verb answers; `names` are those in its path or query, `verb` among them.

        What is missing in an answer is a BadAnswer to who reads it.
        """
        method, path = place_of(verb, names)
        with closing(self._open(self.timeout_seconds)) as connection:
            try:
                response = self._send(connection, method, path, body)
                data = response.read()
            except TimeoutError:
                raise DaemonSilent(self.timeout_seconds) from None
            except (OSError, http.client.HTTPException) as error:
                raise BadAnswer(_reason(error)) from error
        if response.status not in SUCCESSES:
            self._raise(response.status, data)
        return _decoded(data)

    def stream(
        self,
        verb: str,
        body: Mapping[str, Any] | None = None,
        /,
        *,
        silence_seconds: float | None = None,
        **names: object,
    ) -> Generator[Any, None, None]:
        """Yield what a verb answers, event by event; closing the iterator ends the work.

        One that ends without its last event was cut, which http.client does not tell of chunks.
        `silence_seconds` bounds how long nothing may come, where the caller wants that.
        """
        method, path = place_of(verb, names)
        with closing(self._open(silence_seconds)) as connection:
            try:
                response = self._send(connection, method, path, body)
                if response.status != http.client.OK:
                    self._raise(response.status, response.read())
                event: Any = {}
                for line in response:
                    event = _decoded(line)
                    if event.get("type") == "error":
                        raise _refused(line, response.status)
                    yield event
            except TimeoutError:
                raise DaemonSilent(silence_seconds or 0) from None
            except (OSError, http.client.HTTPException, ValueError) as error:
                raise BadAnswer(_reason(error)) from error
            if event.get("type") not in LAST_EVENTS:
                raise BadAnswer("the answer ended without its last event")

    def file(self, verb: str, /, **names: object) -> Generator[bytes, None, None]:
        """Yield the bytes of the file that a verb answers; one that was cut is a BadAnswer."""
        method, path = place_of(verb, names)
        with closing(self._open(self.timeout_seconds)) as connection:
            try:
                response = self._send(connection, method, path, None)
                if response.status != http.client.OK:
                    self._raise(response.status, response.read())
                while piece := response.read(PIECE_BYTES):
                    yield piece
            except TimeoutError:
                raise DaemonSilent(self.timeout_seconds) from None
            except (OSError, http.client.HTTPException) as error:
                raise BadAnswer(_reason(error)) from error
            if response.length:  # http.client tells of a missing end only where all is read at once
                raise BadAnswer(f"{response.length} bytes are missing")

    def ask(
        self, text: str, *, model: str | None = None, silence_seconds: float | None = None
    ) -> Generator[Any, None, None]:
        """Yield the events of one turn, up to the one whose state is final.

        Closing the iterator stops the turn. Nothing comes while it waits in the queue.
        """
        body = {"text": text} if model is None else {"text": text, "model": model}
        with closing(self.stream("control.ask", body, silence_seconds=silence_seconds)) as events:
            for event in events:
                yield event
                turn = event.get("turn") or {}
                if event.get("type") == "turn" and turn.get("state") in FINAL_STATES:
                    return

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
    ) -> http.client.HTTPResponse:
        headers = {API_HEADER: API, "Accept": "application/json"}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        connection.request(method, path, data, headers)
        response = connection.getresponse()
        theirs = response.getheader(API_HEADER)
        if theirs is not None and theirs != API:
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

    def _raise(self, status: int, data: bytes) -> NoReturn:
        if status == http.client.FORBIDDEN:
            raise PermissionRefused(self.path)
        raise _refused(data, status)


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


class Answer(dict[str, Any]):
    """An object of an answer; a member that is not there shows that another program answered."""

    def __missing__(self, name: str) -> NoReturn:
        raise BadAnswer(f"no {name!r} in the answer")


def _decoded(data: bytes) -> Any:
    try:
        value = json.loads(data, object_hook=Answer)
    except ValueError:
        raise BadAnswer("not JSON") from None
    if not isinstance(value, dict):
        raise BadAnswer("not a JSON object")
    return value


def _refused(data: bytes, status: int) -> ControlClientError:
    """Return the error that an answer tells of."""
    try:
        error = json.loads(data)["error"]
        return ControlError(str(error["code"]), dict(error.get("fields") or {}), status)
    except (ValueError, TypeError, KeyError):
        return BadAnswer(f"HTTP {status} without an error code")


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
