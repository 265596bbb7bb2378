"""A daemon for tests: it answers on a Unix socket as docs/control.md says."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

USER = {
    "id": 1,
    "login": "zoe",
    "name": "Zoé Müller",
    "role": "admin",
    "state": "active",
    "language": "fr",
    "created_at": "2026-11-23T08:00:00Z",
}
MODEL = {
    "name": "qwen",
    "size_bytes": 491_400_064,
    "family": "qwen2",
    "parameters": "0.5B",
    "quantization": "Q4_K_M",
    "context_tokens": 4096,
    "abilities": ["chat"],
    "is_loaded": True,
    "is_broken": False,
    "is_quarantined": False,
}
STATUS: dict[str, Any] = {
    "version": "0.1.0",
    "pid": 42,
    "started_at": "2026-11-23T08:00:00Z",
    "uptime_seconds": 7384.2,
    "address": "http://127.0.0.1:8294",
    "health": "ok",
    "problems": [],
    "memory_bytes": 61_000_000,
    "sockets": 3,
    "machine": {
        "cores": 8,
        "load": 1.5,
        "memory_total_bytes": 16_000_000_000,
        "memory_available_bytes": 9_000_000_000,
        "disk_total_bytes": 500_000_000_000,
        "disk_free_bytes": 120_000_000_000,
    },
    "engine": {
        "kind": "embedded",
        "address": None,
        "is_up": True,
        "version": "b11549",
        "detail": None,
        "model": "qwen",
        "loaded": ["qwen"],
        "state": "busy",
        "reason": None,
        "since": "2026-11-23T09:12:45.250Z",
        "cpu_cores": 3.25,
        "memory_bytes": 2_000_000_000,
    },
    "turns": {"queued": 1, "running": 1, "is_paused": False, "is_held": False},
    "users": {"total": 4, "pending": 1, "online": 2},
    "restarts": {
        "daemon": [
            {"at": "2026-11-23T08:00:00Z", "cause": "restart", "by": "zoe uid:994 pid:41"},
            {"at": "2026-11-22T07:00:00Z", "cause": "killed", "by": None},
        ],
        "engine": [{"at": "2026-11-23T09:12:45.250Z", "cause": "hung_idle", "by": None}],
    },
    "incidents": [],
}

ENGINE = {"kind": "embedded", "is_up": True, "detail": None, "state": "ready", "reason": None}
INCIDENT: dict[str, Any] = {
    "at": "2026-11-23T09:12:45.250Z",
    "before": "busy",
    "after": "hung_idle",
    "evidence": {"process": "running", "cpu_cores": 0.01, "silence_seconds": 61.2},
}
RUNNING: dict[str, Any] = {
    "turn": 31,
    "asker": "zoe",
    "state": "writing",
    "attempt": 1,
    "model": "qwen",
    "source": "chat",
    "place": None,
    "wait_seconds": None,
    "is_healing": False,
}
WAITING = {**RUNNING, "turn": 32, "state": "queued", "place": 0, "wait_seconds": [20, 60]}
QUEUE: dict[str, Any] = {
    "paused": False,
    "is_held": False,
    "running": [RUNNING],
    "waiting": [WAITING],
}


def turn(state: str, **fields: Any) -> dict[str, Any]:
    return {"type": "turn", "turn": {"id": 1, "state": state, "error": None, **fields}}


def text(piece: str, kind: str = "text") -> dict[str, Any]:
    return {"type": "text", "kind": kind, "d": piece}


class Peer:
    """What it was asked, and what it is to answer."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.requests: list[tuple[str, str, Any]] = []
        self.headers: dict[str, str] = {}
        self.api = "1"
        self.refusal: tuple[int, str, dict[str, Any]] | None = None
        self.raw: bytes | None = None
        self.is_silent = False
        self.users = [USER]
        self.engine: dict[str, Any] = dict(STATUS["engine"])
        self.turns: dict[str, Any] = dict(STATUS["turns"])
        self.incidents: list[dict[str, Any]] = [INCIDENT]
        self.queue: dict[str, Any] = QUEUE
        self.models: list[dict[str, Any]] = [MODEL]
        self.events = [turn("queued"), turn("writing"), text("Bon"), text("jour"), turn("done")]
        self.goes_on = False  # an answer that never ends by itself
        self.asks = asyncio.Event()
        self.stopped = asyncio.Event()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._answer])
        app.router.add_post("/v1/ask", self._ask)
        app.router.add_route("*", "/{path:.*}", self._verb)
        return app

    @web.middleware
    async def _answer(self, request: web.Request, handler: Any) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.requests.append((request.method, request.rel_url.raw_path_qs, body))
        self.headers = dict(request.headers)
        if self.is_silent:
            await asyncio.sleep(60)
        headers = {"X-Couachgpt-Api": self.api}
        if self.raw is not None:
            return web.Response(body=self.raw, headers=headers)
        if self.refusal is not None:
            status, code, fields = self.refusal
            error = {"error": {"code": code, "fields": fields}}
            return web.json_response(error, status=status, headers=headers)
        response: web.StreamResponse = await handler(request)
        if not response.prepared:
            response.headers.update(headers)
        return response

    async def _verb(self, request: web.Request) -> web.Response:
        answers: dict[str, Any] = {
            "GET status": {**STATUS, "engine": self.engine, "turns": self.turns},
            "GET users": {"users": self.users},
            "POST users": {"user": USER},
            "POST users/approve": {"user": USER},
            "POST users/password": {"user": USER},
            "POST setup-link": {
                "url": "http://127.0.0.1:8294/setup/abc",
                "expires_at": "2026-11-24T08:00Z",
            },
            "GET models": {"models": self.models, "default": "qwen"},
            "GET models/qwen/fit": {"model": "qwen", "load_seconds": 20.4},
            "POST models/qwen/load": {"models": self.models, "default": "qwen"},
            "GET queue": self.queue,
            "GET engine/incidents": {"incidents": self.incidents},
            "POST engine/reset": {"engine": ENGINE},
            "POST engine/maintenance": {"engine": ENGINE},
        }
        path = re.sub("^users/[^/]+/", "users/", request.rel_url.raw_path.removeprefix("/v1/"))
        name = f"{request.method} {path}"
        if name not in answers:
            raise web.HTTPNotFound
        if path.endswith("/load"):
            await asyncio.sleep(1.2)  # who waits is shown so after half a second
        return web.json_response(answers[name], status=201 if name == "POST users" else 200)

    async def _ask(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"X-Couachgpt-Api": self.api})
        response.content_type = "application/x-ndjson"
        await response.prepare(request)
        try:
            for event in self.events:
                await self._write(response, event)
            self.asks.set()
            while self.goes_on:
                await self._write(response, text("more "))
                await asyncio.sleep(0.02)
        except (ConnectionError, asyncio.CancelledError):
            self.stopped.set()
        return response

    async def _write(self, response: web.StreamResponse, event: dict[str, Any]) -> None:
        await response.write(json.dumps(event).encode() + b"\n")


@asynccontextmanager
async def listening(socket: Path) -> AsyncIterator[Peer]:
    peer = Peer(socket)
    runner = web.AppRunner(peer.app(), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.UnixSite(runner, str(socket)).start()
        yield peer
    finally:
        await runner.cleanup()
