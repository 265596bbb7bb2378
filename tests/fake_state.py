"""What the fake Ollama knows: its models, their runners, and the counts that tests look at."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.fake_runner import Runner
from tests.fake_script import Behaviour, Script


@dataclass
class State:
    """What the engine knows; the counts let a test see what was asked."""

    script: Script
    behaviour: Behaviour
    models: list[str]
    loaded: dict[str, dict[str, Any]] = field(default_factory=dict)
    runners: dict[str, Runner] = field(default_factory=dict)
    loading: asyncio.Lock = field(default_factory=asyncio.Lock)
    loads: int = 0
    active: int = 0
    total: int = 0
    cancelled: int = 0
    requests: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)
    most_open: Counter[str] = field(default_factory=Counter)
    told: set[str] = field(default_factory=set)
    last_options: dict[str, Any] = field(default_factory=dict)
    last_body: dict[str, Any] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def script_of(self, message: str) -> Script:
        """Return what to do with a message; one that says `once` counts the first time."""
        told = self.script.told_by(message)
        if not told.once:
            return told
        is_new = message not in self.told
        self.told.add(message)
        return told if is_new else self.script

    def known(self, name: str) -> str | None:
        full = name if ":" in name else f"{name}:latest"
        return full if full in self.models else None

    async def load(self, name: str, options: dict[str, Any]) -> int:
        """Bring a model in, as slowly as told; return the nanoseconds it took."""
        self.last_options = options
        if self.loaded.get(name) == options:
            return 0
        async with self.loading:
            if self.loaded.get(name) == options:
                return 0
            started = time.perf_counter_ns()
            seconds, kind = self.behaviour.load_seconds, self.behaviour.runner
            if self.behaviour.load_reads or kind:
                await self.unload(name)
                runner = await self.runner(name, kind or "plain")
                verb = "read" if self.behaviour.load_reads else "wait"
                await runner.ask(f"{verb} {seconds}")
            else:
                await asyncio.sleep(seconds)
            self.loaded[name] = options
            self.loads += 1
            return time.perf_counter_ns() - started

    async def runner(self, name: str, kind: str = "plain") -> Runner:
        """Return the model's runner, started if there is none."""
        if name not in self.runners:
            self.runners[name] = await Runner.start(kind)
        return self.runners[name]

    async def unload(self, name: str) -> None:
        self.loaded.pop(name, None)
        if runner := self.runners.pop(name, None):
            await runner.kill()
