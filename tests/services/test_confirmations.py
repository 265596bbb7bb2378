"""The password typed again: for how long it counts."""

from typing import Any

import pytest

from couachgptd.core.errors import PasswordNeeded, WrongPassword
from couachgptd.services.confirmations import STANDS_SECONDS, Confirmations

PERSON: Any = type("Person", (), {"login": "ada"})


class Accounts:
    """Knows one password; what is tried is asked of it as at a log-in."""

    async def log_in(self, login: str, password: str, address: str) -> None:
        if (login, password, address) != ("ada", "right", "10.0.0.1"):
            raise WrongPassword


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_it_counts_until_its_time_is_over() -> None:
    clock, accounts = Clock(), Accounts()
    confirmations = Confirmations(accounts, clock)  # type: ignore[arg-type]
    await confirmations.confirm(PERSON, "right", "10.0.0.1", "session")

    clock.now += STANDS_SECONDS - 1
    confirmations.require("session")
    clock.now += 1
    with pytest.raises(PasswordNeeded):
        confirmations.require("session")


async def test_a_wrong_one_counts_for_nothing() -> None:
    confirmations = Confirmations(Accounts(), Clock())  # type: ignore[arg-type]

    with pytest.raises(WrongPassword):
        await confirmations.confirm(PERSON, "wrong", "10.0.0.1", "session")
    with pytest.raises(PasswordNeeded):
        confirmations.require("session")
