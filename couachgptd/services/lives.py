"""Keeps when and why the daemon began anew, over its lives."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

from couachgptd.core.errors import StoreError
from couachgptd.core.lives import ENDINGS, End, Life, Restart, begun, recalled, saved
from couachgptd.core.ports import Store
from couachgptd.core.records import AuditEntry, AuditQuery

log = logging.getLogger(__name__)

LIFE = "life"  # the setting that holds the life that goes on, and how the one before ended


@asynccontextmanager
async def kept_life(store: Store, boot: str | None) -> AsyncGenerator[Sequence[Restart]]:
    """Keep one life of the daemon for as long as the block, and tell the last restarts.

    What cannot be kept is only logged: a full disk must not keep the daemon from starting.
    """
    before = recalled(await store.setting(LIFE))
    asked = await _asked(store, before.at) if before else []
    life = begun(before, asked, datetime.now(UTC), boot)
    await _keep(store, life)
    if before:
        newest = life.restarts[0]
        log.info("started again", extra={"cause": str(newest.cause), "by": newest.by})
    try:
        yield life.restarts
    except BaseException:
        await _keep(store, replace(life, end=End.FAILED))
        raise
    await _keep(store, replace(life, end=End.ASKED))


async def _asked(store: Store, since: datetime) -> list[AuditEntry]:
    found = await asyncio.gather(
        *(store.audited(AuditQuery(verb=verb, since=since), 1) for verb in ENDINGS)
    )
    return [entry for entries in found for entry in entries]


async def _keep(store: Store, life: Life) -> None:
    try:
        await store.set_setting(LIFE, saved(life))
    except StoreError as error:
        log.warning("this life of the daemon is not kept", extra={"error": error.code})
