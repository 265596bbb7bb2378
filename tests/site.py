"""A daemon as a subprocess, and what people do on its pages."""

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import Locator, Page, expect

PASSWORD = "un mot de passe long"
SEND = re.compile("^(Send|Envoyer)")
START_SECONDS = 20.0
STOP_SECONDS = 20.0


class Site:
    def __init__(self, folder: Path, *, models_dir: Path, settings: tuple[str, ...] = ()) -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._settings = (
            f"storage.data_dir={folder / 'data'}",
            f"server.port={self.port}",
            "server.drain_seconds=0",
            "engine.kind=embedded",
            f"embedded.models_dir={models_dir}",
            "engine.model=smollm2-135m-instruct-q4_1",
            # SmolLM2 writes to its limit; this is some 5 to 15 s of it.
            "chat.answer_tokens=400",
            *settings,
        )
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def log(self) -> Path:
        return self.folder / "daemon.log"

    def start(self) -> None:
        arguments = [sys.executable, "-m", "couachgptd"]
        for setting in self._settings:
            arguments += ["--set", setting]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            self.control("GET", "/v1/status")
        except (OSError, http.client.HTTPException):
            return False
        return True

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self.process is not None and self.process.poll() is None:
            os.kill(self.process.pid, number)
            self.process.wait(STOP_SECONDS)

    # as the operator

    def control(self, method: str, path: str, body: Any = None) -> Any:
        connection = _UnixConnection(self.folder / "data" / "control.sock")
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
            assert response.status < 300, answer
            return answer
        finally:
            connection.close()

    def add_user(self, login: str, **more: str) -> None:
        body = {"login": login, "password": PASSWORD, "language": "en", **more}
        self.control("POST", "/v1/users", body)

    def approve(self, login: str) -> None:
        self.control("POST", f"/v1/users/{login}/approve")

    def database(self) -> sqlite3.Connection:
        path = self.folder / "data" / "couachgpt.db"
        return sqlite3.connect(f"file:{path}?mode=ro", uri=True)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("couachgptd", timeout=30)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# as people do


def submit(page: Page) -> None:
    """Send the form that asks for a password."""
    page.locator("form:has(input[name=password]) button:not([type=button])").click()


def log_in(page: Page, login: str) -> None:
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", PASSWORD)
    submit(page)
    expect(page.locator("textarea")).to_be_visible()


def ask(page: Page, question: str) -> None:
    page.locator("textarea").fill(question)
    expect(page.get_by_role("button", name=SEND)).to_be_enabled()
    page.keyboard.press("Enter")


def answer(page: Page, index: int = -1) -> Locator:
    """The text of an answer, the newest by default."""
    found = page.locator(".markdown")
    return found.nth(index) if index >= 0 else found.last


def text_length_grows(page: Page, *, beyond: int = 0) -> int:
    """Wait until the newest answer is longer than `beyond` characters; return its length."""
    length = page.wait_for_function(
        "(beyond) => { const all = document.querySelectorAll('.markdown');"
        " const length = all.length ? all[all.length - 1].textContent.length : 0;"
        " return length > beyond ? length : null; }",
        arg=beyond,
    )
    return int(length.json_value())
