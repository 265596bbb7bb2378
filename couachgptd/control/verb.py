"""A row of the operator's table: what a verb takes and answers, and which function does it."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from couachgptd.control.routes import ROUTES
from couachgptd.core import access
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk, Document

Run = Callable[[Desk, Call], Awaitable[Json | Document] | AsyncGenerator[Json]]


@dataclass(frozen=True, slots=True)
class Verb:
    """`name` is in `core.access` and in `control.routes`, which say who may and where it is.

    `summary` is one English sentence; `answer` and `body` are shapes (`control.shapes`), a body of
    None has no keys; `query` says what each name of the query is. A stream answers a line an event,
    each of the shape `answer`.
    """

    name: str
    summary: str
    run: Run
    answer: Any
    body: Any = None
    query: Mapping[str, str] = field(default_factory=dict)
    status: int = 200

    @property
    def is_stream(self) -> bool:
        return self.name in access.STREAMS

    @property
    def keys(self) -> frozenset[str]:
        """Return what may be in the body."""
        return frozenset(self.body.__annotations__) if self.body else frozenset()

    @property
    def method(self) -> str:
        return ROUTES[self.name][0]

    @property
    def path(self) -> str:
        return ROUTES[self.name][1]
