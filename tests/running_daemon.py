"""The real daemon as a program, for tests and benchmarks: start, ask, kill, start again."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import aiohttp

ROOT = Path(__file__).parent.parent
READY_SECONDS = 30.0
END_SECONDS = 30.0
TLS_END_SECONDS = 0.1  # aiohttp waits for no farewell: what is open at a loop's end is a warning
PASSWORD = "un long mot de passe"
Json = dict[str, Any]


class Reachable:
    """A daemon at `address`, where people find it, and at `socket`, where operators do.

    `trusted` is what its browsers verify its certificate with, where it has one.
    """

    address: str
    socket: Path
    trusted: ssl.SSLContext | None = None

    # the operator's side

    def control(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
        """Make one request on the control socket."""
        connection = UnixConnection(self.socket)
        try:
            text = None if body is None else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()

    def add_user(self, login: str, role: str = "member", **more: str) -> Json:
        body = {"login": login, "password": PASSWORD, "role": role, **more}
        status, answer = self.control("POST", "/v1/users", body)
        assert status == 201, answer
        user: Json = answer["user"]
        return user

    # people's side

    @contextlib.asynccontextmanager
    async def browser(self, login: str | None = None) -> AsyncIterator["Browser"]:
        """Open a browser, logged in as a person where one is named."""
        jar = aiohttp.CookieJar(unsafe=True)
        timeout = aiohttp.ClientTimeout(total=30)
        connector = aiohttp.TCPConnector(ssl=self.trusted or True)
        async with aiohttp.ClientSession(
            self.address, connector=connector, cookie_jar=jar, timeout=timeout
        ) as session:
            browser = Browser(session, self.address)
            if login is not None:
                await browser.log_in(login)
            yield browser
        if self.trusted is not None:
            await asyncio.sleep(TLS_END_SECONDS)


class RunningDaemon(Reachable):
    """`couachgptd` on free ports with data of its own; says READY as systemd hears it.

    `address` is where people find it, `socket` where operators do.
    """

    def __init__(self, directory: Path, ollama_url: str, *settings: str) -> None:
        self.data = directory / "data"
        self.socket = directory / "control.sock"
        self.log_path = directory / "daemon.log"
        self.port = free_port()
        self.settings = (
            f"server.port={self.port}",
            f"storage.data_dir={self.data}",
            f"control.socket={self.socket}",
            "engine.kind=ollama",
            f"ollama.url={ollama_url}",
            # What a test counts at the engine is what its people ask; who wants titles says so.
            "chat.title_idle_seconds=0",
            *settings,
        )
        self.address = f"http://127.0.0.1:{self.port}"
        self.trusted: ssl.SSLContext | None = None
        self.config: Path | None = None  # a couachgpt.toml, below the settings
        self.process: subprocess.Popen[bytes] | None = None

    def trust(self, certificate: ssl.SSLContext) -> None:
        """Reach it by https from now on, with browsers that trust this certificate."""
        self.trusted = certificate
        self.address = f"https://127.0.0.1:{self.port}"

    # its life

    def start(self, *settings: str) -> Self:
        """Start it and wait until it is ready."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified:
            notified.bind("")  # an abstract name of the kernel's choice
            name = notified.getsockname().decode().replace("\0", "@", 1)
            self.process = self.spawn(*settings, NOTIFY_SOCKET=name)
            notified.settimeout(0.05)
            for _ in range(int(READY_SECONDS / 0.05)):
                with contextlib.suppress(TimeoutError):
                    if notified.recv(4096).startswith(b"READY=1"):
                        return self
                if self.process.poll() is not None:
                    break
        raise AssertionError(f"the daemon did not start:\n{self.log}")

    def spawn(self, *settings: str, **environment: str) -> "subprocess.Popen[bytes]":
        """Start one more process with the same settings; its end is the caller's business."""
        arguments = [f"--set={setting}" for setting in (*self.settings, *settings)]
        if self.config is not None:
            arguments.append(f"--config={self.config}")
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "couachgptd", *arguments],
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**os.environ, **environment},
            )

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal and return the exit status once the process has ended."""
        assert self.process is not None
        if self.process.poll() is None:
            os.kill(self.process.pid, number)
        return self.process.wait(END_SECONDS)

    def ended(self) -> int:
        """Return the exit status, once the process has ended by itself."""
        assert self.process is not None
        return self.process.wait(END_SECONDS)

    def stop(self) -> int:
        return self.kill(signal.SIGTERM)

    def restart(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.kill(number)
        self.start()


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, with the standard library."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Browser:
    """A cookie jar that fills in our forms and opens our WebSocket, as a browser would."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session = session
        self.address = address

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in self.session.cookie_jar}

    async def get(self, path: str, **options: Any) -> tuple[int, str]:
        options.setdefault("allow_redirects", False)
        async with self.session.get(path, **options) as response:
            return response.status, await response.text()

    async def token(self) -> str:
        """Return the form token of the browser's session."""
        _, page = await self.get("/login")
        if not page or 'name="csrf"' not in page:
            _, page = await self.get("/")
        found = re.search(r'name="csrf" value="([0-9a-f]+)"|"csrf": ?"([0-9a-f]+)"', page)
        assert found, page
        return found[1] or found[2]

    async def post(
        self, path: str, form: dict[str, str] | None = None, **options: Any
    ) -> aiohttp.ClientResponse:
        """Send a form of ours, with its token and its Origin."""
        fields = {"csrf": await self.token(), **(form or {})}
        headers = {"Origin": self.address, **options.pop("headers", {})}
        response = await self.session.post(
            path, data=fields, headers=headers, allow_redirects=False, **options
        )
        await response.read()
        return response

    async def upload(self, name: str, data: Any, **headers: str) -> tuple[int, Json]:
        """Send one file as our page does; return the status, and the attachment or the error."""
        given = {
            "Origin": self.address,
            "Accept": "application/json",
            "X-Form-Token": await self.token(),
            "X-File-Name": quote(name, safe="", errors="surrogatepass"),
            **headers,
        }
        async with self.session.post("/attachments", data=data, headers=given) as response:
            answer = await response.json()
            found: Json = answer.get("attachment") or answer["error"]
            return response.status, found

    async def log_in(self, login: str, password: str = PASSWORD) -> None:
        response = await self.post("/login", {"login": login, "password": password})
        assert response.status == 303, await response.text()

    async def open(self, **headers: str) -> "Socket":
        """Open the WebSocket and return it before the first message."""
        ws = await self.session.ws_connect(
            "/ws", headers={"Origin": self.address, **headers}, max_msg_size=0
        )
        return Socket(ws)

    @contextlib.asynccontextmanager
    async def ws(self) -> AsyncIterator["Socket"]:
        """Open the WebSocket, past its hello, for as long as the block."""
        opened = await self.open()
        try:
            opened.hello = await opened.next("hello")
            yield opened
        finally:
            await opened.close()


