"""What several suites share: the starter model, and a real program that speaks Ollama's API."""

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
STARTER_MODEL = ROOT / ".cache" / "models" / "smollm2-135m-instruct-q4_1.gguf"
STATE_SECONDS = 30.0


class Scripted:
    """A `fake_ollama.py`, whoever runs it: what it counts, and what it is told to do."""

    url: str

    async def state(self, wait_idle: float = 0.0) -> dict[str, Any]:
        """Return what it counts, once it is idle or `wait_idle` seconds have passed."""
        return await asyncio.to_thread(self._state, wait_idle)

    async def script(self, **told: Any) -> None:
        """Change what it does from now on: the names of `Script` and `Behaviour`."""
        await asyncio.to_thread(self._script, told)

    def _script(self, told: dict[str, Any]) -> None:
        request = urllib.request.Request(f"{self.url}/fake/script", json.dumps(told).encode())  # noqa: S310
        with urllib.request.urlopen(request, timeout=STATE_SECONDS):  # noqa: S310
            pass

    def _state(self, wait_idle: float) -> dict[str, Any]:
        query = f"?wait_idle={wait_idle}" if wait_idle else ""
        address = f"{self.url}/fake/state{query}"  # always our own program's, on loopback
        with urllib.request.urlopen(address, timeout=STATE_SECONDS) as page:  # noqa: S310
            answer: dict[str, Any] = json.load(page)
        return answer


@dataclass(slots=True)
class FakeOllama(Scripted):
    """A `fake_ollama.py` that the test itself runs."""

    process: "subprocess.Popen[str]"
    url: str


StartFakeOllama = Callable[..., FakeOllama]


@pytest.fixture
def start_fake_ollama() -> Iterator[StartFakeOllama]:
    """Start as many as a test needs, each with its own arguments; they end with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> FakeOllama:
        program = [sys.executable, str(ROOT / "tests" / "fake_ollama.py"), *arguments]
        process = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        assert port, "fake_ollama.py did not start"
        return FakeOllama(process, f"http://127.0.0.1:{port}")

    yield start
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def starter_model() -> Path:
    """Return the small real model; its absence is a failure, not a skip."""
    path = Path(os.environ.get("COUACHGPT_TEST_MODEL") or STARTER_MODEL)
    if not path.is_file():
        pytest.fail(f"no model at {path}: run `make models`")
    return path
