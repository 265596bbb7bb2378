"""A question that hangs is open once, however often it is asked."""

import asyncio

from couachgptd.engine.single import Single

LIMIT = 0.05


class Question:
    """One whose answers come when the test says so."""

    def __init__(self) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()

    async def __call__(self) -> str:
        self.asked += 1
        await self.may_answer.wait()
        return f"answer {self.asked}"


async def test_an_answer_comes_with_its_time() -> None:
    single, question = Single[str](LIMIT), Question()
    question.may_answer.set()

    asked = await single.ask(question)

    assert asked.answer == "answer 1"
    assert asked.seconds < LIMIT


async def test_a_question_that_hangs_is_asked_once() -> None:
    single, question = Single[str](LIMIT), Question()

    first, beside = await asyncio.gather(single.ask(question), single.ask(question))
    again = await single.ask(question)

    assert question.asked == 1
    assert (first.answer, beside.answer, again.answer) == (None, None, None)
    assert LIMIT <= first.seconds <= again.seconds
    await single.close()


async def test_an_answer_that_came_too_late_is_asked_for_anew() -> None:
    single, question = Single[str](LIMIT), Question()
    assert (await single.ask(question)).answer is None
    question.may_answer.set()
    await asyncio.sleep(0)

    asked = await single.ask(question)

    assert asked.answer == "answer 2"
    assert asked.seconds < LIMIT


async def test_a_question_that_was_forgotten_is_asked_anew() -> None:
    single, question = Single[str](LIMIT, forget_seconds=0.0), Question()
    await single.ask(question)
    question.may_answer.set()

    assert (await single.ask(question)).answer == "answer 2"


async def test_a_caller_that_goes_away_leaves_the_question_open() -> None:
    single, question = Single[str](10), Question()
    caller = asyncio.create_task(single.ask(question))
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait({caller})
    question.may_answer.set()

    assert (await single.ask(question)).answer == "answer 1"
    assert question.asked == 1


async def test_closing_ends_what_is_open() -> None:
    single, question = Single[str](LIMIT), Question()
    await single.ask(question)

    await single.close()
    await single.close()

    assert len(asyncio.all_tasks()) == 1
