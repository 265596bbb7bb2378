"""Feels when our own event loop stood still: then the silence of others proves nothing."""

import asyncio

BEAT_SECONDS = 0.5


class Pulse:
    """Beats from the start of `beat` on; a pause is felt wherever in the loop it fell."""

    def __init__(self) -> None:
        self._due = float("inf")
        self._latest = 0.0

    async def beat(self) -> None:
        while True:
            self._due = _now() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self._feel()

    def late_seconds(self) -> float:
        """Return how late the latest beat was since this was last asked, one overdue included."""
        self._feel()
        late, self._latest = self._latest, 0.0
        return late

    def _feel(self) -> None:
        """Take in how late the next beat is by now; each pause counts once."""
        late = _now() - self._due
        if late > 0:
            self._latest = max(self._latest, late)
            self._due = _now()


def _now() -> float:
    return asyncio.get_running_loop().time()
