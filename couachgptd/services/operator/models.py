"""The operator's verbs for models."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk


async def listed(desk: Desk, _call: Call) -> Json:
    """Raises what keeps the engine from telling."""
    await desk.models.refresh()
    desk.models.require_known()
    return _list(desk)


async def load(desk: Desk, call: Call) -> Json:
    await _note(desk, call, "model.load")
    await desk.orders.load(call.names["model"])
    return _list(desk)


async def unload(desk: Desk, call: Call) -> Json:
    await _note(desk, call, "model.unload")
    await desk.orders.unload(await desk.models.resolve(call.names["model"]))
    return _list(desk)


async def set_default(desk: Desk, call: Call) -> Json:
    await desk.models.set_default(call.names["model"])
    await _note(desk, call, "model.default")
    return _list(desk)


async def delete(desk: Desk, call: Call) -> Json:
    await _note(desk, call, "model.rm")
    await desk.orders.delete(call.names["model"])
    return _list(desk)


async def pull(desk: Desk, call: Call) -> AsyncGenerator[Json]:
    """Tell how far a download is; it ends with the one who asked for it."""
    await _note(desk, call, "model.pull")
    async with aclosing(desk.orders.pull(call.names["model"])) as steps:
        async for step in steps:
            yield {
                "type": "progress",
                "stage": step.stage,
                "bytes": step.done_bytes,
                "total_bytes": step.total_bytes,
            }
    yield {"type": "done"}


async def _note(desk: Desk, call: Call, verb: str) -> None:
    await desk.store.audit(call.actor, verb, {"model": call.names["model"]})


def _list(desk: Desk) -> Json:
    return {"models": desk.models.shapes(), "default": desk.models.default}
