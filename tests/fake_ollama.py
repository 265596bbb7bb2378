"""A program that speaks Ollama's API over real HTTP, and hangs, breaks or dies when told to."""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from aiohttp import web

sys.path.insert(0, str(Path(__file__).parent.parent))  # it is run as a program
from tests.fake_runner import KINDS as RUNNERS
from tests.fake_runner import RunnerEnded
from tests.fake_script import THOUGHT_TOKENS, Behaviour, Script, answer_tokens, changed
from tests.fake_state import State

VERSION = "0.33.0"
CONTEXT_TOKENS = 8192
MODEL_BYTES = 1_117_320_768
HUGE_LINE_BYTES = 10 << 20
CREATED_AT = "2026-01-01T08:00:00.000000000Z"
EXPIRES_AT = "2036-01-01T08:00:00.000000000Z"


STATE = web.AppKey("STATE", State)
RUNNER_OPTIONS = ("num_ctx", "num_thread", "num_batch")  # another value of these is a reload


def details() -> dict[str, Any]:
    return {
        "parent_model": "",
        "format": "gguf",
        "family": "couac",
        "families": ["couac"],
        "parameter_size": "1.5B",
        "quantization_level": "Q4_K_M",
    }


def missing(name: str) -> web.Response:
    return web.json_response({"error": f"model '{name}' not found"}, status=404)


async def version(_request: web.Request) -> web.Response:
    return web.json_response({"version": VERSION})


async def tags(request: web.Request) -> web.Response:
    rows = [
        {
            "name": name,
            "model": name,
            "modified_at": CREATED_AT,
            "size": MODEL_BYTES,
            "digest": "0" * 64,
            "details": details(),
        }
        for name in request.app[STATE].models
    ]
    return web.json_response({"models": rows})


async def show(request: web.Request) -> web.Response:
    body = await request.json()
    asked = str(body.get("model") or body.get("name") or "")
    if request.app[STATE].known(asked) is None:
        return missing(asked)
    thinks = request.app[STATE].script.think or "pense" in asked
    return web.json_response(
        {
            "template": "{{ .Prompt }}",
            "parameters": "",
            "capabilities": [
                "completion",
                *(["thinking"] if thinks else []),
                *(["vision"] if "voit" in asked else []),
            ],
            "model_info": {
                "general.architecture": "couac",
                "couac.context_length": CONTEXT_TOKENS,
                "couac.block_count": 28,
                "couac.embedding_length": 1536,
                "couac.feed_forward_length": 8960,
                "couac.attention.head_count": 12,
                "couac.attention.head_count_kv": 2,
            },
            "details": details(),
            "modified_at": CREATED_AT,
        },
    )


async def running(request: web.Request) -> web.Response:
    rows = [
        {
            "name": name,
            "model": name,
            "size": MODEL_BYTES,
            "size_vram": 0,
            "digest": "0" * 64,
            "details": details(),
            "expires_at": EXPIRES_AT,
            "context_length": options.get("num_ctx", 4096),
        }
        for name, options in request.app[STATE].loaded.items()
    ]
    return web.json_response({"models": rows})


def runner_options(body: dict[str, Any]) -> dict[str, Any]:
    options = body.get("options") or {}
    return {name: options[name] for name in RUNNER_OPTIONS if name in options}


async def generate(request: web.Request) -> web.Response:
    """Load or unload, which is all that an empty prompt asks for."""
    state = request.app[STATE]
    body = await request.json()
    name = state.known(str(body.get("model", "")))
    if name is None:
        return missing(str(body.get("model", "")))
    state.last_body = body
    answer = {"model": name, "created_at": CREATED_AT, "response": "", "done": True}
    if body.get("keep_alive") in {0, "0"}:
        if not state.behaviour.unload_ignored:
            await state.unload(name)
        return web.json_response(answer | {"done_reason": "unload"})
    try:
        await state.load(name, runner_options(body))
    except RunnerEnded as error:
        await state.unload(name)
        return web.json_response({"error": str(error)}, status=500)
    return web.json_response(answer | {"done_reason": "load"})


