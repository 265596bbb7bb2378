"""Who is offered a model, and within which bounds it may be told how to answer."""

from typing import Any

import pytest

from couachgptd.core.errors import BadRequest, OptionInvalid
from couachgptd.core.model_rules import ModelRules, Options, VisibleTo, changed
from couachgptd.core.users import Role

SOME = ModelRules(VisibleTo.ADMINS, Options(temperature=1.5, answer_tokens=10))


def change(changes: dict[str, Any], rules: ModelRules = SOME) -> ModelRules:
    return changed(rules, changes, most_answer_tokens=1024)


@pytest.mark.parametrize(
    ("visible_to", "roles"),
    [
        ("everyone", {"reader", "member", "admin"}),
        ("members", {"member", "admin"}),
        ("admins", {"admin"}),
    ],
)
def test_a_model_is_for_the_roles_that_are_named_and_for_the_operator(
    visible_to: str, roles: set[str]
) -> None:
    rules = ModelRules(VisibleTo(visible_to))

    assert {role.value for role in Role if rules.is_for(role)} == roles
    assert rules.is_for(None)


def test_what_is_not_named_stays_and_none_is_the_default_again() -> None:
    assert change({}) == SOME
    assert change({"visible_to": "members"}) == ModelRules(VisibleTo.MEMBERS, SOME.options)
    assert change({"temperature": None, "top_p": 0.9}) == ModelRules(
        VisibleTo.ADMINS, Options(top_p=0.9, answer_tokens=10)
    )


@pytest.mark.parametrize(
    ("name", "taken", "refused"),
    [
        ("temperature", (0, 0.0, 2), (-0.1, 2.1, True, "1", float("nan"), float("inf"))),
        ("top_p", (0.01, 1), (0, 1.01)),
        ("answer_tokens", (1, 1024), (0, 1025, 10.0)),
        ("context_tokens", (256, 1_048_576), (255, 1_048_577, "4096")),
    ],
)
def test_an_option_has_bounds(name: str, taken: tuple[Any, ...], refused: tuple[Any, ...]) -> None:
    for value in taken:
        assert getattr(change({name: value}).options, name) == value
    for value in refused:
        with pytest.raises(OptionInvalid) as error:
            change({name: value})
        assert error.value.fields["name"] == name


@pytest.mark.parametrize("visible_to", ["nobody", None, 1, []])
def test_nobody_else_can_be_named(visible_to: Any) -> None:
    with pytest.raises(BadRequest):
        change({"visible_to": visible_to})
