"""Starts what is measured as real processes: the daemon, the fake Ollama, the pass-through."""

import asyncio
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from couachgptd.core.users import Role, UserState
from couachgptd.services.accounts import session_key
from couachgptd.storage.store import opened_store

ROOT = Path(__file__).parent.parent
START_SECONDS = 30.0
STOP_SECONDS = 20.0
POLL_SECONDS = 0.002
NO_OLLAMA = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class Program:
    """A server that is up; `cookies` are those of its people, one for each stream."""

    name: str
    pid: int
    url: str
    cookies: tuple[str, ...] = ()
    ready_seconds: float = 0.0
    first_page_seconds: float = 0.0


@contextmanager
def ended(process: "subprocess.Popen[str]") -> Iterator[None]:
    """End a process of ours, and nobody else's, with the block."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def printing_its_port(name: str, *command: str) -> Iterator[Program]:
    """Start a program that prints the port it took."""
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with ended(process):
        port = process.stdout.readline().strip() if process.stdout else ""
        if not port:
            raise RuntimeError(f"{name} did not start")
        yield Program(name, process.pid, f"http://127.0.0.1:{port}")


def fake_ollama() -> AbstractContextManager[Program]:
    return printing_its_port("fake", str(ROOT / "tests" / "fake_ollama.py"))


def pass_through(ollama_url: str) -> AbstractContextManager[Program]:
    return printing_its_port("pass-through", "-m", "benchmarks.passthrough", ollama_url)


@contextmanager
def data_directory() -> Iterator[Path]:
    """Make a folder on the disk of the checkout: a RAM disk would make commits look free."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="benchmark-", dir=cache))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


async def add_people(directory: Path, count: int) -> tuple[str, ...]:
    """Put people with open sessions into the store, before the daemon opens it."""
    cookies: list[str] = []
    async with opened_store(directory) as store:
        for number in range(count):
            user = await store.add_user(
                login=f"personne{number}",
                name=f"Personne {number}",
                password_hash="-",  # noqa: S106 -- nobody logs in by it
                role=Role.MEMBER,
                state=UserState.ACTIVE,
                language="fr",
            )
            cookie = secrets.token_urlsafe(32)
            expires_at = datetime.now(UTC) + timedelta(days=1)
            await store.add_session(session_key(cookie), user.id, {}, expires_at)
            cookies.append(cookie)
    return tuple(cookies)


CONFIG = """\
[server]
port = {port}
drain_seconds = 0.0
[storage]
data_dir = "{directory}"
[chat]
waiting_per_person = 1000
waiting_in_all = 1000
[engine]
kind = "{kind}"
slots = {slots}
[ollama]
url = "{ollama_url}"
[embedded]
models_dir = "{models_dir}"
[log]
level = "warning"
"""


@contextmanager
def daemon(
    directory: Path,
    *,
    kind: str,
    ollama_url: str | None = None,
    people: int = 0,
    slots: int = 200,
    models_dir: Path | None = None,
) -> Iterator[Program]:
    """Start couachgptd as systemd would: it says itself when it is ready."""
    cookies = asyncio.run(add_people(directory, people)) if people else ()
    port = free_port()
    config = directory / "couachgpt.toml"
    config.write_text(
        CONFIG.format(
            port=port,
            directory=directory,
            kind=kind,
            slots=slots,
            ollama_url=ollama_url or NO_OLLAMA,
            models_dir=models_dir or "",
        ),
        encoding="utf-8",
    )
    url = f"http://127.0.0.1:{port}"
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified,
    ):
        notified.bind(f"{folder}/notify")
        notified.settimeout(START_SECONDS)
        environment = os.environ | {"NOTIFY_SOCKET": f"{folder}/notify"}
        command = [sys.executable, "-m", "couachgptd", "--config", str(config)]
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, text=True
        )
        with ended(process):
            first_page = _seconds_to_first_page(url, began)
            while b"READY=1" not in notified.recv(4096):
                pass
            ready = time.monotonic() - began
            yield Program("couachgptd", process.pid, url, cookies, ready, first_page)


def _seconds_to_first_page(url: str, began: float) -> float:
    """Return how long after `began` /healthz answered 200 for the first time."""
    while time.monotonic() - began < START_SECONDS:
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=START_SECONDS) as page:  # noqa: S310 -- our own
                if page.status == 200:
                    return time.monotonic() - began
        except OSError:
            time.sleep(POLL_SECONDS)
    raise RuntimeError("couachgptd did not start")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port
