"""The operator's verbs for models."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing

from couachgptd.core.errors import EngineRejected
from couachgptd.core.models import PullProgress
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk


async def listed(desk: Desk, _call: Call) -> Json:
    """Raises what keeps the engine from telling."""
    await desk.models.refresh()
    desk.models.require_known()
    return _list(desk)


async def fit(desk: Desk, call: Call) -> Json:
    shape = await desk.fitting.shape_of(call.names["model"])
    return {**shape, "load_seconds": await desk.orders.load_seconds(shape["model"])}


async def load(desk: Desk, call: Call) -> Json:
    async with _audited(desk, call, "model.load"):
        await desk.orders.load(call.names["model"])
    return _list(desk)


async def unload(desk: Desk, call: Call) -> Json:
    async with _audited(desk, call, "model.unload"):
        await desk.orders.unload(await desk.models.resolve(call.names["model"]))
    return _list(desk)


async def set_default(desk: Desk, call: Call) -> Json:
    async with _audited(desk, call, "model.default"):
        await desk.models.set_default(call.names["model"])
    return _list(desk)


async def change(desk: Desk, call: Call) -> Json:
    """Change who is offered a model, and its options, from the next answer on.

    Raises ModelMissing, or why the engine will not tell which it has; BadRequest, OptionInvalid;
    EngineRejected for a context where the engine takes none.
    """
    model = call.names["model"]
    async with desk.audited(call, "model.set", model=model, **call.body):
        await desk.models.require_listed(model)
        chosen = call.body.get("context_tokens")
        if chosen is not None and desk.models.status.kind == "llama-server":
            raise EngineRejected(reason="context_unsupported", model=model)
        before = desk.rules.context_tokens(model)
        await desk.rules.change(model, call.body)
        if desk.rules.context_tokens(model) != before:
            # Loaded anew for the next answer, once those under way have ended.
            desk.runner.engine_holds(None)
        desk.models.changed()
    return _list(desk)


async def delete(desk: Desk, call: Call) -> Json:
    async with _audited(desk, call, "model.rm"):
        await desk.orders.delete(call.names["model"])
    return _list(desk)


async def pull(desk: Desk, call: Call) -> AsyncGenerator[Json]:
    """Tell how far a download is; it ends with the one who asked for it."""
    async with (
        _audited(desk, call, "model.pull"),
        aclosing(desk.orders.pull(call.names["model"])) as steps,
    ):
        async for step in steps:
            yield _progress(step)
    yield {"type": "done"}


async def starters(desk: Desk, _call: Call) -> Json:
    """Raises ConfigInvalid where the catalogue has a mistake."""
    return {"starters": await desk.starters.shapes()}


async def fetch(desk: Desk, call: Call) -> AsyncGenerator[Json]:
    """Tell how far the download of a starter model is; it ends with the one who asked for it."""
    name = call.names["starter"]
    async with (
        desk.audited(call, "model.fetch", starter=name),
        aclosing(desk.starters.fetch(name)) as steps,
    ):
        async for step in steps:
            yield _progress(step)
    yield {"type": "done"}


def _progress(step: PullProgress) -> Json:
    return {
        "type": "progress",
        "stage": step.stage,
        "bytes": step.done_bytes,
        "total_bytes": step.total_bytes,
    }


def _audited(desk: Desk, call: Call, verb: str) -> AbstractAsyncContextManager[None]:
    return desk.audited(call, verb, model=call.names["model"])


def _list(desk: Desk) -> Json:
    return {
        "models": [{**each, **desk.rules.shape(each["name"])} for each in desk.models.shapes()],
        "default": desk.models.default,
        "option_defaults": desk.rules.defaults,
    }
