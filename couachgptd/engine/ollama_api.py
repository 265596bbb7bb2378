"""The `ollama` client as we use it: a cheap transport, lines read by ourselves, our errors."""

import json
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import aiohttp
import httpx
import ollama
from httpx_aiohttp import AiohttpTransport

from couachgptd.core.errors import (
    AnswerInterrupted,
    ContextExceeded,
    EngineBusy,
    EngineCpuUnsupported,
    EngineError,
    EngineKilled,
    EngineRejected,
    EngineTimeout,
    EngineUnavailable,
    ModelBroken,
    ModelMissing,
)
from couachgptd.engine.lines import LINE_MAX_BYTES, LineCutter

CONNECT_SECONDS = 3.0
WRITE_SECONDS = 10.0
POOL_SECONDS = 3.0
NOT_FOUND = 404
UNAVAILABLE = 503
REASON_MAX_LENGTH = 300  # enough to search for; an error may quote a whole template

# Reading has no limit here: before the first token Ollama sends no byte at all, and how long
# that may last depends on the phase, which only the caller knows.
TIMEOUT = httpx.Timeout(connect=CONNECT_SECONDS, write=WRITE_SECONDS, pool=POOL_SECONDS, read=None)


decoded = json.JSONDecoder().decode


def _new_session() -> aiohttp.ClientSession:
    # No bound on connections: the queue is ours, and a probe must never wait behind streams.
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
    )


class OllamaClient(ollama.AsyncClient):
    """The client of the `ollama` package, and two calls that it lacks.

    Its own stream makes a pydantic object of each token, some 10 ms of CPU per 1,000 tokens
    more than reading the lines of the same connection, and puts no bound on a line's length.
    """

    def __init__(self, url: str) -> None:
        # `verify` is the transport's own context, unused since the session brings its own; True
        # would read every root certificate at each start.
        transport = AiohttpTransport(verify=False, client=_new_session)
        super().__init__(url, timeout=TIMEOUT, transport=transport)

    async def version(self) -> str:
        response = await self._client.get("/api/version")
        response.raise_for_status()
        answer = response.json()
        if not isinstance(answer, dict):
            raise ValueError("not an object")  # noqa: TRY004 -- as json says of what is no JSON
        return str(answer.get("version", ""))

    @asynccontextmanager
    async def open_chat(self, body: Mapping[str, Any]) -> AsyncGenerator["ChatStream"]:
        """Send the request; leaving the context closes the connection, which cancels the work."""
        request = self._client.build_request("POST", "/api/chat", json=dict(body))
        stream = ChatStream(self._client, request)
        try:
            yield stream
        finally:
            await stream.close()


class ChatStream:
    """The lines of one answer as they come."""

    def __init__(self, client: httpx.AsyncClient, request: httpx.Request) -> None:
        self._client = client
        self._request = request
        self._response: httpx.Response | None = None
        self._chunks: AsyncGenerator[bytes] | None = None
        self._lines = LineCutter()

    async def read(self) -> list[dict[str, Any]] | None:
        """Return the lines that came next, at least one; None at the end of the stream."""
        chunks = self._chunks or await self._start()
        while True:
            chunk = await anext(chunks, None)
            if chunk is None:
                rest = self._lines.rest()
                return [parsed(rest)] if rest.strip() else None
            if lines := [parsed(line) for line in self._lines.feed(chunk) if line]:
                return lines

    async def _start(self) -> AsyncGenerator[bytes]:
        response = await self._client.send(self._request, stream=True)
        self._response = response
        if response.is_error:
            text = b""
            async for chunk in response.aiter_raw():
                text += chunk
                if len(text) > LINE_MAX_BYTES:
                    break
            raise ollama.ResponseError(text.decode(errors="replace"), response.status_code)
        self._chunks = response.aiter_raw()  # type: ignore[assignment]  # it is a generator
        return self._chunks  # type: ignore[return-value]

    async def close(self) -> None:
        if self._chunks is not None:
            await self._chunks.aclose()
        if self._response is not None:
            await self._response.aclose()


def parsed(line: bytes) -> dict[str, Any]:
    """Return one line of an answer. Raises AnswerInterrupted if it is no JSON object."""
    try:
        part = json.loads(line.decode())  # bytes would cost a third more: it guesses
    except ValueError:
        raise AnswerInterrupted(reason="malformed_line") from None
    if not isinstance(part, dict):
        raise AnswerInterrupted(reason="malformed_line")
    return part


@contextmanager
def our_errors(url: str, model: str = "") -> Iterator[None]:
    """Turn what the libraries raise into EngineErrors."""
    try:
        yield
    except ollama.ResponseError as error:
        raise classified(error.error, error.status_code, model) from None
    except ConnectionError:  # what the ollama package makes of a refused connection
        raise EngineUnavailable(address=url) from None
    except httpx.TransportError as error:
        # The transport calls every lost connection a failed one: only its cause tells a server
        # that is not there from one that went away with our request.
        lost = aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError
        if isinstance(error, httpx.ReadError) or isinstance(error.__cause__, lost):
            raise AnswerInterrupted(reason="connection_lost") from None
        raise EngineUnavailable(address=url) from None
    except aiohttp.ClientError:
        raise AnswerInterrupted(reason="connection_lost") from None
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        raise EngineRejected(reason=type(error).__name__) from None
    except (ValueError, TypeError):  # no JSON, or not of the shape the package knows
        raise EngineRejected(reason="not_ollama") from None


SIGNAL_NAME = re.compile(r"signal: (killed|[a-z ]+)")
TOKENS_OVER = re.compile(r"(\d+) tokens\).*?\((\d+) tokens\)")


def classified(text: str, status: int, model: str) -> EngineError:
    """Return the error that Ollama's status and words stand for."""
    reason = " ".join(text.split())[:REASON_MAX_LENGTH]
    lower = text.lower()
    if status == NOT_FOUND or "file does not exist" in lower:
        return ModelMissing(model=model)
    if (
        status == UNAVAILABLE
        or "maximum pending requests" in lower
        or "no slots available" in lower
    ):
        return EngineBusy()
    if "illegal instruction" in lower:
        return EngineCpuUnsupported()
    if "has terminated" in lower or "unexpectedly stopped" in lower:
        name = SIGNAL_NAME.search(lower)
        return EngineKilled(signal="SIGKILL" if name and name[1] == "killed" else "unknown")
    if "exceeds the available context size" in lower:
        numbers = TOKENS_OVER.search(text)
        tokens, limit = (int(numbers[1]), int(numbers[2])) if numbers else (None, None)
        return ContextExceeded(tokens=tokens, limit_tokens=limit)
    if "timed out waiting for" in lower:
        return EngineTimeout(phase="load", seconds=None)
    if "unable to load model" in lower or "invalid file magic" in lower:
        return ModelBroken(model=model, reason=reason)
    return EngineRejected(reason=reason)
