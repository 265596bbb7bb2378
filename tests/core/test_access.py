"""The access table: every verb has an audience, and nobody passes it."""

from datetime import UTC, datetime

import pytest

from couachgptd.control.verbs import VERBS as CONTROL_VERBS
from couachgptd.core.access import TABLE, Audience, UnknownVerb, audience_of, may, require
from couachgptd.core.errors import NotAllowed
from couachgptd.core.ids import UserId
from couachgptd.core.users import Role, User, UserState
from couachgptd.http.socket import _VERBS as SOCKET_VERBS

ALLOWED = {
    Audience.ANYONE: set(Role),
    Audience.READER: {Role.READER, Role.MEMBER, Role.ADMIN},
    Audience.MEMBER: {Role.MEMBER, Role.ADMIN},
    Audience.ADMIN: {Role.ADMIN},
    Audience.MONITOR: set[Role](),
    Audience.OPERATOR: set[Role](),
}


def person(role: Role, state: UserState) -> User:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return User(UserId(1), "a", "A", role, state, "fr", moment)


@pytest.mark.parametrize("state", UserState)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("verb", TABLE)
def test_a_verb_is_for_its_audience_and_for_active_people_only(
    verb: str, role: Role, state: UserState
) -> None:
    audience = audience_of(verb)
    expected = audience is Audience.ANYONE or (
        state is UserState.ACTIVE and role in ALLOWED[audience]
    )

    assert may(person(role, state), verb) is expected


@pytest.mark.parametrize("verb", TABLE)
def test_who_is_not_logged_in_may_do_only_what_anyone_may(verb: str) -> None:
    assert may(None, verb) is (TABLE[verb] is Audience.ANYONE)


def test_what_is_refused_is_refused_by_the_name_of_the_verb() -> None:
    with pytest.raises(NotAllowed) as raised:
        require(None, "chat.ask")

    assert raised.value.fields == {"verb": "chat.ask"}


@pytest.mark.parametrize("verb", ["chat.sing", "", "CHAT.ASK", "chat"])
def test_a_verb_past_the_table_is_a_mistake_that_shows(verb: str) -> None:
    with pytest.raises(UnknownVerb, match="say there who may use it"):
        audience_of(verb)


@pytest.mark.parametrize("verb", [name for name in TABLE if name.split(".")[0] == "chat"])
def test_a_reader_writes_nothing(verb: str) -> None:
    assert not may(person(Role.READER, UserState.ACTIVE), verb)


def test_the_operators_verbs_are_the_control_sockets_and_no_others() -> None:
    of_machine = {Audience.OPERATOR, Audience.MONITOR}
    found = {verb for verb, audience in TABLE.items() if audience in of_machine}

    assert found == {verb.name for verb in CONTROL_VERBS}


def test_who_may_only_look_can_change_nothing() -> None:
    looked = [verb for verb in CONTROL_VERBS if TABLE[verb.name] is Audience.MONITOR]

    assert {verb.method for verb in looked} == {"GET"}


def test_no_verb_of_the_socket_is_open_to_everybody() -> None:
    assert SOCKET_VERBS
    assert all(audience_of(verb) is not Audience.ANYONE for verb in SOCKET_VERBS)
