"""The operator's verbs for the daemon itself."""

from couachgptd.core.errors import RestartUnavailable
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk

DRAIN_MAX_SECONDS = 600.0


async def restart(desk: Desk, call: Call) -> Json:
    """Let the answers under way end, then begin anew. Raises RestartUnavailable."""
    if not desk.shutdown.can_restart:
        raise RestartUnavailable
    return await _end(desk, call, "restart", is_restart=True)


async def drain(desk: Desk, call: Call) -> Json:
    """Take no more questions, let the answers under way end, then end the daemon."""
    return await _end(desk, call, "drain", is_restart=False)


async def _end(desk: Desk, call: Call, verb: str, *, is_restart: bool) -> Json:
    seconds = call.number("drain_seconds", None, DRAIN_MAX_SECONDS)
    await desk.store.audit(call.actor, verb, {"drain_seconds": seconds})
    desk.shutdown.request(restart=is_restart, drain_seconds=seconds)
    return {"running": desk.runner.running_turns, "drain_seconds": desk.shutdown.drain_seconds}
