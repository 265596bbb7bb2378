"""Opens the engine that the configuration names, or the one that is there."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import aiohttp

from couachgptd.config import Config
from couachgptd.core.ports import Engine
from couachgptd.engine.late import LateEngine

log = logging.getLogger(__name__)

PROBE_SECONDS = 1.0


async def open_engine(config: Config) -> Engine:
    """Return the engine; the caller closes it.

    Only the chosen adapter is imported: the `ollama` package alone takes some 20 MB, and a
    quarter of a second, so that one only at its first use.
    """
    kind: str = config.engine.kind
    if kind == "auto":
        kind = "ollama" if await ollama_answers(config.ollama.url) else "embedded"
        log.info("engine chosen", extra={"kind": kind})
    if kind == "ollama":
        return LateEngine(lambda: _ollama(config))
    if kind == "llama-server":
        from couachgptd.engine.llama_server import LlamaServerEngine

        return LlamaServerEngine(config.engine, config.llama_server, config.watchdog)
    from couachgptd.engine.embedded import EmbeddedEngine

    return EmbeddedEngine(config.engine, config.embedded, config.watchdog, config.models_dir)


def _ollama(config: Config) -> Callable[[], Engine]:
    from couachgptd.engine.ollama import OllamaEngine

    return lambda: OllamaEngine(config.engine, config.ollama, config.watchdog)


@asynccontextmanager
async def opened_engine(config: Config) -> AsyncGenerator[Engine]:
    """Open the engine for as long as the context lasts, then release all it holds."""
    engine = await open_engine(config)
    try:
        yield engine
    finally:
        await engine.close()


async def ollama_answers(url: str) -> bool:
    """Say whether an Ollama answers there within about a second."""
    timeout = aiohttp.ClientTimeout(total=PROBE_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"{url.rstrip('/')}/api/version") as response,
        ):
            answer = await response.json(content_type=None)
            return isinstance(answer, dict) and "version" in answer
    except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
        return False
