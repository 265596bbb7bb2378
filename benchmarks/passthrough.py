"""The baseline: a WebSocket in, Ollama's lines out as our messages; nothing is stored or shared.

Started by `benchmarks.relay`; its one argument is the address of an Ollama, and it prints its port.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

FIXTURES = Path(__file__).parent.parent / "tests" / "fixtures" / "protocol"
OLLAMA = web.AppKey("OLLAMA", str)
CLIENT = web.AppKey("CLIENT", aiohttp.ClientSession)
MODEL = "couac:1b"

Json = dict[str, Any]


def example(name: str) -> Json:
    """Return the protocol's example of a message: ours are as long."""
    found: Json = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    return found


HELLO = example("hello")
SNAPSHOT = example("snapshot") | {"messages": []}
MESSAGES = example("messages")
CONVERSATION = example("conversation")
TURN = example("turn")
TEXT = example("text")


async def open_socket(request: web.Request) -> web.StreamResponse:
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    await send(ws, HELLO)
    async for message in ws:
        await answer(request.app, ws, json.loads(message.data))
    return ws


async def send(ws: web.WebSocketResponse, message: Json) -> None:
    await ws.send_str(json.dumps(message, ensure_ascii=False, separators=(",", ":")))


async def answer(app: web.Application, ws: web.WebSocketResponse, asked: Json) -> None:
    ids = {"conversation": "q0Vb3yZrT6mXk2Ls", "question": 43, "answer": 44}
    await send(ws, {"type": "ok", "id": asked["id"], **ids})
    for message in (SNAPSHOT, MESSAGES, CONVERSATION, TURN):
        await send(ws, message)
    body = {
        "model": MODEL,
        "messages": [{"role": "user", "content": asked["text"]}],
        "stream": True,
        "options": {"num_predict": 10_000},
    }
    n = 120
    async with app[CLIENT].post(f"{app[OLLAMA]}/api/chat", json=body) as response:
        await send(ws, turn("writing"))
        async for line in response.content:
            token = json.loads(line)
            if token["done"]:
                break
            n += 1
            await send(ws, {**TEXT, "n": n, "d": token["message"]["content"]})
    await send(ws, turn("done", finished_at="2026-11-23T08:06:02Z"))


def turn(state: str, **changes: str) -> Json:
    return {**TURN, "turn": {**TURN["turn"], "state": state, **changes}}


async def serve(ollama_url: str) -> None:
    app = web.Application()
    app.router.add_get("/ws", open_socket)
    app[OLLAMA] = ollama_url
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:
        app[CLIENT] = client
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, backlog=1024).start()
        print(runner.addresses[0][1], flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
