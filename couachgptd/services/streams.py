"""Work for somebody who may go away: it ends with them, also while there is nothing to tell."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

LOOK_SECONDS = 0.5

Result = TypeVar("Result")


def has_left(transport: asyncio.BaseTransport | None) -> bool:
    """Say whether nobody is at the other end of a request any more."""
    return transport is None or transport.is_closing()


async def while_heard(
    work: Callable[[], Coroutine[Any, Any, Result]],
    check: Callable[[], None],
    *signals: asyncio.Future[None],
) -> Result:
    """Do it until it is done, or `check` raises: asked first, at each signal, twice a second.

    A write would tell much later that nobody is there: an engine that loads is silent for minutes.
    """
    check()
    task = asyncio.ensure_future(work())
    waited: set[asyncio.Future[Any]] = {task, *signals}
    try:
        while not task.done():
            await asyncio.wait(waited, timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                check()
        return task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})
