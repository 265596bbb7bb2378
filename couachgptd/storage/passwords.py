"""Password hashes by argon2id, on a thread of their own."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

# OWASP's password storage cheat sheet, first choice for argon2id: 19 MiB, 2 passes, 1 lane.
# More memory or lanes would take the CPU from the model and the budget from the daemon.
MEMORY_KIB = 19 * 1024
PASSES = 2
LANES = 1


def typed(password: str) -> str:
    """Return one form of what keyboards write differently: é may be one character or two."""
    return unicodedata.normalize("NFKC", password)


class Argon2Passwords:
    """See `core.ports.Passwords`. One thread: a burst of log-ins waits, answers go on."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "passwords")

    @cached_property
    def _hasher(self) -> "PasswordHasher":
        from argon2 import PasswordHasher

        return PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("a password that nobody has")

    async def hash(self, password: str) -> str:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: self._hasher.hash(typed(password)))

    async def verify(self, password: str, password_hash: str | None) -> bool:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._matches, password, password_hash)

    def _matches(self, password: str, password_hash: str | None) -> bool:
        from argon2.exceptions import InvalidHashError, VerificationError

        try:
            self._hasher.verify(password_hash or self._nobody, typed(password))
        except (VerificationError, InvalidHashError):
            return False
        return password_hash is not None

    def close(self) -> None:
        self._thread.shutdown()
