"""Positions: no gap, no repeat, and nothing held that nobody can ask for."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.services.topics import HELD_EVENTS, Topic, Topics

Json = dict[str, Any]


def published(count: int, name: str = "c") -> Topic:
    topic = Topic(name)
    for number in range(count):
        topic.publish("turn", {"message": 1, "turn": {"number": number}})
    return topic


def numbers(events: list[str] | None) -> list[int] | None:
    return None if events is None else [json.loads(event)["n"] for event in events]


def test_events_are_numbered_from_one_without_a_gap() -> None:
    topic = published(3)

    assert numbers(topic.after(0)) == [1, 2, 3]
    assert numbers(topic.after(2)) == [3]
    assert numbers(topic.after(3)) == []


@pytest.mark.parametrize("n", [4, -1, 10**30])
def test_a_position_that_never_was_gets_no_events(n: int) -> None:
    assert published(3).after(n) is None


def test_what_is_no_longer_held_gets_no_events_rather_than_a_gap() -> None:
    topic = published(HELD_EVENTS + 2)

    assert topic.after(1) is None
    found = numbers(topic.after(2))
    assert found is not None
    assert (found[0], found[-1], len(found)) == (3, HELD_EVENTS + 2, HELD_EVENTS)


@given(st.integers(0, 1100), st.integers(-5, 1200))
def test_the_rest_is_whole_or_refused(count: int, n: int) -> None:
    found = numbers(published(count).after(n))

    if 0 <= n <= count and count - n <= HELD_EVENTS:
        assert found == list(range(n + 1, count + 1))
    else:
        assert found is None


def test_watchers_get_each_event_at_once_and_the_same() -> None:
    topic = Topic("c")
    one: list[str] = []
    two: list[str] = []
    topic.watchers = {"a": one.append, "b": two.append}

    topic.publish("text", {"message": 1, "kind": "text", "d": "é"})

    assert one == two == topic.after(0)


@pytest.mark.parametrize(
    "text", ["", "plain", 'é"\\\n\t\r\0\x1f', "</script>", "🦆", "\u2028\u2029", "}{", "\x7f"]
)
@pytest.mark.parametrize("name", ["c", 'odd"name\\'])
def test_a_piece_of_text_is_the_json_that_it_should_be(name: str, text: str) -> None:
    topic = Topic(name)
    topic.publish("text", {"message": 7, "kind": "thinking", "d": text})

    (event,) = topic.after(0) or []
    assert json.loads(event) == {
        "type": "text",
        "conversation": name,
        "n": 1,
        "message": 7,
        "kind": "thinking",
        "d": text,
    }


def test_a_topic_that_nobody_watches_and_that_does_not_grow_keeps_its_position_only() -> None:
    topic = published(3)
    topic.rest()

    assert topic.n == 3
    assert topic.after(3) == []
    assert topic.after(2) is None


@pytest.mark.parametrize("reason", ["watched", "growing"])
def test_a_topic_in_use_keeps_its_events(reason: str) -> None:
    topic = published(3)
    topic.is_live = reason == "growing"
    topic.watchers = {"a": lambda _: None} if reason == "watched" else {}

    topic.rest()

    assert numbers(topic.after(0)) == [1, 2, 3]


def test_each_start_of_the_daemon_has_an_epoch_of_its_own() -> None:
    assert len({Topics().epoch for _ in range(100)}) == 100


def test_the_events_of_another_epoch_are_never_given() -> None:
    topics = Topics()
    topic = topics.topic("c")
    topic.publish("turn", {})

    assert topics.missed(topic, {"epoch": "another", "n": 0}) is None
    assert numbers(topics.missed(topic, {"epoch": topics.epoch, "n": 0})) == [1]


@pytest.mark.parametrize("n", [None, True, 1.0, "1", [], {}])
def test_a_position_that_is_no_number_is_not_known(n: Any) -> None:
    topics = Topics()
    topic = topics.topic("c")
    topic.publish("turn", {})

    assert topics.missed(topic, {"epoch": topics.epoch, "n": n}) is None


def test_a_snapshot_stands_at_the_position_of_now() -> None:
    topics = Topics()
    topic = topics.topic("c")
    topic.publish("turn", {})

    shape = json.loads(topics.snapshot(topic, []))

    assert shape["position"] == {"epoch": topics.epoch, "n": 1}


def test_unwatching_the_last_lets_the_events_go() -> None:
    topics = Topics()
    topic = topics.topic("c")
    topic.watchers["a"] = lambda _: None
    topic.publish("turn", {})

    topics.unwatch("c", "a")
    topics.unwatch("c", "a")
    topics.unwatch("unknown", "a")

    assert topic.after(0) is None


def test_a_personal_event_reaches_every_tab_of_that_person_and_nobody_else() -> None:
    topics = Topics()
    tabs: dict[str, list[str]] = {"a": [], "b": [], "c": []}
    topics.enter(1, "a", tabs["a"].append)
    topics.enter(1, "b", tabs["b"].append)
    topics.enter(2, "c", tabs["c"].append)

    topics.tell(1, "conversation", {"x": 1})
    topics.tell(3, "conversation", {"x": 1})

    assert tabs["a"] == tabs["b"] == ['{"type":"conversation","x":1}']
    assert tabs["c"] == []
    assert topics.sockets == 3


def test_who_left_is_told_nothing_and_leaving_twice_is_nothing() -> None:
    topics = Topics()
    heard: list[str] = []
    topics.enter(1, "a", heard.append)
    topics.leave(1, "a")
    topics.leave(1, "a")

    topics.tell(1, "conversation", {})

    assert (heard, topics.sockets) == ([], 0)
