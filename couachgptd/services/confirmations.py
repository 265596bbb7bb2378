"""Who typed their password again a moment ago, as dangerous actions ask for."""

import time
from collections.abc import Callable

from couachgptd.core.errors import PasswordNeeded
from couachgptd.core.users import User
from couachgptd.services.accounts import AccountService

STANDS_SECONDS = 300.0


class Confirmations:
    """In memory and by session: ends with the session, and with the daemon."""

    def __init__(self, accounts: AccountService, now: Callable[[], float] = time.monotonic) -> None:
        self._accounts = accounts
        self._now = now
        self._until: dict[str, float] = {}

    async def confirm(self, user: User, password: str, address: str, session_id: str) -> None:
        """Raises what a log-in does: the tries are counted with those."""
        await self._accounts.log_in(user.login, password, address)
        now = self._now()
        self._until = {key: until for key, until in self._until.items() if until > now}
        self._until[session_id] = now + STANDS_SECONDS

    def require(self, session_id: str) -> None:
        """Raise PasswordNeeded unless the password was typed in this session a moment ago."""
        if self._until.get(session_id, 0.0) <= self._now():
            raise PasswordNeeded
