"""What is announced of a wait, and how it learns from what became true."""

import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.forecast import MODELS_KEPT, Forecast, Spoken, Wait, spoken
from couachgptd.core.ids import TurnId, UserId
from couachgptd.core.queue import Queue, Waiting
from couachgptd.core.turns import Timings

Draw = Callable[[random.Random], float]


def experienced(**seconds_of_model: float) -> Forecast:
    """Return a forecast that knows models of ten tokens a second by the length of an answer."""
    forecast = Forecast()
    for model, seconds in seconds_of_model.items():
        timings = Timings(
            answer_tokens=round(seconds * 10), load_seconds=40.0, write_seconds=seconds
        )
        for _ in range(300):
            forecast.learn(model, timings, loads=True)
    return forecast


def queue_of(*models: str, slots: int = 1) -> Queue:
    """Return a queue where each turn is another person's; the first ones run since 0."""
    queue = Queue(slots=slots)
    for number, model in enumerate(models):
        queue.add(Waiting(TurnId(number), UserId(number), model=model))
    while queue.take(0):
        pass
    return queue


def test_nobody_waits_in_an_empty_queue() -> None:
    assert Forecast().waits(Queue(), {}, 0) == {}


def test_a_first_guess_is_a_wide_one() -> None:
    wait = Forecast().waits(queue_of("new", "new"), {}, 0)[TurnId(1)]

    assert 5 < wait.median_seconds < 60
    assert 60 < wait.p90_seconds < 300


def test_who_is_next_waits_for_what_is_left_of_the_answer_before() -> None:
    forecast, queue = experienced(small=10), queue_of("small", "small")
    queue.model = "small"

    started = forecast.waits(queue, {}, 40)[TurnId(1)]
    half_way = forecast.waits(queue, {TurnId(0): 50}, 45)[TurnId(1)]

    assert started.median_seconds == pytest.approx(10, rel=0.4)
    assert half_way.median_seconds < started.median_seconds
    assert half_way.p90_seconds < started.p90_seconds


def test_each_turn_before_makes_the_wait_longer() -> None:
    waits = experienced(small=10).waits(queue_of(*["small"] * 6), {}, 0)

    assert [wait.place for wait in waits.values()] == [0, 1, 2, 3, 4]
    medians = [wait.median_seconds for wait in waits.values()]
    assert medians == sorted(medians)
    assert medians[4] - medians[0] == pytest.approx(40, rel=0.2)


def test_the_wait_falls_when_somebody_before_leaves() -> None:
    forecast, queue = experienced(small=10), queue_of(*["small"] * 4)
    before = forecast.waits(queue, {}, 0)[TurnId(3)]
    queue.remove(TurnId(1))
    after = forecast.waits(queue, {}, 0)[TurnId(3)]

    assert after.p90_seconds < before.p90_seconds
    assert (before.place, after.place) == (2, 1)


def test_a_change_of_model_before_it_is_counted() -> None:
    forecast = experienced(small=10, large=10)
    same = forecast.waits(queue_of("small", "small", "small"), {}, 0)[TurnId(2)]
    other = forecast.waits(queue_of("small", "large", "large"), {}, 0)[TurnId(2)]

    assert other.median_seconds - same.median_seconds == pytest.approx(40, rel=0.2)


def test_with_two_slots_the_wait_is_half_as_long() -> None:
    forecast = experienced(small=10)
    one = forecast.waits(queue_of(*["small"] * 9), {}, 0)[TurnId(8)]
    two = forecast.waits(queue_of(*["small"] * 10, slots=2), {}, 0)[TurnId(9)]

    assert two.median_seconds == pytest.approx((one.median_seconds + 40) / 2, rel=0.25)


def test_the_place_is_the_queues() -> None:
    queue = queue_of("a", "b", "a", "c", "b", "a")
    waits = experienced(a=1, b=1, c=1).waits(queue, {}, 0)

    assert {turn: wait.place for turn, wait in waits.items()} == queue.places(0)


def test_a_model_never_seen_is_taken_for_one_of_the_others() -> None:
    slow, fast = experienced(small=100), experienced(small=2)

    assert slow.expect("new", 0).seconds / fast.expect("new", 0).seconds == pytest.approx(50, 0.1)


def test_the_cost_of_a_turn_is_what_is_read_and_written() -> None:
    expected = experienced(small=10).expect("small", 500)

    assert expected.tokens == pytest.approx(500 + 100, rel=0.05)
    assert expected.seconds > 10


def wait_once(forecast: Forecast, seconds: float) -> Wait:
    queue = queue_of("small", "small")
    wait = forecast.waits(queue, {}, 0)[TurnId(1)]
    queue.ended(TurnId(0), seconds)
    queue.take(seconds)
    forecast.started(TurnId(1), seconds)
    return wait


def test_waits_that_were_longer_than_announced_make_it_announce_more() -> None:
    forecast = experienced(small=10)
    first = wait_once(forecast, 1000)

    assert wait_once(forecast, 1000).p90_seconds > first.p90_seconds


def test_waits_that_were_shorter_make_it_announce_a_little_less() -> None:
    forecast = experienced(small=10)
    first = wait_once(forecast, 1)

    assert 0.9 * first.p90_seconds < wait_once(forecast, 1).p90_seconds < first.p90_seconds


