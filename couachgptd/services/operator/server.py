"""The operator's verbs for the daemon itself."""

import asyncio
import sys
import threading
import traceback
from collections.abc import AsyncGenerator
from contextlib import aclosing

from couachgptd.core.errors import LogUnavailable, RestartUnavailable
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk
from couachgptd.services.operator.queue import show as queue

DRAIN_MAX_SECONDS = 600.0
LINES, LINES_MAX = 200, 2000
LOOK_SECONDS = 1.0
FRAMES = 12  # of a stack, the innermost


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


# settings


async def show_config(desk: Desk, _call: Call) -> Json:
    """Return every setting; one that an administrator changed in the page wins over the file."""
    answer = desk.settings.show()
    stored = {each["name"]: each for each in desk.site.shapes() if each["source"] == "stored"}
    for setting in answer["settings"]:
        if setting["key"] in stored:
            setting |= {"value": stored[setting["key"]]["value"], "origin": "stored"}
    return answer


async def reload_config(desk: Desk, call: Call) -> Json:
    """Raises ConfigInvalid."""
    answer = await asyncio.to_thread(desk.settings.reload)
    await desk.store.audit(call.actor, "config.reload", answer)
    return answer


# what happens


async def logs(desk: Desk, call: Call) -> AsyncGenerator[Json]:
    """Tell the last lines of the daemon's log and, where it is wanted, each that comes."""
    count = call.count("lines", LINES, LINES_MAX)
    if call.query.get("follow") != "1":
        for line in desk.log.lines(count):
            yield {"type": "line", "text": line}
        yield {"type": "end"}
        return
    async with aclosing(desk.log.follow(count)) as coming:
        for line in await anext(coming):
            yield {"type": "line", "text": line}
        yield {"type": "now"}
        async for lines in coming:
            for line in lines:
                yield {"type": "line", "text": line}


async def engine_log(desk: Desk, call: Call) -> Json:
    """Raises LogUnavailable."""
    lines = await desk.orders.log(call.count("lines", LINES, LINES_MAX))
    if lines is None:
        raise LogUnavailable
    return {"lines": lines}


async def events(desk: Desk, call: Call) -> AsyncGenerator[Json]:
    """Tell what is so, then each change of it: the engine, the queue, who is on line, the end."""
    told: Json = {}
    while True:
        now: dict[str, Json] = {
            "engine": {"engine": {**desk.models.engine_shape(), "state": desk.models.state[0]}},
            "queue": {"queue": await queue(desk, call)},
            "online": {"online": len(desk.topics.people), "pages": desk.topics.sockets},
            "stopping": {"is_stopping": desk.shutdown.is_requested},
        }
        for kind, fields in now.items():
            if told.get(kind) != fields:
                yield {"type": kind, **fields}
        told = now
        await asyncio.sleep(LOOK_SECONDS)


async def dump(_desk: Desk, _call: Call) -> Json:
    """Tell what every task and thread is at; stacks hold places in the code, never values."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return {
        "tasks": [
            {
                "name": task.get_name(),
                "stack": [
                    f"{frame.f_code.co_filename}:{frame.f_lineno} {frame.f_code.co_qualname}"
                    for frame in task.get_stack(limit=FRAMES)
                ],
            }
            for task in sorted(asyncio.all_tasks(), key=lambda task: task.get_name())
        ],
        "threads": [
            {
                "name": names.get(number, str(number)),
                "stack": [
                    f"{each.filename}:{each.lineno} {each.name}"
                    for each in traceback.extract_stack(frame)[-FRAMES:]
                ],
            }
            for number, frame in sys._current_frames().items()  # noqa: SLF001 -- documented so
        ],
    }
