"""A pause of our own loop is felt wherever it falls, and told once."""

import asyncio
import time

import pytest

from couachgptd.services.pulse import BEAT_SECONDS, Pulse

PAUSE_SECONDS = 1.0


@pytest.mark.parametrize("after_beats", [0.1, 0.5, 0.9])
async def test_a_pause_is_told_once_before_the_next_beat(after_beats: float) -> None:
    pulse = Pulse()
    beating = asyncio.create_task(pulse.beat())
    await asyncio.sleep(after_beats * BEAT_SECONDS)
    before = pulse.late_seconds()
    time.sleep(PAUSE_SECONDS)  # noqa: ASYNC251 -- this is the pause

    told = pulse.late_seconds()
    await asyncio.sleep(0)
    again = pulse.late_seconds()
    beating.cancel()

    least = PAUSE_SECONDS - BEAT_SECONDS
    assert before < least
    assert least <= told < PAUSE_SECONDS + 1
    assert again < least


async def test_a_pause_between_two_looks_is_kept_for_the_next() -> None:
    pulse = Pulse()
    beating = asyncio.create_task(pulse.beat())
    await asyncio.sleep(0)
    time.sleep(PAUSE_SECONDS)  # noqa: ASYNC251 -- this is the pause
    await asyncio.sleep(2 * BEAT_SECONDS)

    assert pulse.late_seconds() >= PAUSE_SECONDS - BEAT_SECONDS
    beating.cancel()


async def test_a_pulse_that_never_beat_is_not_late() -> None:
    assert Pulse().late_seconds() == 0
