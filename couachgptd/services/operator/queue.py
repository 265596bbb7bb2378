"""The operator's verbs for the answers that are being written and those that wait."""

from couachgptd.core.wire import Json
from couachgptd.services.live import LiveTurn
from couachgptd.services.operator.desk import Call, Desk

TOLD = ("state", "attempt", "model", "source", "place", "wait_seconds", "is_healing")


async def show(desk: Desk, _call: Call) -> Json:
    """Return who runs and who waits, without a word of what they asked."""
    lives = desk.runner.lives()
    return {
        "paused": desk.runner.is_paused,
        "running": [await _line(desk, each) for each in lives if not each.is_queued],
        "waiting": [await _line(desk, each) for each in lives if each.is_queued],
    }


async def _line(desk: Desk, live: LiveTurn) -> Json:
    asker = live.turn.asker_id
    user = None if asker is None else await desk.store.user(asker)
    shape = live.shape()
    return {
        "turn": live.turn.id,
        "asker": user.login if user else None,
        **{name: shape[name] for name in TOLD},
    }
