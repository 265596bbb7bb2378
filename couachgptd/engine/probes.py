"""The questions that tell whether an engine serves, and what it holds."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from couachgptd.core.vitals import Failure, Probe, Slot
from couachgptd.engine.single import Single

LIVENESS_SECONDS = 2.0  # the worst seen of a busy llama.cpp: 38 ms
INVENTORY_SECONDS = 3.0
ANSWER_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an engine is now: our own child has another port and key after each start."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Page:
    status: int | None
    failure: Failure | None = None
    body: bytes = b""


class Probes:
    """A liveness page, which takes no lock of the engine's, and an inventory, which may wait."""

    def __init__(self, liveness_path: str, inventory_path: str) -> None:
        self._liveness_path = liveness_path
        self._inventory_path = inventory_path
        self._liveness = Single[Page](LIVENESS_SECONDS)
        self._inventory = Single[Page](INVENTORY_SECONDS)
        self._session: aiohttp.ClientSession | None = None

    async def liveness(self, endpoint: Endpoint) -> Probe:
        return (await self._look(self._liveness, endpoint, self._liveness_path))[0]

    async def inventory(self, endpoint: Endpoint) -> tuple[Probe, Any]:
        """Return how the question went and the JSON that came, None where none came."""
        probe, body = await self._look(self._inventory, endpoint, self._inventory_path)
        if not probe.is_ok:
            return probe, None
        try:
            return probe, json.loads(body)
        except ValueError:
            return probe, None

    async def close(self) -> None:
        await self._liveness.close()
        await self._inventory.close()
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _look(
        self, single: Single[Page], endpoint: Endpoint, path: str
    ) -> tuple[Probe, bytes]:
        asked = await single.ask(lambda: self._page(endpoint, path))
        page = asked.answer or Page(None, Failure.TIMEOUT)
        return Probe(asked.seconds, page.status, page.failure), page.body

    async def _page(self, endpoint: Endpoint, path: str) -> Page:
        url = endpoint.url.rstrip("/") + path
        try:
            async with self._http().get(url, headers=endpoint.headers) as response:
                return Page(response.status, body=await response.content.read(ANSWER_MAX_BYTES))
        except aiohttp.ClientConnectorError:
            return Page(None, Failure.REFUSED)
        except (aiohttp.ClientError, OSError, ValueError):
            return Page(None, Failure.LOST)

    def _http(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # A connection of its own for each: one that the server closed meanwhile would
                # look like a server that went away.
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session


def ollama_probes() -> Probes:
    """`/api/version` touches no lock; `/api/ps` takes the scheduler's (ollama 0.33, sched.go)."""
    return Probes("/api/version", "/api/ps")


def llama_probes() -> Probes:
    """`/health` is answered beside the work; `/slots` passes through the loop that decodes."""
    return Probes("/health", "/slots")


def models_in(answer: Any) -> tuple[str, ...] | None:
    """Return the names in an answer of `/api/ps`, each also as it may be asked for.

    Ollama lists `couac:latest` where somebody asked for `couac`.
    """
    rows = answer.get("models") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        return None
    names = [str(row.get("model", "")) for row in rows if isinstance(row, dict)]
    return tuple(dict.fromkeys(form for name in names for form in (name, short_name(name))))


def short_name(model: str) -> str:
    return model.removesuffix(":latest")


def slots_in(answer: Any) -> tuple[Slot, ...] | None:
    """Return the slots in an answer of `/slots`; an idle one has no counts."""
    if not isinstance(answer, list):
        return None
    return tuple(_slot(row) for row in answer if isinstance(row, dict))


def _slot(row: dict[str, Any]) -> Slot:
    written = row.get("next_token")
    first = written[0] if isinstance(written, list) and written else {}
    return Slot(
        is_busy=bool(row.get("is_processing")),
        read_tokens=_count(row.get("n_prompt_tokens_processed")),
        written_tokens=_count(first.get("n_decoded") if isinstance(first, dict) else None),
    )


def _count(value: Any) -> int:
    return value if isinstance(value, int) else 0
