"""One attempt's calls to the engine: load the model, then stream the answer into the live turn."""

import asyncio
import logging
from contextlib import aclosing

from couachgptd.core.errors import AnswerInterrupted, EngineBusy
from couachgptd.core.models import ChatRequest, Finished, Loading, Reading, Text, Thought
from couachgptd.core.ports import Engine
from couachgptd.core.snapshots import Phase
from couachgptd.core.turns import TurnState
from couachgptd.services.attempts import Trying

log = logging.getLogger(__name__)

BUSY_DELAYS = (1.0, 2.0, 4.0)  # before an engine is asked again that has no room for us


async def load(engine: Engine, trying: Trying) -> float:
    """Bring the turn's model into memory; return the seconds."""
    clock = asyncio.get_running_loop().time
    began = clock()
    trying.live.enter(TurnState.LOADING)
    need = await engine.load(trying.model)
    if need is not None:
        log.warning("a model needs more memory than is free", extra={"model": trying.model})
    trying.enter(Phase.READ, clock())
    return round(clock() - began, 3)


async def stream(engine: Engine, trying: Trying, request: ChatRequest) -> Finished:
    """Write the answer; ask again a few times where somebody else has the engine's slots."""
    for delay in BUSY_DELAYS:
        try:
            return await _stream(engine, trying, request)
        except EngineBusy:
            await asyncio.sleep(delay)
    return await _stream(engine, trying, request)


async def _stream(engine: Engine, trying: Trying, request: ChatRequest) -> Finished:
    live, clock = trying.live, asyncio.get_running_loop().time
    async with aclosing(engine.chat(request)) as pieces:
        async for piece in pieces:
            match piece:
                case Text(text, tokens):
                    trying.wrote(tokens, clock())
                    live.write("text", text, tokens)
                case Thought(text, tokens):
                    trying.wrote(tokens, clock())
                    live.write("thinking", text, tokens)
                case Reading(tokens, total_tokens):
                    trying.read(tokens, total_tokens, clock())
                    live.read(tokens, total_tokens)
                case Loading():
                    trying.enter(Phase.LOAD, clock())
                    live.enter(TurnState.LOADING)
                case Finished():
                    return piece
    raise AnswerInterrupted(reason="no_final_frame")