async def pull(request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    name = str((await request.json()).get("model", ""))
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    await response.prepare(request)
    if "inexistant" in name:
        line = {"error": "pull model manifest: file does not exist"}
        await response.write(json.dumps(line).encode() + b"\n")
        return response
    total = 1_000_000
    steps: list[dict[str, Any]] = [{"status": "pulling manifest"}]
    steps += [
        {"status": "pulling aabb", "digest": "sha256:aabb", "total": total, "completed": done}
        for done in range(0, total + 1, 100_000)
    ]
    steps += [{"status": "verifying sha256 digest"}, {"status": "success"}]
    for step in steps:
        await response.write(json.dumps(step).encode() + b"\n")
        if "sans-fin" in name and step.get("completed") == total // 2:
            await asyncio.Event().wait()  # until the client leaves
        await asyncio.sleep(0.005)
    full = name if ":" in name else f"{name}:latest"
    if full not in state.models:
        state.models.append(full)
    return response


async def delete(request: web.Request) -> web.Response:
    state = request.app[STATE]
    asked = str((await request.json()).get("model", ""))
    name = state.known(asked)
    if name is None:
        return missing(asked)
    state.models.remove(name)
    await state.unload(name)
    return web.Response()


async def tell_state(request: web.Request) -> web.Response:
    """Tell a test what goes on; with `?wait_idle=SECONDS`, once nothing goes on any more."""
    state = request.app[STATE]
    if wait := request.query.get("wait_idle"):
        try:
            async with asyncio.timeout(float(wait)), state.changed:
                await state.changed.wait_for(lambda: state.active == 0)
        except TimeoutError:
            pass
    return web.json_response(
        {
            "active": state.active,
            "total": state.total,
            "cancelled": state.cancelled,
            "loads": state.loads,
            "requests": state.requests,
            "loaded": sorted(state.loaded),
            "runners": {name: runner.pid for name, runner in state.runners.items()},
            "asked": state.asked,
            "most_open": state.most_open,
            "last_options": state.last_options,
            "last_body": state.last_body,
        },
    )


async def take_script(request: web.Request) -> web.Response:
    """Change what is done from now on: the names of Script and Behaviour, in JSON."""
    state = request.app[STATE]
    told = await request.json()
    try:
        state.script, state.behaviour = changed(state.script, state.behaviour, told)
    except KeyError as error:
        raise web.HTTPBadRequest(text=f"unknown: {error}") from None
    return web.json_response({})


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def counting(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count who asks for a page, and leave them waiting where it hangs."""
    state, page = request.app[STATE], request.path.rpartition("/")[2]
    if not request.path.startswith("/api/"):
        return await handler(request)
    state.asked[page] += 1
    state.open[page] += 1
    state.most_open[page] = max(state.most_open[page], state.open[page])
    try:
        if page in state.behaviour.hangs:
            await asyncio.Event().wait()
        return await handler(request)
    finally:
        state.open[page] -= 1


async def chat(request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    body = await request.json()
    state.requests += 1
    name = state.known(str(body.get("model", "")))
    if name is None:
        return missing(str(body.get("model", "")))
    messages: list[dict[str, Any]] = body.get("messages") or []
    asked = [str(item.get("content", "")) for item in messages if item.get("role") == "user"]
    script = state.script_of(asked[-1] if asked else "")
    if state.behaviour.status_times > 0:
        state.behaviour = replace(state.behaviour, status_times=state.behaviour.status_times - 1)
        error = "server busy, please try again.  maximum pending requests exceeded"
        return web.json_response({"error": error}, status=state.script.status)
    if script.status != state.script.status:
        return web.json_response({"error": "told to fail"}, status=script.status)
    state.last_body = body
    state.active += 1
    state.total += 1
    answer = Answer(state, request, body, name, script)
    try:
        return await answer.stream()
    except RunnerEnded as error:
        await state.unload(name)
        return await answer.end_with(str(error))
    except (asyncio.CancelledError, ConnectionError):
        state.cancelled += 1
        raise
    finally:
        state.active -= 1
        async with state.changed:
            state.changed.notify_all()


class Answer:
    """One answer being streamed."""

    def __init__(
        self,
        state: State,
        request: web.Request,
        body: dict[str, Any],
        name: str,
        script: Script,
    ) -> None:
        self._state = state
        self._request = request
        self._body = body
        self._script = script
        self._response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        model = json.dumps(name)
        head = f'{{"model":{model},"created_at":"{CREATED_AT}","message":{{"role":"assistant",'
        self._text_head = f'{head}"content":'
        self._thought_head = f'{head}"content":"","thinking":'
        self._tail = '},"done":false}\n'
        self._name = name

    async def stream(self) -> web.StreamResponse:
        # As in Ollama, no byte leaves before the first token, the headers neither.
        script = self._script
        started = time.perf_counter_ns()
        load_ns = await self._state.load(self._name, runner_options(self._body))
        if script.hang_before_first:
            await self._hang()
        read_started = time.perf_counter_ns()
        if script.first_token_delay:
            async with self._spinning():
                await asyncio.sleep(script.first_token_delay)
        read_ns = max(1, time.perf_counter_ns() - read_started)
        await self._response.prepare(self._request)
        write_started = time.perf_counter_ns()
        count, reason = await self._write_tokens()
        if reason is None:
            return self._response
        messages = self._body.get("messages") or []
        done = {
            "model": self._name,
            "created_at": CREATED_AT,
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": reason,
            "total_duration": time.perf_counter_ns() - started,
            "load_duration": load_ns or 21_000_000,
            "prompt_eval_count": sum(len(str(item.get("content", ""))) // 4 for item in messages),
            "prompt_eval_duration": read_ns,
            "eval_count": count,
            "eval_duration": max(1, time.perf_counter_ns() - write_started),
        }
        await self._response.write(json.dumps(done).encode() + b"\n")
        return self._response

    async def end_with(self, error: str) -> web.StreamResponse:
        """Tell an error as Ollama does: by its status before the first byte, else in a line."""
        if not self._response.prepared:
            return web.json_response({"error": error}, status=500)
        await self._response.write(json.dumps({"error": error}).encode() + b"\n")
        return self._response

    async def _hang(self) -> None:
        """Say nothing more, idle or spinning, until the client goes away."""
        async with self._spinning():
            await asyncio.Event().wait()

    @contextlib.asynccontextmanager
    async def _spinning(self) -> AsyncIterator[None]:
        """Burn a core in the runner meanwhile, where the script says so."""
        if not (self._script.spin or self._script.spin_on):
            yield
            return
        runner = await self._state.runner(self._name)
        await runner.ask("spin")
        try:
            yield
        finally:
            if not self._script.spin_on:
                await runner.ask("rest")

    async def _write_sliced(self, data: bytes) -> None:
        for byte in data:
            await self._response.write(bytes((byte,)))

    async def _write_tokens(self) -> tuple[int, str | None]:
        """Write the answer; the reason is None where it was told to end badly."""
        script = self._script
        limit = (self._body.get("options") or {}).get("num_predict", -1)
        write = self._write_sliced if script.sliced else self._response.write
        loop = asyncio.get_running_loop()
        next_at = loop.time()
        count = 0
        for head, token in self._tokens():
            if count and script.rate:
                next_at += 1 / script.rate
                await asyncio.sleep(next_at - loop.time())
            elif count % 16 == 0:
                await asyncio.sleep(0)  # `write` alone never lets another stream have its turn
            if count == limit:
                return count, "length"
            if await self._ends_badly(count):
                return count, None
            if runner := self._state.runners.get(self._name):
                await runner.ask("token")
            if script.stamp:
                token = f"{time.monotonic_ns()} "  # noqa: PLW2901 -- as late as can be
            encoded = json.dumps(token, ensure_ascii=False)
            await write(f"{head}{encoded}{self._tail}".encode())
            count += 1
        if await self._ends_badly(count):
            return count, None
        return count, "stop"

    def _tokens(self) -> Iterator[tuple[str, str]]:
        script = self._script
        thought = script.think and self._body.get("think") is not False
        if thought:
            yield from ((self._thought_head, token) for token in THOUGHT_TOKENS)
        answer = answer_tokens(script, self._body.get("messages") or [])
        if script.think_tags:
            answer = chain(["<th", "ink>\n"], THOUGHT_TOKENS, ["</thi", "nk>", "\n\n"], answer)
        for token in answer:
            yield self._text_head, token

    async def _ends_badly(self, count: int) -> bool:
        script = self._script
        if count == script.hang_after:
            await self._hang()
        if count == script.half_open_after:
            await self._go_deaf()
        if count == script.reset_after:
            self._reset()
            return True
        if count == script.crash_after:
            # What was written must be seen before the death, as with a real engine.
            await asyncio.sleep(0.05)
            os._exit(137)
        if count == script.error_after:
            line = {"error": "an error was encountered while running the model: told to"}
            await self._response.write(json.dumps(line).encode() + b"\n")
            return True
        if count == script.malformed_after:
            await self._response.write(b'{"model":"x","message":{"content":\n')
            return True
        if count == script.huge_line_after:
            block = b"x" * 65536
            await self._response.write(b'{"message":{"content":"')
            for _ in range(HUGE_LINE_BYTES // len(block)):
                await self._response.write(block)
            await self._response.write(b'"},"done":false}\n')
            return True
        return count == script.eof_after

    async def _go_deaf(self) -> None:
        """Neither read nor write any more, nor see that the client has gone."""
        transport = self._request.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        await asyncio.Event().wait()

    def _reset(self) -> None:
        """Close the connection with RST: what lingers for 0 s is thrown away."""
        transport = self._request.transport
        assert transport is not None
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()


def create_app(state: State) -> web.Application:
    app = web.Application(client_max_size=64 << 20, middlewares=[counting])
    app[STATE] = state
    app.add_routes(
        [
            web.get("/api/version", version),
            web.get("/api/tags", tags),
            web.get("/api/ps", running),
            web.post("/api/show", show),
            web.post("/api/chat", chat),
            web.post("/api/generate", generate),
            web.post("/api/pull", pull),
            web.delete("/api/delete", delete),
            web.get("/fake/state", tell_state),
            web.post("/fake/script", take_script),
        ],
    )
    return app


def parsed(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--models", default="couac:1b,couac:3b,couac-pense:1b")
    parser.add_argument("--load-seconds", type=float, default=0.0)
    parser.add_argument("--rate", type=float, default=0.0, metavar="TOKENS_PER_SECOND")
    parser.add_argument("--tokens", type=int, default=120)
    parser.add_argument("--first-token-delay", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--think", action="store_true")
    parser.add_argument("--think-tags", action="store_true", help="thoughts inside the content")
    parser.add_argument("--hang-before-first", action="store_true")
    for name in ("hang", "crash", "eof", "error", "malformed", "huge-line"):
        parser.add_argument(f"--{name}-after", type=int, metavar="TOKENS")
    parser.add_argument("--status", type=int, default=0)
    parser.add_argument("--status-times", type=int, default=1)
    parser.add_argument("--runner", choices=RUNNERS, default="")
    parser.add_argument("--deaf", action="store_true", help="ignore SIGTERM")
    parser.add_argument("--exit-at-start", type=int, metavar="STATUS")
    parser.add_argument("--script", type=json.loads, default={}, help="as POST /fake/script")
    return parser.parse_args(arguments)


async def serve(options: argparse.Namespace) -> None:
    known = {name: value for name, value in vars(options).items() if hasattr(Script, name)}
    behaviour = Behaviour(
        load_seconds=options.load_seconds,
        runner=options.runner,
        status_times=options.status_times if options.status else 0,
    )
    script, behaviour = changed(Script(**known), behaviour, options.script)
    state = State(script, behaviour, models=options.models.split(","))
    # A handler is cancelled when its client leaves: the work stops, as in Ollama.
    runner = web.AppRunner(create_app(state), handler_cancellation=True, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port, shutdown_timeout=0.1, backlog=1024)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    told = parsed(sys.argv[1:])
    if told.exit_at_start is not None:
        sys.exit(told.exit_at_start)
    if told.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(told))
