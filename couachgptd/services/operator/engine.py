"""The operator's verbs for the engine and its watchdog."""

from couachgptd.core import wire
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk

INCIDENTS, INCIDENTS_MAX = 200, 2000


async def show(desk: Desk, _call: Call) -> Json:
    """Return all that is known of the engine, as the watchdog last saw it."""
    status, seen = desk.models.status, desk.watch.seen
    state, reason, since = desk.models.state
    meters = seen.meters if seen else None
    unit = seen.unit if seen else None
    return {
        "kind": status.kind,
        "address": status.address,
        "is_up": status.is_up,
        "version": status.version,
        "detail": status.detail,
        "state": state,
        "reason": reason,
        "since": wire.moment(since),
        "is_maintenance": desk.watch.is_maintenance,
        "is_stopped": desk.watch.is_stopped or (unit is not None and unit.was_stopped_by_a_person),
        "model": desk.models.default,
        "loaded": [
            {
                "name": each.name,
                "memory_bytes": each.memory_bytes,
                "context_tokens": each.context_tokens,
            }
            for each in desk.models.loaded
        ],
        "quarantined": sorted(desk.watch.state.quarantined_models),
        "pid": seen.process.pid if seen else None,
        "unit": unit and {"state": unit.active_state, "result": unit.result},
        "cpu_cores": meters and meters.cpu_cores,
        "memory_bytes": meters and meters.memory_bytes,
        "processes": meters and meters.processes,
    }


async def start(desk: Desk, call: Call) -> Json:
    async with desk.audited(call, "engine.start"):
        await desk.orders.start()
    return {"engine": desk.models.engine_shape()}


async def stop(desk: Desk, call: Call) -> Json:
    async with desk.audited(call, "engine.stop"):
        await desk.orders.stop()
    return {"engine": desk.models.engine_shape()}


async def restart(desk: Desk, call: Call) -> Json:
    async with desk.audited(call, "engine.restart"):
        await desk.orders.restart()
    return {"engine": desk.models.engine_shape()}


async def unload(desk: Desk, call: Call) -> Json:
    async with desk.audited(call, "engine.unload"):
        unloaded = await desk.orders.unload()
    return {"engine": desk.models.engine_shape(), "unloaded": unloaded}


async def incidents(desk: Desk, call: Call) -> Json:
    limit = call.count("limit", INCIDENTS, INCIDENTS_MAX)
    return {"incidents": [wire.incident(each) for each in await desk.store.incidents(limit)]}


async def reset(desk: Desk, call: Call) -> Json:
    """Forget failures, restarts, quarantines: somebody says that it is mended."""
    await desk.store.audit(call.actor, "engine.reset", {})
    desk.watch.reset()
    return {"engine": desk.models.engine_shape()}


async def set_maintenance(desk: Desk, call: Call) -> Json:
    is_on = call.flag("is_on")
    await desk.store.audit(call.actor, "engine.maintenance", {"is_on": is_on})
    desk.watch.maintain(is_on=is_on)
    return {"engine": desk.models.engine_shape()}
