"""Keeps growing answers and their ends, and tries again where the store could not take them."""

import asyncio
import logging
from collections.abc import Iterable
from math import inf

from couachgptd.core.ports import Store
from couachgptd.services.live import LiveTurn

log = logging.getLogger(__name__)

# A crash loses at most this much of an answer, plus one commit.
KEEP_SECONDS = 0.8


class Keeper:
    def __init__(self, store: Store) -> None:
        self._store = store
        self.ticked_at = inf  # on the loop's clock; before its first tick it is not late
        self._unkept: list[LiveTurn] = []  # ended, while the store could not be written

    async def keep_growing(self, lives: Iterable[LiveTurn]) -> None:
        """Keep what has grown, again and again; `lives` is looked at anew each time."""
        while True:
            self.ticked_at = asyncio.get_running_loop().time()
            await asyncio.sleep(KEEP_SECONDS)
            await self.keep_ends()
            await self.keep_grown(lives)

    async def keep_grown(self, lives: Iterable[LiveTurn]) -> None:
        grown = [live for live in lives if live.is_dirty]
        if not grown:
            return
        for live in grown:
            live.is_dirty = False
        try:
            await self._store.save_progress(
                [(live.so_far, live.text, live.thinking) for live in grown]
            )
        except Exception:  # whatever it is, the turns go on and the next try may work
            log.exception("growing answers could not be kept; trying again")
            for live in grown:
                live.is_dirty = True

    async def keep_end(self, live: LiveTurn) -> None:
        """Keep the end of a turn; one that the store cannot take now is kept later."""
        try:
            await self._store.finish_turn(live.turn, live.text, live.thinking)
        except Exception:  # the edge of a turn: a fault in one must not end the others
            # Without its end the conversation would take no other question.
            log.exception("the end of a turn could not be kept", extra={"turn": live.turn.id})
            self._unkept.append(live)

    async def keep_ends(self) -> None:
        """Try again to keep what the store could not take."""
        for live in self._unkept.copy():
            try:
                await self._store.finish_turn(live.turn, live.text, live.thinking)
            except Exception:  # noqa: BLE001, S112 -- told when it failed first; the next try may work
                continue
            self._unkept.remove(live)
