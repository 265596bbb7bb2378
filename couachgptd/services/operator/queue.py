"""The operator's verbs for the answers that are being written and those that wait."""

from couachgptd.core.errors import TurnNotFound
from couachgptd.core.ids import TurnId
from couachgptd.core.wire import Json
from couachgptd.services.live import LiveTurn
from couachgptd.services.operator.desk import Call, Desk

TOLD = ("state", "attempt", "model", "source", "place", "wait_seconds", "is_healing")


async def show(desk: Desk, _call: Call) -> Json:
    """Return who runs and who waits, without a word of what they asked."""
    lives = desk.runner.lives()
    return {
        "paused": desk.runner.is_paused,
        "is_held": desk.runner.is_held,
        "running": [await _line(desk, each) for each in lives if not each.is_queued],
        "waiting": [await _line(desk, each) for each in lives if each.is_queued],
    }


async def hold(desk: Desk, call: Call) -> Json:
    """Begin no more answers, or begin them again; what is asked meanwhile is kept."""
    is_on = call.flag("is_on")
    await desk.store.audit(call.actor, "queue.pause", {"is_on": is_on})
    await desk.orders.hold(is_on=is_on)
    return await show(desk, call)


async def cancel(desk: Desk, call: Call) -> Json:
    """End somebody's answer, or take it out of the queue. Raises NotFound."""
    named = call.names["turn"]
    live = desk.runner.live(TurnId(int(named))) if named.isdecimal() else None
    if live is None:
        raise TurnNotFound
    line = await _line(desk, live)
    detail = {"turn": live.turn.id, "asker": line["asker"]}
    await desk.store.audit(call.actor, "queue.cancel", detail)
    await desk.runner.stop(live.turn.id)
    return {"turn": line}


async def _line(desk: Desk, live: LiveTurn) -> Json:
    asker = live.turn.asker_id
    user = None if asker is None else await desk.store.user(asker)
    shape = live.shape()
    return {
        "turn": live.turn.id,
        "asker": user.login if user else None,
        **{name: shape[name] for name in TOLD},
    }
