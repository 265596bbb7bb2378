"""What a person chooses for one conversation, and what an answer is then made with."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from couachgptd.core.errors import BadRequest, CouachError, OptionInvalid
from couachgptd.core.model_rules import BOUNDS, Options

SYSTEM_PROMPT_MAX_LENGTH = 8000
EXCHANGES_MOST = 100
ALL = 0  # exchanges: as many as the context holds


class SystemPromptTooLong(CouachError):
    """Fields: `max_length` (characters)."""

    code = "system_prompt_too_long"


@dataclass(frozen=True, slots=True)
class Choices:
    """None leaves it to the model's rules, then to the configuration.

    `answer_tokens` is the most that an answer takes; `exchanges` is how many are sent at least, 0
    for all; `think` is whether a model that can think does so first.
    """

    model: str | None = None
    system_prompt: str | None = None
    temperature: float | None = None
    answer_tokens: int | None = None
    exchanges: int | None = None
    think: bool | None = None

    def document(self) -> dict[str, Any]:
        """Return what was chosen: what was not is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}


NOTHING_CHOSEN = Choices()
_NAMES = frozenset(each.name for each in fields(Choices))


def choices_of(given: Any, *, most_answer_tokens: int) -> Choices:
    """Return what somebody sent as their choices; blank texts are none.

    Raises BadRequest for what is not of the form, OptionInvalid, SystemPromptTooLong.
    """
    if not isinstance(given, dict) or not given.keys() <= _NAMES:
        raise BadRequest(reason="choices")
    think = given.get("think")
    if not isinstance(think, bool | None):
        raise BadRequest(reason="think")
    prompt = _text(given, "system_prompt")
    if prompt is not None and len(prompt) > SYSTEM_PROMPT_MAX_LENGTH:
        raise SystemPromptTooLong(max_length=SYSTEM_PROMPT_MAX_LENGTH)
    return Choices(
        model=_text(given, "model"),
        system_prompt=prompt,
        temperature=_number(given, "temperature", *BOUNDS["temperature"], kinds=int | float),
        answer_tokens=_number(given, "answer_tokens", 1, most_answer_tokens),
        exchanges=_number(given, "exchanges", ALL, EXCHANGES_MOST),
        think=think,
    )


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadRequest(reason=name)
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a pair: neither the engine nor the store could take it
        raise BadRequest(reason=name) from None
    return value.strip() or None


def _number(
    given: Mapping[str, Any], name: str, least: float, most: float, kinds: Any = int
) -> Any:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
        raise OptionInvalid(name=name, least=least, most=most)
    return value


@dataclass(frozen=True, slots=True)
class Made:
    """What one answer is made with; kept with its turn, so that it can be seen afterwards.

    `system_prompt` and `think` are None where nobody chose: the server's own, the model's way.
    """

    temperature: float
    answer_tokens: int
    exchanges: int
    top_p: float | None = None
    system_prompt: str | None = None
    think: bool | None = None

    def document(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        return cls(**document)


def made_with(choices: Choices, rules: Options, default: Made, *, can_think: bool) -> Made:
    """Return what an answer is made with: what was chosen, else the model's rule, else `default`.

    An answer is never longer than the model's rule or the configuration allows. A model that
    cannot think is not told whether to: some engines refuse the very question.
    """
    lengths = (choices.answer_tokens, rules.answer_tokens, default.answer_tokens)
    return Made(
        temperature=_first(choices.temperature, rules.temperature, default.temperature),
        answer_tokens=min(each for each in lengths if each is not None),
        exchanges=_first(choices.exchanges, default.exchanges),
        top_p=rules.top_p,
        system_prompt=choices.system_prompt,
        think=choices.think if can_think else None,
    )


def _first(*values: Any) -> Any:
    return next(value for value in values if value is not None)
