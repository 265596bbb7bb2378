"""How the daemon, its engine and its queue are, at a glance."""

import asyncio
import os
import time
from contextlib import suppress

from couachgptd.core import wire
from couachgptd.core.users import UserState
from couachgptd.core.wire import Json
from couachgptd.services.machine import resident_bytes
from couachgptd.services.operator.desk import Call, Desk

STATUS_SECONDS = 1.0  # what is known must not wait for an engine that hangs


async def status(desk: Desk, _call: Call) -> Json:
    with suppress(TimeoutError):
        async with asyncio.timeout(STATUS_SECONDS):
            await desk.models.refresh()
    users = await desk.accounts.users()
    engine = desk.models.status
    state, reason, since = desk.models.state
    return {
        "version": desk.version,
        "pid": os.getpid(),
        "started_at": wire.moment(desk.started_at),
        "uptime_seconds": round(time.monotonic() - desk.started, 1),
        "address": desk.address,
        "memory_bytes": resident_bytes(),
        "sockets": desk.topics.sockets,
        "engine": {
            "kind": engine.kind,
            "address": engine.address,
            "is_up": engine.is_up,
            "version": engine.version,
            "detail": engine.detail,
            "model": desk.models.default,
            "loaded": desk.models.loaded_names,
            "state": state,
            "reason": reason,
            "since": wire.moment(since),
        },
        "turns": {
            "queued": desk.runner.queued,
            "running": desk.runner.running_turns,
            "is_paused": desk.runner.is_paused,
        },
        "users": {
            "total": len(users),
            "pending": sum(user.state is UserState.PENDING for user in users),
        },
    }
