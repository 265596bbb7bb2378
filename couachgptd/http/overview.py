"""How things are, told to an administrator's page again and again for as long as it looks."""

import asyncio
from collections.abc import Callable

from couachgptd.core import wire
from couachgptd.core.errors import CouachError
from couachgptd.core.ids import UserId
from couachgptd.core.ports import ControlClient
from couachgptd.core.wire import Json

EVERY_SECONDS = 2.0


async def keep_telling(
    control: ControlClient, on_behalf: UserId, tell: Callable[[str, Json], None]
) -> None:
    """Tell `overview` until cancelled; an answer that fails is told as its `error`."""
    while True:
        try:
            status, queue = await asyncio.gather(
                control.call("control.status", on_behalf),
                control.call("control.queue", on_behalf),
            )
            tell("overview", {"status": status, "queue": queue})
        except CouachError as error:
            tell("overview", {"error": wire.error(error)})
        await asyncio.sleep(EVERY_SECONDS)
