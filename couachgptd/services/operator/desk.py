"""What an operator's verb is given: the services it works with, and the call itself."""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from couachgptd.core.errors import BadRequest, CouachError
from couachgptd.core.lives import Restart
from couachgptd.core.ports import LogTail, SettingsInForce, Store
from couachgptd.core.users import Role
from couachgptd.core.wire import Json
from couachgptd.services.accounts import AccountService
from couachgptd.services.chat import ChatService
from couachgptd.services.conversations import ConversationService
from couachgptd.services.fitting import Fitting
from couachgptd.services.links import LinkService
from couachgptd.services.logo import Logo
from couachgptd.services.maintenance import Maintenance
from couachgptd.services.model_rules import Rules
from couachgptd.services.models import ModelService
from couachgptd.services.orders import Orders
from couachgptd.services.runner import TurnRunner
from couachgptd.services.shutdown import Shutdown
from couachgptd.services.site import Site
from couachgptd.services.starters import Starters
from couachgptd.services.topics import Topics
from couachgptd.services.watch import Watch


@dataclass(slots=True)
class Desk:
    """The services; `address` is where people find the chat, known once the listener is open."""

    accounts: AccountService
    links: LinkService
    chat: ChatService
    conversations: ConversationService
    models: ModelService
    runner: TurnRunner
    topics: Topics
    watch: Watch
    maintenance: Maintenance
    site: Site
    logo: Logo
    orders: Orders
    fitting: Fitting
    starters: Starters
    rules: Rules
    shutdown: Shutdown
    settings: SettingsInForce
    log: LogTail
    store: Store
    restarts: Sequence[Restart]  # the daemon's last
    directory: Path
    version: str
    address: str = ""
    started: float = field(default_factory=time.monotonic)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @asynccontextmanager
    async def audited(self, call: "Call", verb: str, **detail: Any) -> AsyncGenerator[None]:
        """Keep in the audit what the block does; what it only tried, with an `error`.

        That is the code of what refused it, or `cut` where it was not let end.
        """
        outcome = {"error": "cut"}
        try:
            yield
            outcome = {}
        except CouachError as error:
            outcome = {"error": error.code}
            raise
        finally:
            await self.store.audit(call.actor, verb, {**detail, **outcome})


@dataclass(frozen=True, slots=True)
class Document:
    """An answer that is no JSON: a text, or a file as it is; `name` is what it is saved as."""

    content: str | Path
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a verb: `actor` is who the audit names, `names` are those in the path."""

    actor: str
    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json = field(default_factory=dict)

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text of the body. Raises BadRequest that names it."""
        value: Any = self.body.get(name, default)
        if not isinstance(value, str):
            raise BadRequest(reason=name)
        try:
            value.encode()
        except UnicodeEncodeError:  # half of a pair, which the store could not take
            raise BadRequest(reason=name) from None
        return value

    def flag(self, name: str) -> bool:
        """Return a yes or no of the body. Raises BadRequest that names it."""
        value = self.body.get(name)
        if not isinstance(value, bool):
            raise BadRequest(reason=name)
        return value

    def number(self, name: str, default: float | None, most: float) -> float | None:
        """Return a number of the body, from 0 to `most`. Raises BadRequest that names it."""
        value = self.body.get(name, default)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise BadRequest(reason=name)
        return value

    def role(self, default: str | None = None) -> Role:
        """Return the role that the body names. Raises BadRequest."""
        try:
            return Role(self.text("role", default))
        except ValueError:
            raise BadRequest(reason="role") from None

    def count(self, name: str, default: int, most: int) -> int:
        """Return a number of the query, from 1 to `most`. Raises BadRequest that names it."""
        given = self.query.get(name, str(default))
        try:
            value = int(given)
        except ValueError:
            value = 0
        if not 0 < value <= most:
            raise BadRequest(reason=name)
        return value
