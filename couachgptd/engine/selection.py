"""Opens the engine that the configuration names, or the one that is there."""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import aiohttp

from couachgptd.core.ports import Engine, EngineControl
from couachgptd.engine.addresses import is_on_this_machine
from couachgptd.engine.contexts import ContextOf, no_choice
from couachgptd.engine.late import LateEngine
from couachgptd.engine.probes import llama_probes, ollama_probes
from couachgptd.engine.systemd import Systemctl
from couachgptd.settings import Config

log = logging.getLogger(__name__)

PROBE_SECONDS = 1.0
UNIT = "ollama.service"  # as Ollama's own installer names it


async def open_engine(config: Config, chosen_context: ContextOf = no_choice) -> Engine:
    """Return the engine; the caller closes it.

    `chosen_context` tells the context that was chosen for a model, if one was.
    Only the chosen adapter is imported: the `ollama` package alone takes some 20 MB, and a
    quarter of a second, so that one only at its first use.
    """
    kind: str = config.engine.kind
    if kind == "auto":
        kind = "ollama" if await ollama_answers(config.ollama.url) else "embedded"
        log.info("engine chosen", extra={"kind": kind})
    if kind == "ollama":
        return LateEngine(lambda: _ollama(config, chosen_context))
    if kind == "llama-server":
        from couachgptd.engine.llama_server import LlamaServerEngine

        return LlamaServerEngine(config.engine, config.llama_server, config.deadlines)
    from couachgptd.engine.embedded import EmbeddedEngine

    return EmbeddedEngine(
        config.engine,
        config.embedded,
        config.deadlines,
        config.models_dir,
        chosen_context=chosen_context,
    )


def _ollama(config: Config, chosen_context: ContextOf) -> Callable[[], Engine]:
    from couachgptd.engine.ollama import OllamaEngine

    return lambda: OllamaEngine(
        config.engine, config.ollama, config.deadlines, chosen_context=chosen_context
    )


@asynccontextmanager
async def opened_engine(
    config: Config, chosen_context: ContextOf = no_choice
) -> AsyncGenerator[Engine]:
    """Open the engine for as long as the context lasts, then release all it holds."""
    engine = await open_engine(config, chosen_context)
    try:
        yield engine
    finally:
        await engine.close()


async def open_control(config: Config, engine: Engine) -> EngineControl:
    """Return the control of an engine that `open_engine` returned; the caller closes it.

    An Ollama on this machine with a unit is its unit's; one started by hand is not ours to kill.
    """
    from couachgptd.engine import control
    from couachgptd.engine.embedded import EmbeddedEngine

    if isinstance(engine, EmbeddedEngine):
        return control.OwnChildControl(engine)
    if not isinstance(engine, LateEngine):
        there = config.llama_server
        return control.RemoteControl(there.url, llama_probes(), None, there.api_key)
    url = config.ollama.url
    systemctl = Systemctl(UNIT)
    unit = await systemctl.show() if is_on_this_machine(url) else None
    if unit is not None and unit.is_found:
        return control.UnitControl(url, engine, systemctl)
    return control.RemoteControl(url, ollama_probes(), engine)


@asynccontextmanager
async def opened_control(config: Config, engine: Engine) -> AsyncGenerator[EngineControl]:
    control = await open_control(config, engine)
    try:
        yield control
    finally:
        await control.close()


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
