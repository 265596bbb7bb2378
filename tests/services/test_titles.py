"""A title is asked for in leisure alone: what ends it, what is seen of it, what is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

import pytest

from couachgptd.core.errors import EngineBusy, EngineKilled, EngineUnavailable
from couachgptd.core.models import LoadedModel, Loading, Reading, Text, Thought
from couachgptd.core.snapshots import Attempt, Phase
from couachgptd.core.titles import RECENT
from couachgptd.core.verdicts import CancelReason, State, Verdict
from couachgptd.services.titles import TitleService
from tests.services.conftest import Call, House

WELL = State(verdict=Verdict.READY)


@asynccontextmanager
async def titles(house: House, *, idle: float = 0.02, most: float = inf) -> AsyncIterator[None]:
    """Give titles in a house whose watchdog has found the engine well all along."""
    services = (house.store, house.topics, house.engine, house.models, house.prompts, house.runner)
    service = TitleService(*services, lambda: WELL, idle_seconds=idle, most_seconds=most)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(service.keep())
        yield
        task.cancel()


@pytest.fixture
async def answered(house: House) -> House:
    """Return a house with one conversation that is answered, and its model in memory."""

    async def loaded() -> list[LoadedModel]:
        return [LoadedModel("couac:1b")]

    house.engine.loaded = loaded  # type: ignore[method-assign]
    asked = await house.ask(text="Bonjour à tous ?")
    (await house.engine.call(0)).finish()
    await house.ended(asked.answer)
    await house.models.refresh()
    return house


async def is_due(house: House) -> bool:
    return bool(await house.store.untitled(RECENT))


async def given_up(house: House) -> None:
    """Return once the one conversation there is will be asked a title for no more."""
    async with asyncio.timeout(10):
        while await is_due(house):  # noqa: ASYNC110 -- the store tells nobody
            await asyncio.sleep(0.01)


async def closed(call: Call) -> None:
    await asyncio.wait_for(call.closed.wait(), 10)


def seen(house: House) -> tuple[Attempt, ...]:
    return house.runner.attempts.facts(lambda _: None)


async def test_the_watchdog_sees_the_call_and_nobody_else_does(answered: House) -> None:
    tokens = answered.runner.attempts.tokens
    answered.runner.attempts.news()
    async with titles(answered):
        call = await answered.engine.call(1)
        call.send(Reading(1, 2), Text("Salut à tous"))
        async with asyncio.timeout(10):
            while not (found := seen(answered)) or found[0].phase is not Phase.WRITE:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

        assert (found[0].turn, found[0].model, found[0].tokens) == (None, "couac:1b", 1)
        assert (answered.runner.running_turns, answered.runner.lives()) == (0, [])
        call.finish("")
        await given_up(answered)

        assert seen(answered) == ()
        assert answered.runner.attempts.tokens == tokens
        assert answered.runner.attempts.news().answers == ()
        (kept,) = await answered.store.conversations(answered.claire.id, 1)
        assert kept.title == "Salut à tous"


async def test_who_asks_cuts_it_and_it_comes_again_once_the_engine_has_let_go(
    answered: House,
) -> None:
    async with titles(answered):
        cut = await answered.engine.call(1)
        asked = await answered.ask(answered.marc)
        await closed(cut)

        (hers, his) = seen(answered)
        assert (hers.turn, hers.phase, his.phase) == (None, Phase.DRAIN, Phase.READ)
        (await answered.engine.call(2)).finish()
        await answered.ended(asked.answer, answered.marc)
        assert await is_due(answered)
        assert not answered.runner.is_idle
        answered.runner.release([hers.id])
        await answered.engine.call(3)


async def test_what_the_watchdog_cancels_is_closed(answered: House) -> None:
    async with titles(answered):
        call = await answered.engine.call(1)

        answered.runner.cancel([each.id for each in seen(answered)], CancelReason.HUNG)
        await closed(call)

        assert await is_due(answered)


async def test_an_engine_that_is_too_slow_for_it_is_asked_once(answered: House) -> None:
    async with titles(answered, most=0.05):
        await closed(await answered.engine.call(1))
        await given_up(answered)


@pytest.mark.parametrize("piece", [EngineKilled(), Thought("hm"), None])
async def test_what_failed_is_not_asked_for_again(
    answered: House, piece: Exception | Thought | None
) -> None:
    async with titles(answered):
        call = await answered.engine.call(1)
        call.send(piece)
        await closed(call)
        await given_up(answered)


@pytest.mark.parametrize("piece", [EngineBusy(), EngineUnavailable(address="nowhere"), Loading()])
async def test_what_could_not_be_asked_is_asked_again(
    answered: House, piece: Exception | Loading
) -> None:
    async with titles(answered):
        call = await answered.engine.call(1)
        call.send(piece)
        await closed(call)
        answered.runner.release([each.id for each in seen(answered)])

        await answered.engine.call(2)
