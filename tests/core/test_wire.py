"""The JSON shapes: the same keys as the fixtures that the browser's tests read too."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from couachgptd.core import wire
from couachgptd.core.attachments import Attachment, Kind, Part, Unit
from couachgptd.core.choices import Made
from couachgptd.core.conversations import (
    Author,
    Conversation,
    ConversationKind,
    Message,
    Rating,
    Thumb,
)
from couachgptd.core.errors import CouachError, QueueFull
from couachgptd.core.forecast import Spoken
from couachgptd.core.ids import AttachmentId, ConversationId, MessageId, TurnId, UserId
from couachgptd.core.models import EngineStatus, Model
from couachgptd.core.turns import Sent, Timings, Turn, TurnSource, TurnState
from couachgptd.core.users import Role, User, UserState
from couachgptd.http.socket import _VERBS as VERBS

ROOT = Path(__file__).parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "protocol"
SENT = Sent(5, MessageId(1), 1240, 4096)
MOMENT = datetime(2026, 11, 23, 8, 5, 12, 250_000, tzinfo=UTC)


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))


def shape_of(value: Any) -> Any:
    """Return the keys of an object, and of those inside; a list counts by its first."""
    if isinstance(value, dict):
        return {name: shape_of(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape_of(each) for each in value[:1]] if value else []
    return None


def turn(state: TurnState, **changes: Any) -> Turn:
    fields: dict[str, Any] = {
        "id": TurnId(1),
        "asker_id": UserId(7),
        "source": TurnSource.CHAT,
        "state": state,
        "attempt": 1,
        "model": "m",
        "queued_at": MOMENT,
        "options": Made(0.2, 1024, 5).document(),
    }
    return Turn(**{**fields, **changes})


def message(author: Author, its_turn: Turn | None = None) -> Message:
    return Message(
        id=MessageId(1),
        conversation_id=ConversationId("c"),
        parent_id=None,
        author=author,
        author_id=None,
        client_id=None,
        text="x",
        thinking="",
        created_at=MOMENT,
        turn=its_turn,
    )


def test_a_user_has_the_keys_of_the_fixture_and_no_secret() -> None:
    user = User(UserId(7), "c", "C", Role.MEMBER, UserState.ACTIVE, "fr", MOMENT)

    assert set(wire.own_user(user)) == set(fixture("hello")["user"])
    assert set(wire.own_user(user)) == set(fixture("user")["user"])


def test_a_conversation_has_the_keys_of_the_fixture() -> None:
    shape = wire.conversation(
        Conversation(ConversationId("c"), ConversationKind.CHAT, UserId(7), "t", MOMENT, MOMENT)
    )

    assert set(shape) == set(fixture("conversation")["conversation"])


def test_a_model_has_the_keys_of_the_fixture() -> None:
    shape = wire.model(Model("m"), is_loaded=True)

    assert set(shape) == set(fixture("hello")["models"][0])


def test_a_model_that_was_put_aside_cannot_be_used() -> None:
    shape = wire.model(Model("m"), is_loaded=False, is_quarantined=True)

    assert shape["is_broken"]
    assert shape["is_quarantined"]


def test_the_engine_has_the_keys_of_the_fixture_and_not_its_address() -> None:
    shape = wire.engine(EngineStatus("ollama", "http://secret:1", is_up=True))

    assert set(shape) == set(fixture("hello")["engine"])


def test_a_question_and_an_answer_that_waits_have_the_keys_of_the_fixture() -> None:
    question, answer = fixture("messages")["messages"]

    file = Attachment(
        AttachmentId("a"), UserId(7), "a.pdf", Kind.PDF, "application/pdf", 9, "s", MOMENT,
        part=Part(Unit.PAGE, 2, 5),
    )  # fmt: skip
    asked = replace(message(Author.PERSON), attachments=(file,))
    assert shape_of(wire.message(asked)) == shape_of(question)
    waiting = wire.turn(turn(TurnState.QUEUED), place=2, wait=Spoken(20, 60))
    shape = wire.message(message(Author.MODEL, turn(TurnState.QUEUED)), waiting)
    assert shape_of(shape) == shape_of(answer)
    assert waiting["wait_seconds"] == answer["turn"]["wait_seconds"]


def test_an_answer_that_is_done_has_the_keys_of_the_fixture() -> None:
    done = turn(TurnState.DONE, finish_reason="stop", sent=SENT)

    rating = Rating(Thumb.UP, "", "m", MOMENT)
    shape = wire.message(replace(message(Author.MODEL, done), rating=rating))

    assert shape_of(shape) == shape_of(fixture("snapshot")["messages"][1])


def test_a_turn_that_reads_tells_how_far_it_is_and_no_other_does() -> None:
    shapes = {
        state: wire.turn(turn(state, sent=SENT), read_tokens=3, prompt_tokens=9)
        for state in TurnState
    }

    assert shape_of(shapes[TurnState.READING]) == shape_of(fixture("turn")["turn"])
    told = {state for state, shape in shapes.items() if shape["prompt_tokens"] is not None}
    assert told == {TurnState.READING}


def test_timings_are_told_at_an_end_and_never_before() -> None:
    for state in TurnState:
        assert (wire.turn(turn(state))["timings"] is not None) is state.is_final


def test_the_total_is_from_the_start_to_the_end() -> None:
    ended = turn(
        TurnState.DONE,
        started_at=MOMENT,
        finished_at=MOMENT + timedelta(seconds=2.5),
        timings=Timings(answer_tokens=10, write_seconds=3.0),
    )

    timings = wire.turn(ended)["timings"]

    assert (timings["total_seconds"], timings["tokens_per_second"]) == (2.5, 3.33)


def test_a_turn_of_an_older_version_tells_nothing_of_how_it_was_made() -> None:
    assert wire.turn(turn(TurnState.DONE, options={}))["options"] is None


def test_a_prompt_of_ones_own_is_named_with_a_turn_and_not_repeated() -> None:
    made = Made(0.2, 1024, 5, system_prompt="Réponds en vers.")

    shape = wire.turn(turn(TurnState.WRITING, options=made.document()))

    assert shape["options"]["has_own_prompt"] is True
    assert "vers" not in str(shape)


def test_a_failed_turn_tells_its_code_and_fields() -> None:
    failed = turn(TurnState.FAILED, error_code="queue_full", error_fields={"waiting": 3})

    assert wire.turn(failed)["error"] == wire.error(QueueFull(waiting=3))


def test_an_error_is_its_code_and_its_fields() -> None:
    assert set(wire.error(CouachError())) | {"type", "id"} == set(fixture("error"))


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (MOMENT, "2026-11-23T08:05:12.250Z"),
        (datetime(2026, 11, 23, tzinfo=UTC), "2026-11-23T00:00:00.000Z"),
        (None, None),
    ],
)
def test_a_moment_is_iso_8601_in_utc(moment: datetime | None, text: str | None) -> None:
    assert wire.moment(moment) == text


def test_the_requests_of_the_fixtures_are_the_verbs_of_the_socket() -> None:
    assert {request["type"] for request in fixture("requests")} == set(VERBS)


def test_every_message_of_the_document_has_a_fixture() -> None:
    document = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    section = document.split("## From the server")[1].split("### Positions")[0]
    named = set(re.findall(r"^\s*- `(\w+)` `\{", section, re.MULTILINE))
    named |= set(re.findall(r"^- `(\w+)` `\{.*?` and `(\w+)`", section, re.MULTILINE)[0])

    assert named == {path.stem for path in FIXTURES.glob("*.json")} - {"requests"}