def test_one_that_left_before_its_turn_is_not_judged() -> None:
    forecast, queue = experienced(small=10), queue_of("small", "small")
    forecast.waits(queue, {}, 0)
    queue.remove(TurnId(1))
    forecast.waits(queue, {}, 1)
    kept = forecast.to_json()

    forecast.started(TurnId(1), 1000)

    assert forecast.to_json() == kept


def share_that_was_true(draw_tokens: Draw, turns: int) -> float:
    """Let ten people wait at any time; return the share of waits within the announced p90."""
    draw = random.Random(3)  # noqa: S311 -- not a secret
    queue, forecast, now = Queue(), Forecast(), 0.0
    announced: dict[TurnId, tuple[float, float]] = {}
    true = []
    for number in range(turns):
        queue.add(Waiting(TurnId(number), UserId(number), queued_at=now))
        for turn, wait in forecast.waits(queue, {}, now).items():
            announced.setdefault(turn, (now, wait.p90_seconds))
        if len(queue) < draw.randint(1, 10):
            continue
        running = queue.take(now)
        assert running is not None
        turn = running.waiting.turn
        forecast.started(turn, now)
        since, limit = announced[turn]
        true.append(now - since <= limit)
        tokens = max(1, round(draw_tokens(draw)))
        now += tokens / 10
        queue.ended(turn, now, tokens)
        timings = Timings(answer_tokens=tokens, write_seconds=tokens / 10)
        forecast.learn("", timings, loads=False)
    return sum(true) / len(true)


@pytest.mark.parametrize(
    "draw_tokens",
    [
        lambda draw: draw.lognormvariate(5.5, 1),
        lambda draw: draw.choice((20, 1000)),
        lambda draw: 100 * draw.paretovariate(1.5),
        lambda _: 300,
    ],
    ids=["lognormal", "short or long", "heavy tail", "all alike"],
)
def test_nine_in_ten_wait_no_longer_than_announced_whatever_answers_are_like(
    draw_tokens: Draw,
) -> None:
    assert 0.85 <= share_that_was_true(draw_tokens, 2500) <= 0.95


def test_what_was_learned_can_be_kept() -> None:
    forecast = experienced(small=10, large=60)
    wait_once(forecast, 1000)

    again = Forecast.from_json(json.loads(json.dumps(forecast.to_json())))

    assert again.to_json() == forecast.to_json()
    queue = queue_of("small", "large", "small")
    assert again.waits(queue, {}, 0) == forecast.waits(queue, {}, 0)


@pytest.mark.parametrize(
    "damaged", [None, {}, {"any": [[0, 1, 1]] * 3}, {"any": [["x", 1, 1]] * 4, "models": {}}]
)
def test_what_was_kept_badly_is_an_error(damaged: object) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        Forecast.from_json(damaged)


def test_models_not_used_for_long_are_forgotten() -> None:
    forecast = Forecast()
    for number in range(MODELS_KEPT + 5):
        forecast.learn(f"model {number}", Timings(answer_tokens=50), loads=False)
        forecast.learn("model 0", Timings(answer_tokens=50), loads=False)

    kept = forecast.to_json()["models"]
    assert len(kept) == MODELS_KEPT
    assert "model 0" in kept
    assert len(json.dumps(forecast.to_json())) < 20_000


# as people say it


@pytest.mark.parametrize(
    ("median", "p90", "low", "high"),
    [
        (0.5, 1, 0, 5),
        (25, 50, 20, 60),
        (20, 60, 20, 60),
        (61, 61, 60, 90),
        (3500, 3601, 2700, 7200),
        (8000, 20_000, 7200, 21_600),
    ],
)
def test_a_range_is_rounded_outwards(median: float, p90: float, low: int, high: int) -> None:
    assert spoken(Wait(0, median, p90)) == Spoken(low, high)


def test_a_wait_that_moves_about_a_step_does_not_flicker() -> None:
    said = spoken(Wait(0, 30.1, 59.9))
    for median, p90 in ((44.0, 46.0), (45.5, 44.9), (30.0, 60.0), (46.0, 31.0)):
        said = spoken(Wait(0, median, p90), said)
        assert said == Spoken(30, 60)


def test_a_wait_that_becomes_much_shorter_is_said_to_be() -> None:
    said = spoken(Wait(0, 60, 180))

    assert spoken(Wait(0, 10, 20), said) == Spoken(10, 20)


SECONDS = st.floats(0, 100_000)


@given(st.lists(st.tuples(SECONDS, SECONDS), min_size=1))
def test_what_is_said_is_never_less_than_what_is_known(waits: list[tuple[float, float]]) -> None:
    said: Spoken | None = None
    for median, p90 in (sorted(each) for each in waits):
        said = spoken(Wait(0, median, p90), said)
        assert said.low_seconds <= median
        assert said.high_seconds >= p90


def test_a_wait_that_something_else_prolonged_teaches_nothing() -> None:
    forecast, queue = Forecast(), Queue()
    for number in (1, 2):
        queue.add(Waiting(TurnId(number), UserId(number), queued_at=0.0))
    assert queue.take(0.0) is not None
    forecast.waits(queue, {}, 0.0)
    learned = forecast.to_json()

    forecast.forget_announced()  # the engine failed, and was mended an hour later
    forecast.started(TurnId(2), 3600.0)

    assert forecast.to_json() == learned
