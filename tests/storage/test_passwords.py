"""Password hashes by argon2id."""

from collections.abc import Iterator

import pytest

from couachgptd.storage.passwords import Argon2Passwords


@pytest.fixture
def passwords() -> Iterator[Argon2Passwords]:
    opened = Argon2Passwords()
    yield opened
    opened.close()


async def test_a_password_is_right_for_its_own_hash_only(passwords: Argon2Passwords) -> None:
    kept = await passwords.hash("un mot de passe")

    assert await passwords.verify("un mot de passe", kept)
    assert not await passwords.verify("un mot de passE", kept)
    assert not await passwords.verify("", kept)


async def test_the_same_password_never_has_the_same_hash(passwords: Argon2Passwords) -> None:
    assert await passwords.hash("a") != await passwords.hash("a")


async def test_a_hash_costs_what_owasp_asks_for(passwords: Argon2Passwords) -> None:
    assert (await passwords.hash("a")).startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_nobodys_password_is_never_right(passwords: Argon2Passwords) -> None:
    assert not await passwords.verify("a password that nobody has", None)


async def test_a_damaged_hash_is_a_wrong_password(passwords: Argon2Passwords) -> None:
    assert not await passwords.verify("a", "not a hash")


async def test_a_password_is_the_same_however_a_keyboard_writes_its_accents(
    passwords: Argon2Passwords,
) -> None:
    kept = await passwords.hash("me\u0301lo die d'e\u0301te\u0301")

    assert await passwords.verify("m\u00e9lo die d'\u00e9t\u00e9", kept)