class Socket:
    """One tab: sends requests, keeps every message, waits for what a test names."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.hello: Json = {}
        self.messages: list[Json] = []
        self.close_code: int | None = None
        self._next_id = 0

    async def receive(self, seconds: float = 20.0) -> Json | None:
        """Return the next message; None once the socket is closed, with its `close_code`."""
        message = await self.ws.receive(seconds)
        if message.type is not aiohttp.WSMsgType.TEXT:
            self.close_code = self.ws.close_code
            return None
        found: Json = json.loads(message.data)
        self.messages.append(found)
        return found

    async def next(
        self, *types: str, where: Callable[[Json], object] = lambda _: True, seconds: float = 20.0
    ) -> Json:
        """Return the next message of these types that is as told; the others pass by."""
        async with asyncio.timeout(seconds):
            while (found := await self.receive(seconds)) is not None:
                if found["type"] in types and where(found):
                    return found
        raise AssertionError(f"closed with {self.close_code} before {types}")

    async def closed(self, seconds: float = 20.0) -> int | None:
        """Return the close code, once it is closed."""
        async with asyncio.timeout(seconds):
            while await self.receive(seconds) is not None:
                pass
        return self.close_code

    async def request(self, verb: str, **fields: Any) -> Json:
        """Send a request and return its `ok` or `error`."""
        self._next_id += 1
        number = self._next_id
        await self.ws.send_json({"type": verb, "id": number, **fields})
        return await self.next("ok", "error", where=lambda found: found["id"] == number)

    async def ask(self, text: str, conversation: str | None = None, **fields: Any) -> Json:
        """Ask a question and return the `ok`; an `error` fails the test."""
        asked = {"client_id": secrets.token_hex(8), "parent": None, "model": None, **fields}
        answer = await self.request("chat.ask", text=text, conversation=conversation, **asked)
        assert answer["type"] == "ok", answer
        return answer

    async def until(self, state: str, message: int, seconds: float = 20.0) -> Json:
        """Return the `turn` event in which this answer reaches a state."""
        return await self.next(
            "turn",
            where=lambda found: found["message"] == message and found["turn"]["state"] == state,
            seconds=seconds,
        )

    async def ended(self, message: int, seconds: float = 30.0) -> Json:
        """Return the turn of an answer at its end."""
        event = await self.next(
            "turn",
            where=lambda found: found["message"] == message and found["turn"]["finished_at"],
            seconds=seconds,
        )
        turn: Json = event["turn"]
        return turn

    async def watch(self, conversation: str, position: Json | None = None) -> Json:
        answer = await self.request(
            "conversation.watch", conversation=conversation, position=position
        )
        assert answer["type"] == "ok", answer
        return answer

    async def close(self) -> None:
        await self.ws.close()


def text_of(message: int, events: Iterable[Json]) -> str:
    """Return the text that a page shows for an answer after these events."""
    text = ""
    for event in events:
        if event["type"] == "snapshot":
            texts = [each["text"] for each in event["messages"] if each["id"] == message]
            text = texts[0] if texts else text
        elif event["type"] == "text" and event["message"] == message and event["kind"] == "text":
            text += event["d"]
        elif event["type"] == "rewrite" and event["message"] == message:
            text = event["text"]
    return text


def positions(events: Iterable[Json]) -> list[int]:
    return [event["n"] for event in events if "n" in event]


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
