"""Makes handlers of the socket out of an area's verbs, which return what each `ok` carries."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from aiohttp import web
from aiohttp.helpers import ChainMapProxy

from couachgptd.core.users import User
from couachgptd.http.fields import Json

Act = Callable[[Any, User, Json], Awaitable[Json]]


class Page(Protocol):
    """An open page, as far as an area needs it."""

    services: ChainMapProxy

    def ok(self, request: Json, **fields: Any) -> None: ...


def answering(
    verbs: Mapping[str, Act], key: web.AppKey[Any]
) -> dict[str, Callable[[Any, User, Json], Awaitable[None]]]:
    """Return a handler for each verb; `key` names what it works with."""

    def handler_of(act: Act) -> Callable[[Any, User, Json], Awaitable[None]]:
        async def handle(tab: Page, user: User, request: Json) -> None:
            tab.ok(request, **await act(tab.services[key], user, request))

        return handle

    return {verb: handler_of(act) for verb, act in verbs.items()}
