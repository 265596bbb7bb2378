"""Language models as the engine tells of them, and the pieces of an answer it streams."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from couachgptd.core.turns import Timings

Speaker = Literal["system", "user", "assistant"]

# Abilities that matter to people, named as Ollama names them. The last is ours: a model whose
# template cannot be told not to think.
THINKING, VISION, ALWAYS_THINKS = "thinking", "vision", "always_thinks"


@dataclass(frozen=True, slots=True)
class Model:
    """A language model in an engine.

    `size_bytes` is the file's; `context_tokens` is the longest context the model was trained
    for, None where the engine does not say; `abilities` are such as "thinking" or "vision";
    `is_broken` says that its file cannot be used as it is; `fingerprint` is another one once the
    file was replaced, None where the engine does not say.
    """

    name: str
    size_bytes: int | None = None
    family: str | None = None
    parameters: str | None = None
    quantization: str | None = None
    context_tokens: int | None = None
    abilities: frozenset[str] = frozenset()
    is_broken: bool = False
    fingerprint: str | None = None


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model that is in memory now; `memory_bytes` is what it takes there."""

    name: str
    memory_bytes: int | None = None
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """Whether the engine answers; `detail` is an error code where it does not.

    `address` is a URL, or the folder of its models where the engine is our own child.
    """

    kind: str
    address: str
    is_up: bool
    version: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class PromptMessage:
    """`images` are files, which the engine's adapter reads when it sends them."""

    speaker: Speaker
    text: str
    images: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One answer to be made.

    `slot` is the engine's slot where this conversation's prefix may still be cached; the last
    message may be the assistant's own, cut one: the engine then continues it. `think` None
    leaves the choice to the model.
    """

    model: str
    messages: tuple[PromptMessage, ...]
    max_tokens: int
    slot: int = 0
    think: bool | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Loading:
    """The model is being loaded into memory."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The prompt is being read; both are 0 where the engine does not say how far it is."""

    tokens: int = 0
    total_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Thought:
    """`tokens` is how many pieces of the engine's are in it: about as many tokens."""

    text: str
    tokens: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """As for Thought."""

    text: str
    tokens: int = 1


@dataclass(frozen=True, slots=True)
class Finished:
    """The last piece of an answer; `reason` is "stop" or "length"."""

    reason: str
    timings: Timings = field(default_factory=Timings)


Piece = Loading | Reading | Thought | Text | Finished


@dataclass(frozen=True, slots=True)
class PullProgress:
    """A download by the engine; both sizes are 0 while nothing is known."""

    stage: str
    done_bytes: int = 0
    total_bytes: int = 0
