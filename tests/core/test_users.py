"""What a name and a password must look like."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.errors import (
    LoginInvalid,
    PasswordsDiffer,
    PasswordTooLong,
    PasswordTooShort,
)
from couachgptd.core.users import (
    LOGIN_MAX_LENGTH,
    PASSWORD_MAX_LENGTH,
    check_new_password,
    new_login,
    normal_login,
)


@pytest.mark.parametrize(
    ("typed", "login"),
    [
        ("Claire", "claire"),
        ("  claire ", "claire"),
        ("\uff43laire", "claire"),  # a full-width c
        ("STRASSE", "strasse"),
        ("straße", "strasse"),
        ("e\u0301lodie", "élodie"),
        ("claire@example.org", "claire@example.org"),
        ("jean-luc.d", "jean-luc.d"),
        ("山田", "山田"),
    ],
)
def test_spellings_of_one_login_are_one_login(typed: str, login: str) -> None:
    assert normal_login(typed) == login


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "a",
        " a ",
        "a" * (LOGIN_MAX_LENGTH + 1),
        "two words",
        "a\u00a0b",
        "nul\0l",
        "tab\tbed",
        "new\nline",
        "soft\u00adhyphen",
        "zero\u200bwidth",
        "admin\u202e",  # writes what follows from right to left
        "admin\ufe0f",  # a variation selector: looks like admin
        "admin\u3164",  # a Hangul filler: looks like admin
        "admin\u034f",  # a joiner of graphemes: looks like admin
        "admin\U000e0101",
        "\u3164\u3164",
        "lone\ud800surrogate",
        ".",
        "..",  # no address could name it: `/users/../approve` is `/approve`
        "--",
        "a/b",
        "a\\b",
        "a?b",
        "a#b",
        "a%2fb",
    ],
)
def test_a_login_that_cannot_be_typed_seen_or_addressed_is_refused(typed: str) -> None:
    with pytest.raises(LoginInvalid) as raised:
        normal_login(typed)

    assert raised.value.fields == {"min_length": 2, "max_length": 64}


@pytest.mark.parametrize("char", ";=\"',<>")
def test_what_separates_and_quotes_is_in_no_new_login(char: str) -> None:
    with pytest.raises(LoginInvalid) as raised:
        new_login(f"jean{char}luc")

    assert raised.value.fields == {"min_length": 2, "max_length": 64}
    assert normal_login(f"jean{char}luc") == f"jean{char}luc", "an older account is still found"
    assert new_login("Jean-Luc.d+test@example.org") == "jean-luc.d+test@example.org"


@given(st.text())
def test_the_normal_spelling_of_a_login_is_its_own_normal_spelling(text: str) -> None:
    try:
        login = normal_login(text)
    except LoginInvalid:
        return

    assert normal_login(login) == login
    assert normal_login(login.upper().lower()) == normal_login(login.lower())


def test_a_good_password_raises_nothing() -> None:
    check_new_password("0123456789", "0123456789", 10)


@pytest.mark.parametrize("password", ["", "123456789", " " * 30, "  12345678   "])
def test_a_short_or_blank_password_is_refused_with_the_length(password: str) -> None:
    with pytest.raises(PasswordTooShort) as raised:
        check_new_password(password, password, 10)

    assert raised.value.fields == {"min_length": 10}


def test_a_password_longer_than_the_bound_is_refused() -> None:
    password = "a" * (PASSWORD_MAX_LENGTH + 1)

    with pytest.raises(PasswordTooLong):
        check_new_password(password, password, 10)


def test_a_password_as_long_as_the_bound_is_taken() -> None:
    password = "a" * PASSWORD_MAX_LENGTH

    check_new_password(password, password, 10)


def test_two_passwords_that_differ_are_refused() -> None:
    with pytest.raises(PasswordsDiffer):
        check_new_password("0123456789", "0123456780", 10)
