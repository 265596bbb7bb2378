"""What an administrator decides of a model: who is offered it, and how it answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from couachgptd.core.errors import BadRequest, OptionInvalid
from couachgptd.core.users import Role


class VisibleTo(StrEnum):
    """Everybody with an account, those who may write, or administrators alone."""

    EVERYONE = "everyone"
    MEMBERS = "members"
    ADMINS = "admins"


_ROLES: Mapping[VisibleTo, frozenset[Role]] = {
    VisibleTo.EVERYONE: frozenset(Role),
    VisibleTo.MEMBERS: frozenset({Role.MEMBER, Role.ADMIN}),
    VisibleTo.ADMINS: frozenset({Role.ADMIN}),
}


@dataclass(frozen=True, slots=True)
class Options:
    """How a model answers; None is the server's own, or the engine's.

    `answer_tokens` is the most that an answer takes, `context_tokens` what one slot holds.
    """

    temperature: float | None = None
    top_p: float | None = None
    answer_tokens: int | None = None
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ModelRules:
    visible_to: VisibleTo = VisibleTo.EVERYONE
    options: Options = field(default_factory=Options)

    def is_for(self, role: Role | None) -> bool:
        """Say whether the model is offered to a role; None, the operator, is offered all."""
        return role is None or role in _ROLES[self.visible_to]


RulesOf = Callable[[str], ModelRules]


def no_rules(_model: str) -> ModelRules:
    return ModelRules()


# The least and the most of each option; those of tokens are whole numbers.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0.01, 1),
    "answer_tokens": (1, 1_000_000),
    "context_tokens": (256, 1_048_576),
}
_WHOLE = frozenset({"answer_tokens", "context_tokens"})


def changed(
    rules: ModelRules, changes: Mapping[str, Any], *, most_answer_tokens: int
) -> ModelRules:
    """Return the rules with some changed: `visible_to`, and options, where None is the default.

    What is not named stays. Raises BadRequest, OptionInvalid.
    """
    options: dict[str, Any] = {
        name: _checked(name, value, most_answer_tokens)
        for name, value in changes.items()
        if name != "visible_to"
    }
    try:
        visible_to = VisibleTo(changes.get("visible_to", rules.visible_to))
    except ValueError:
        raise BadRequest(reason="visible_to") from None
    return ModelRules(visible_to, replace(rules.options, **options))


def _checked(name: str, value: Any, most_answer_tokens: int) -> Any:
    if value is None:
        return None
    least, most = BOUNDS[name]
    if name == "answer_tokens":
        most = most_answer_tokens
    kinds = int if name in _WHOLE else int | float
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        raise OptionInvalid(name=name, least=least, most=most)
    return value
