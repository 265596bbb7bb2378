"""A wait that takes too long ends with its phase; whoever else cancels is obeyed."""

import asyncio

import pytest

from couachgptd.core.errors import EngineTimeout
from couachgptd.engine.deadlines import Deadlines


async def test_what_comes_in_time_is_returned() -> None:
    with Deadlines(10) as deadlines:
        assert await deadlines.wait("read", 10, asyncio.sleep(0, "piece")) == "piece"


async def test_a_wait_too_long_names_its_phase() -> None:
    with Deadlines(10) as deadlines:
        await deadlines.wait("read", 10, asyncio.sleep(0))

        with pytest.raises(EngineTimeout) as told:
            await deadlines.wait("gap", 0.05, asyncio.Event().wait())

    assert told.value.fields == {"phase": "gap", "seconds": 0.05}
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_the_whole_has_a_limit_too() -> None:
    async def never_ends() -> None:
        with Deadlines(0.1) as deadlines:
            while True:
                await deadlines.wait("gap", 10, asyncio.sleep(0.02))

    with pytest.raises(EngineTimeout) as told:
        await never_ends()

    assert told.value.fields == {"phase": "total", "seconds": 0.1}


async def test_the_time_its_reader_takes_is_not_counted() -> None:
    with Deadlines(10) as deadlines:
        await deadlines.wait("gap", 0.05, asyncio.sleep(0))
        await asyncio.sleep(0.15)  # the timer rings in this time, and finds nobody waiting

        assert await deadlines.wait("gap", 0.05, asyncio.sleep(0, "next")) == "next"


async def test_a_cancel_from_outside_stays_a_cancel() -> None:
    started = asyncio.Event()

    async def waits() -> None:
        with Deadlines(10) as deadlines:
            started.set()
            await deadlines.wait("gap", 10, asyncio.Event().wait())

    task = asyncio.create_task(waits())
    await started.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
