"""llama.cpp's HTTP server as a client sees it: one session to one server."""

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import aiohttp

from couachgptd import settings
from couachgptd.core.errors import (
    AnswerInterrupted,
    EngineRejected,
    EngineTimeout,
    EngineUnavailable,
)
from couachgptd.core.models import ChatRequest, Model, Piece, PromptMessage, Reading, Text, Thought
from couachgptd.engine.deadlines import Deadlines
from couachgptd.engine.gather import Gathering
from couachgptd.engine.openai_stream import UNAVAILABLE, OpenAIAnswer, classified
from couachgptd.engine.pictures import encoded
from couachgptd.engine.thinking import OPENING

CONNECT_SECONDS = 3.0
PROBE_SECONDS = 3.0
ANSWER_SECONDS = 10.0
ERROR_STATUS = 400
ERROR_MAX_BYTES = 65536
LENGTHS_KEPT = 4096  # texts whose length in tokens is remembered: the window of many chats

TIMEOUT = aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS)
PROBE_TEXT = "x"  # any text: what the template puts around it is what is measured


class LlamaClient:
    """Knows the server's paths and nothing of where the server comes from."""

    def __init__(self, url: str, api_key: str, deadlines: settings.Deadlines) -> None:
        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._deadlines = deadlines
        self._session: aiohttp.ClientSession | None = None
        self._lengths: dict[int, int] = {}
        self._shares: tuple[int, int, int] | None = None
        self._opens_thought: dict[bool | None, bool] = {}

    @property
    def url(self) -> str:
        return self._url

    async def is_ready(self) -> bool:
        """Say whether the model is loaded: 503 while it is not."""
        with self._our_errors():
            async with (
                asyncio.timeout(PROBE_SECONDS),
                self._http().get(f"{self._url}/health") as response,
            ):
                # A server of another make may have no such page; that it answers is enough.
                return response.status != UNAVAILABLE

    async def models(self) -> list[Model]:
        rows = (await self._ask("GET", "/v1/models")).get("data") or []
        return [model_of(row) for row in rows]

    async def slot_tokens(self) -> int | None:
        """Return what one slot holds, None where the server does not say."""
        defaults = (await self._ask("GET", "/props")).get("default_generation_settings") or {}
        tokens = defaults.get("n_ctx")
        return int(tokens) if tokens else None

    async def sees(self) -> bool:
        """Say whether the model takes pictures; one whose server does not say so is blind."""
        modalities = (await self._ask("GET", "/props")).get("modalities") or {}
        return isinstance(modalities, dict) and modalities.get("vision") is True

    async def chat(self, request: ChatRequest) -> AsyncGenerator[Piece]:
        """Stream one answer of a server that is ready."""
        limits = self._deadlines
        with Deadlines(limits.total_seconds) as deadlines, self._our_errors():
            yield Reading()
            phase, seconds = "read", limits.read_seconds
            opens_thought = await deadlines.wait(phase, seconds, self._template_opens(request))
            answer = OpenAIAnswer(request.model, starts_inside_thought=opens_thought)
            body = await chat_body(request, opens_thought=opens_thought)
            response = await deadlines.wait(
                phase, seconds, self._post("/v1/chat/completions", body)
            )
            try:
                if response.status >= ERROR_STATUS:
                    error = await deadlines.wait(phase, seconds, error_in(response))
                    raise classified(response.status, error, request.model)
                stream = Gathering(response)
                while answer.finished is None:
                    if phase == "gap":
                        await stream.rest()
                    chunk = await deadlines.wait(phase, seconds, stream.read())
                    for piece in answer.feed(chunk):
                        if phase == "read" and isinstance(piece, Text | Thought):
                            phase, seconds = "gap", limits.gap_seconds
                        yield piece
            finally:
                response.close()  # at once, whatever is still under way: this stops the work
            yield answer.finished

    async def count_tokens(self, messages: Sequence[PromptMessage]) -> list[int]:
        """Return exact lengths, plus the template's share as measured on this very template.

        What the template writes once (its beginning, a system message of its own, the opening of
        the answer) is counted with the first message.
        """
        if not messages:
            return []
        if self._shares is None:
            self._shares = await self._measured_shares()
        per_message, once_with_system, once_without = self._shares
        lengths = [await self._length_of(message.text) + per_message for message in messages]
        has_system = messages[0].speaker == "system"
        lengths[0] += once_with_system if has_system else once_without
        return lengths

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # No bound on connections: a probe must never wait behind the streams. None is
                # used twice: the server drops an idle one when it likes, and a question that
                # meets such a connection would be lost.
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=self._headers,
                timeout=TIMEOUT,
            )
        return self._session

    async def _post(self, path: str, body: dict[str, Any]) -> aiohttp.ClientResponse:
        return await self._http().post(f"{self._url}{path}", json=body)

    async def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        with self._our_errors():
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                self._http().request(method, f"{self._url}{path}", json=body) as response,
            ):
                if response.status >= ERROR_STATUS:
                    raise classified(response.status, await error_in(response), "")
                answer = await response.json(content_type=None)
        if not isinstance(answer, dict):
            raise EngineRejected(reason="not_llama_server")
        return answer

    @contextmanager
    def _our_errors(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            if isinstance(error, aiohttp.ServerTimeoutError):
                raise EngineUnavailable(address=self._url) from None
            raise EngineTimeout(phase="answer", seconds=ANSWER_SECONDS) from None
        except (aiohttp.ClientConnectorError, aiohttp.InvalidURL):
            raise EngineUnavailable(address=self._url) from None
        except (aiohttp.ClientError, ConnectionError):
            raise AnswerInterrupted(reason="connection_lost") from None
        except ValueError:
            raise EngineRejected(reason="not_llama_server") from None

    async def _length_of(self, text: str) -> int:
        key = hash(text)  # 64 bits, and a stranger's text is not kept in memory
        if key not in self._lengths:
            body = {"content": text, "add_special": False, "parse_special": True}
            answer = await self._ask("POST", "/tokenize", body)
            if len(self._lengths) >= LENGTHS_KEPT:
                self._lengths.clear()
            self._lengths[key] = len(answer.get("tokens") or ())
        return self._lengths[key]

    async def _prompt_length(self, *speakers: str) -> int:
        return await self._length_of(await self._prompt(list(speakers)))

    async def _prompt(self, speakers: list[str], *, think: bool | None = None) -> str:
        body: dict[str, Any] = {
            "messages": [{"role": speaker, "content": PROBE_TEXT} for speaker in speakers],
        }
        if think is not None:
            body["chat_template_kwargs"] = {"enable_thinking": think}
        return str((await self._ask("POST", "/apply-template", body)).get("prompt", ""))

    async def _measured_shares(self) -> tuple[int, int, int]:
        """Return the tokens per message, and once with and without a system message."""
        text = await self._length_of(PROBE_TEXT)
        short = await self._prompt_length("user")
        long = await self._prompt_length("user", "assistant", "user")
        per_message = max(0, -(-(long - short) // 2) - text)
        once_without = max(0, short - per_message - text)
        try:
            with_system = await self._prompt_length("system", "user")
        except EngineRejected:  # some templates refuse a system message
            return per_message, once_without, once_without
        return per_message, max(0, with_system - 2 * (per_message + text)), once_without

    async def _template_opens(self, request: ChatRequest) -> bool:
        """Say whether the template itself opens the thought, so that only its end is written."""
        if is_continuation(request):
            return False
        if request.think not in self._opens_thought:
            try:
                prompt = await self._prompt(["user"], think=request.think)
            except EngineRejected:
                prompt = ""
            self._opens_thought[request.think] = prompt.rstrip().endswith(OPENING)
        return self._opens_thought[request.think]


def is_continuation(request: ChatRequest) -> bool:
    return bool(request.messages) and request.messages[-1].speaker == "assistant"


async def chat_body(request: ChatRequest, *, opens_thought: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "model": request.model,
        "messages": [
            {"role": message.speaker, "content": _content(message.text, images)}
            for message, images in zip(
                request.messages, await encoded(request.messages), strict=True
            )
        ],
        "max_tokens": request.max_tokens,
        "id_slot": request.slot,
        "cache_prompt": True,
        "stream": True,
        "stream_options": {"include_usage": True},
        # Not for show only: it is also what lets a cancel be seen between two batches.
        "return_progress": True,
    }
    if opens_thought:
        # The server's parser does not know every template, so it is told to leave such text.
        body["reasoning_format"] = "none"
    # llama.cpp refuses to go on with an answer while thinking is on.
    think = False if is_continuation(request) else request.think
    if think is not None:
        body["chat_template_kwargs"] = {"enable_thinking": think}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.top_p is not None:
        body["top_p"] = request.top_p
    if request.seed is not None:
        body["seed"] = request.seed
    if request.stop:
        body["stop"] = list(request.stop)
    return body


def _content(text: str, images: list[tuple[str, str]]) -> Any:
    """Return what was written; with pictures it is a list, which text alone must not be."""
    if not images:
        return text
    addresses = [f"data:{kind};base64,{data}" for kind, data in images]
    shown = [{"type": "image_url", "image_url": {"url": address}} for address in addresses]
    return [*shown, {"type": "text", "text": text}]


async def error_in(response: aiohttp.ClientResponse) -> Any:
    """Return the error object of a refusal, or its text where it has none."""
    text = (await response.content.read(ERROR_MAX_BYTES)).decode(errors="replace")
    try:
        answer = json.loads(text)
    except ValueError:
        return text
    return answer.get("error", text) if isinstance(answer, dict) else text


def model_of(row: dict[str, Any]) -> Model:
    facts = row.get("meta") or {}
    size, context = facts.get("size"), facts.get("n_ctx_train")
    return Model(
        name=str(row.get("id", "")),
        size_bytes=int(size) if size else None,
        quantization=facts.get("ftype"),
        context_tokens=int(context) if context else None,
    )
