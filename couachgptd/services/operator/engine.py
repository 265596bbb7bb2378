"""The operator's verbs for the engine and its watchdog."""

from couachgptd.core import wire
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk

INCIDENTS, INCIDENTS_MAX = 200, 2000


async def incidents(desk: Desk, call: Call) -> Json:
    limit = call.count("limit", INCIDENTS, INCIDENTS_MAX)
    return {
        "incidents": [
            {
                "at": wire.moment(each.at),
                "before": each.before,
                "after": each.after,
                "evidence": each.evidence,
            }
            for each in await desk.store.incidents(limit)
        ]
    }


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
