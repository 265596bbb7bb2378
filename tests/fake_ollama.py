"""A program that speaks Ollama's API over real HTTP, and hangs, breaks or dies when told to."""

import argparse
import asyncio
import contextlib
import json
import os
import re
import shlex
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain, cycle, islice
from typing import Any

from aiohttp import web

VERSION = "0.33.0"
CONTEXT_TOKENS = 8192
MODEL_BYTES = 1_117_320_768
HUGE_LINE_BYTES = 10 << 20
CREATED_AT = "2026-01-01T08:00:00.000000000Z"
EXPIRES_AT = "2036-01-01T08:00:00.000000000Z"
SCRIPT = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)

THOUGHT = (
    "La personne demande une réponse claire. Je commence par l'idée principale, "
    "puis je donne un exemple court avant de conclure. "
)
ANSWER = """\
Bien sûr ! Voici une réponse **claire** et structurée.

## Le principe

Chaque équipe garde *ses* habitudes, mais une règle simple aide tout le monde :

- écrire la question en une phrase ;
- donner un exemple réel ;
- vérifier la réponse avant de l'utiliser.

```python
def moyenne(valeurs: list[float]) -> float:
    \"\"\"Retourne la moyenne, ou 0 quand il n'y a rien.\"\"\"
    return sum(valeurs) / len(valeurs) if valeurs else 0.0
```

Le résultat se lit dans le tableau :

| mesure | valeur |
| --- | ---: |
| durée | 12,5 s |
| mémoire | 1,1 Go |

La formule $E = mc^2$ reste un bon exemple. Voilà, n'hésitez pas à demander la suite.

"""
TOKEN = re.compile(r"\s*[^\s]{1,6}|\s+")
ANSWER_TOKENS = TOKEN.findall(ANSWER)
THOUGHT_TOKENS = TOKEN.findall(THOUGHT)


@dataclass(frozen=True)
class Script:
    """What one answer does; the command line gives the default, a message may change it."""

    rate: float = 0.0
    tokens: int = 120
    first_token_delay: float = 0.0
    think: bool = False
    think_tags: bool = False
    echo: bool = False
    stamp: bool = False  # each token is the moment it is written, for benchmarks/relay
    hang_before_first: bool = False
    hang_after: int | None = None
    crash_after: int | None = None
    eof_after: int | None = None
    error_after: int | None = None
    malformed_after: int | None = None
    huge_line_after: int | None = None
    status: int = 0

    def told_by(self, message: str) -> "Script":
        """Return the script as the words in `[[...]]` of a message change it."""
        changes: dict[str, Any] = {}
        for words in SCRIPT.findall(message):
            for word in shlex.split(words):
                name, _, value = word.partition("=")
                name = name.replace("-", "_")
                if name in {"hang", "hang_before_first"}:
                    changes["hang_before_first"] = True
                elif name in {"echo", "stamp", "think", "think_tags"}:
                    changes[name] = True
                elif name in {"rate", "first_token_delay"}:
                    changes[name] = float(value)
                elif name in Script.__dataclass_fields__:
                    changes[name] = int(value)
        return replace(self, **changes) if changes else self


@dataclass
class State:
    """What the engine knows; `loads` and `requests` let a test count what was asked."""

    script: Script
    models: list[str]
    load_seconds: float
    statuses_left: int
    loaded: dict[str, dict[str, Any]] = field(default_factory=dict)
    loads: int = 0
    active: int = 0
    total: int = 0
    cancelled: int = 0
    requests: int = 0
    last_options: dict[str, Any] = field(default_factory=dict)
    last_body: dict[str, Any] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    def known(self, name: str) -> str | None:
        full = name if ":" in name else f"{name}:latest"
        return full if full in self.models else None

    async def load(self, name: str, options: dict[str, Any]) -> int:
        """Bring a model in, as slowly as told; return the nanoseconds it took."""
        self.last_options = options
        if self.loaded.get(name) == options:
            return 0
        started = time.perf_counter_ns()
        await asyncio.sleep(self.load_seconds)
        self.loaded[name] = options
        self.loads += 1
        return time.perf_counter_ns() - started


STATE = web.AppKey("STATE", State)
RUNNER_OPTIONS = ("num_ctx", "num_thread", "num_batch")  # another value of these is a reload


def answer_tokens(script: Script, messages: list[dict[str, Any]]) -> Iterator[str]:
    """Return the answer, token by token; a trailing assistant message is gone on with."""
    if script.echo:
        return iter(TOKEN.findall(json.dumps(messages, ensure_ascii=False)))
    said = ""
    if messages and messages[-1].get("role") == "assistant":
        said = str(messages[-1].get("content", ""))
    return islice(going_on_after(said), script.tokens)


def going_on_after(said: str) -> Iterator[str]:
    words = cycle(ANSWER_TOKENS)
    if said and (ANSWER * (len(said) // len(ANSWER) + 1)).startswith(said):
        while said:
            word = next(words)
            if len(word) > len(said):
                return chain([word[len(said) :]], words)
            said = said[len(word) :]
    return words


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
            "capabilities": ["completion", *(["thinking"] if thinks else [])],
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
        state.loaded.pop(name, None)
        return web.json_response(answer | {"done_reason": "unload"})
    await state.load(name, runner_options(body))
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
    state.loaded.pop(name, None)
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
            "last_options": state.last_options,
            "last_body": state.last_body,
        },
    )


async def chat(request: web.Request) -> web.StreamResponse:
    state = request.app[STATE]
    body = await request.json()
    state.requests += 1
    name = state.known(str(body.get("model", "")))
    if name is None:
        return missing(str(body.get("model", "")))
    messages: list[dict[str, Any]] = body.get("messages") or []
    asked = [str(item.get("content", "")) for item in messages if item.get("role") == "user"]
    script = state.script.told_by(asked[-1] if asked else "")
    if state.statuses_left > 0:
        state.statuses_left -= 1
        error = "server busy, please try again.  maximum pending requests exceeded"
        return web.json_response({"error": error}, status=state.script.status)
    if script.status != state.script.status:
        return web.json_response({"error": "told to fail"}, status=script.status)
    state.last_body = body
    state.active += 1
    state.total += 1
    try:
        return await Answer(state, request, body, name, script).stream()
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
            await asyncio.Event().wait()
        read_started = time.perf_counter_ns()
        if script.first_token_delay:
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

    async def _write_tokens(self) -> tuple[int, str | None]:
        """Write the answer; the reason is None where it was told to end badly."""
        script = self._script
        limit = (self._body.get("options") or {}).get("num_predict", -1)
        write = self._response.write
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
            await asyncio.Event().wait()
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


def create_app(state: State) -> web.Application:
    app = web.Application(client_max_size=64 << 20)
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
    return parser.parse_args(arguments)


async def serve(options: argparse.Namespace) -> None:
    known = {name: value for name, value in vars(options).items() if hasattr(Script, name)}
    state = State(
        script=Script(**known),
        models=options.models.split(","),
        load_seconds=options.load_seconds,
        statuses_left=options.status_times if options.status else 0,
    )
    # A handler is cancelled when its client leaves: the work stops, as in Ollama.
    runner = web.AppRunner(create_app(state), handler_cancellation=True, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port, shutdown_timeout=0.1, backlog=1024)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(parsed(sys.argv[1:])))
