"""How the daemon, its engine, its queue and its machine are, at a glance."""

import asyncio
import os
import time
from contextlib import suppress
from dataclasses import asdict

from couachgptd.core import wire
from couachgptd.core.health import Facts, health, problems
from couachgptd.core.lives import ENGINE, KEPT, Restart, engine_restarts
from couachgptd.core.records import AuditQuery
from couachgptd.core.users import UserState
from couachgptd.core.verdicts import Verdict
from couachgptd.core.wire import Json
from couachgptd.services.machine import Machine, machine, resident_bytes
from couachgptd.services.operator.desk import Call, Desk

STATUS_SECONDS = 1.0  # what is known must not wait for an engine that hangs
INCIDENTS = 5
ORDERS_LOOKED_AT = 50  # the newest to the engine; not all of them are restarts


async def status(desk: Desk, _call: Call) -> Json:
    with suppress(TimeoutError):
        async with asyncio.timeout(STATUS_SECONDS):
            await desk.models.refresh()
    users = await desk.accounts.users()
    here = machine(desk.directory)
    found = problems(_facts(desk, here))
    return {
        "version": desk.version,
        "pid": os.getpid(),
        "started_at": wire.moment(desk.started_at),
        "uptime_seconds": round(time.monotonic() - desk.started, 1),
        "address": desk.address,
        "health": health(found).word,
        "problems": found,
        "memory_bytes": resident_bytes(),
        "cpu_seconds": round(time.process_time(), 1),
        "sockets": desk.topics.sockets,
        "machine": asdict(here),
        "engine": _engine(desk),
        "turns": {
            "queued": desk.runner.queued,
            "running": desk.runner.running_turns,
            "is_paused": desk.runner.is_paused,
            "is_held": desk.runner.is_held,
        },
        "users": {
            "total": len(users),
            "pending": sum(user.state is UserState.PENDING for user in users),
            "online": len(desk.topics.people),
        },
        "restarts": {
            "daemon": [wire.restart(each) for each in desk.restarts],
            "engine": [wire.restart(each) for each in await _engine_restarts(desk)],
        },
        "incidents": [wire.incident(each) for each in await desk.store.incidents(INCIDENTS)],
    }


async def _engine_restarts(desk: Desk) -> list[Restart]:
    return engine_restarts(
        await desk.store.incidents(KEPT, Verdict.RESTARTING),
        await desk.store.audited(AuditQuery(verb=ENGINE), ORDERS_LOOKED_AT),
    )


def _engine(desk: Desk) -> Json:
    engine, seen = desk.models.status, desk.watch.seen
    state, reason, since = desk.models.state
    return {
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
        "cpu_cores": seen.meters.cpu_cores if seen else None,
        "memory_bytes": seen.meters.memory_bytes if seen else None,
    }


def _facts(desk: Desk, here: Machine) -> Facts:
    return Facts(
        engine_state=desk.models.state[0],
        is_engine_up=desk.models.status.is_up,
        has_model=desk.models.default is not None,
        is_held=desk.runner.is_held,
        is_stopping=desk.shutdown.is_requested,
        is_backup_failed=desk.maintenance.failure is not None,
        is_backup_overdue=desk.maintenance.is_overdue,
        disk_free_bytes=here.disk_free_bytes,
        disk_total_bytes=here.disk_total_bytes,
        memory_available_bytes=here.memory_available_bytes,
        memory_total_bytes=here.memory_total_bytes,
    )
