"""The client's side: many people, each with a socket, who ask and note when each token came."""

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from benchmarks.programs import Program

ANSWER_SECONDS = 120.0
OPEN_AT_ONCE = 20


@dataclass(slots=True)
class Answer:
    """What one stream saw; seconds. A token's latency counts from when the fake wrote it."""

    first: float = 0.0
    latencies: list[float] = field(default_factory=list)
    error: str | None = None


class Stream:
    """One person's socket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def hello(self) -> None:
        """Read on until the server has said hello and knows a model to answer with."""
        while True:
            message = json.loads(await self._socket.receive_str(timeout=ANSWER_SECONDS))
            if message["type"] in {"hello", "engine"} and message["default_model"]:
                return

    async def send(self, text: str) -> None:
        question = {
            "type": "chat.ask",
            "id": 1,
            "client_id": secrets.token_hex(16),
            "conversation": None,
            "parent": None,
            "model": None,
            "text": text,
        }
        await self._socket.send_str(json.dumps(question))

    async def ask(self, *, tokens: int, rate: float) -> Answer:
        answer = Answer()
        text = f"Et les coûts ? [[stamp tokens={tokens} rate={rate:g}]]"
        try:
            async with asyncio.timeout(ANSWER_SECONDS + (tokens / rate if rate else 0)):
                began = time.monotonic_ns()
                await self.send(text)
                await self._read(answer, began)
        except TimeoutError:
            answer.error = "timeout"
        except (aiohttp.ClientError, ConnectionError) as error:
            answer.error = type(error).__name__
        if answer.error is None and len(answer.latencies) != tokens:
            answer.error = f"{len(answer.latencies)} tokens instead of {tokens}"
        return answer

    async def overhear(self, heard: Counter[str]) -> None:
        """Count messages by type, and the stages that a question comes to, until cancelled."""
        async for message in self._socket:
            event: dict[str, Any] = json.loads(message.data)
            heard[event["type"]] += 1
            if event["type"] == "turn":
                heard[event["turn"]["state"]] += 1
            elif event["type"] == "text":
                heard["letters"] += len(event["d"])

    async def _read(self, answer: Answer, began: int) -> None:
        async for message in self._socket:
            now = time.monotonic_ns()
            event: dict[str, Any] = json.loads(message.data)
            match event["type"]:
                case "text":
                    if not answer.latencies:
                        answer.first = (now - began) / 1e9
                    answer.latencies += [(now - int(stamp)) / 1e9 for stamp in event["d"].split()]
                case "turn" if event["turn"]["finished_at"]:
                    state = event["turn"]["state"]
                    answer.error = None if state == "done" else f"turn {state}"
                    return
                case "error":
                    answer.error = event["code"]
                    return
        answer.error = "closed"


@asynccontextmanager
async def opened_streams(program: Program, count: int) -> AsyncGenerator[list[Stream]]:
    """Open a socket for each of `count` people, with compression off."""
    gate = asyncio.Semaphore(OPEN_AT_ONCE)

    async def opened(number: int) -> Stream:
        headers = {"Origin": program.url}
        if program.cookies:
            headers["Cookie"] = f"couachgpt={program.cookies[number]}"
        async with gate:
            socket = await stack.enter_async_context(
                session.ws_connect(f"{program.url}/ws", headers=headers, max_msg_size=0)
            )
            stream = Stream(socket)
            await stream.hello()
        return stream

    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
            )
        )
        yield await asyncio.gather(*(opened(number) for number in range(count)))


async def ask_all(
    streams: list[Stream], *, tokens: int, rate: float, over_seconds: float
) -> list[Answer]:
    """Let every stream ask once, the starts spread evenly."""

    async def ask(number: int, stream: Stream) -> Answer:
        await asyncio.sleep(over_seconds * number / len(streams))
        return await stream.ask(tokens=tokens, rate=rate)

    return await asyncio.gather(*(ask(number, stream) for number, stream in enumerate(streams)))


async def ask_in_turn(stream: Stream, times: int) -> list[Answer]:
    """Let one stream ask again and again: what a start costs when nothing else goes on."""
    answers: list[Answer] = []
    for _ in range(times):
        answers.append(await stream.ask(tokens=1, rate=0))
        await asyncio.sleep(0.02)  # so that the end of the one is not the start of the next
    return answers
