"""People: their roles and states, and what a name and a password must look like."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from couachgptd.core.errors import (
    BadRequest,
    LoginInvalid,
    PasswordsDiffer,
    PasswordTooLong,
    PasswordTooShort,
)
from couachgptd.core.ids import UserId

LOGIN_MIN_LENGTH = 2
LOGIN_MAX_LENGTH = 64
# What separates the parts of an address: such a login could not be named in one.
LOGIN_FORBIDDEN = frozenset("/\\?#%")
# Not in a new login: separators and quotes of the lists, addresses and files that logins get into.
NEW_LOGIN_FORBIDDEN = frozenset(";=\"',<>")
# Drawn as nothing although Unicode counts them as letters or marks: "admin" with one of these
# behind it would look like "admin".
INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}
    | {*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)}
)
SESSION_ID_LENGTH = 16  # of a session's key
ZONE = re.compile(r"[A-Za-z][\w+-]*(?:/[\w+-]+)*", re.ASCII)  # as the IANA list writes names
ZONE_MAX_LENGTH = 64
MODEL_MAX_LENGTH = 200
PASSWORD_MAX_LENGTH = 1024  # hashing cost grows with length: a bound keeps a login cheap


class Role(StrEnum):
    ADMIN = "admin"
    MEMBER = "member"
    READER = "reader"


class UserState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class User:
    """A person with an account.

    `zone` is a name of the IANA list, "" for the browser's own; `model` answers where a question
    names none, "" for the server's default.
    """

    id: UserId
    login: str
    name: str
    role: Role
    state: UserState
    language: str
    created_at: datetime
    zone: str = ""
    model: str = ""

    @property
    def is_active(self) -> bool:
        return self.state is UserState.ACTIVE


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in that still holds; `id` names it, and opens nothing.

    `agent` is what the browser calls itself. `seen_at` is when it last asked for anything, to the
    minute; None before that was kept.
    """

    id: str
    user_id: UserId
    login: str
    address: str
    created_at: datetime
    seen_at: datetime | None
    expires_at: datetime
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Belongings:
    """How much is a person's, or goes with a deletion."""

    conversations: int
    messages: int


def normal_login(text: str) -> str:
    """Return the one spelling of a login, or raise LoginInvalid.

    NFKC and case folding make one name of what is written in several ways; what cannot be seen
    or typed back, and what is no name in an address, is refused.
    """
    login = unicodedata.normalize("NFKC", text).strip().casefold()
    login = unicodedata.normalize("NFKC", login)
    is_shown = all(unicodedata.category(char)[0] not in "CZ" for char in login)
    is_usable = is_shown and not any(
        char in LOGIN_FORBIDDEN or ord(char) in INVISIBLE for char in login
    )
    is_name = any(char.isalnum() for char in login)
    if not (is_usable and is_name and LOGIN_MIN_LENGTH <= len(login) <= LOGIN_MAX_LENGTH):
        raise LoginInvalid(min_length=LOGIN_MIN_LENGTH, max_length=LOGIN_MAX_LENGTH)
    return login


def new_login(text: str) -> str:
    """Return the one spelling of a login that somebody chooses, or raise LoginInvalid.

    It is stricter than `normal_login`, by which accounts that are older are still found.
    """
    login = normal_login(text)
    if NEW_LOGIN_FORBIDDEN.isdisjoint(login):
        return login
    raise LoginInvalid(min_length=LOGIN_MIN_LENGTH, max_length=LOGIN_MAX_LENGTH)


def check_new_password(password: str, again: str, min_length: int) -> None:
    """Raise what is wrong with a password that somebody chooses."""
    if len(password.strip()) < min_length:
        raise PasswordTooShort(min_length=min_length)
    if len(password) > PASSWORD_MAX_LENGTH:
        raise PasswordTooLong(max_length=PASSWORD_MAX_LENGTH)
    if password != again:
        raise PasswordsDiffer


def checked_zone(text: str) -> str:
    """Return the name of a time zone, or "". Raises BadRequest.

    Which zones there are is the browser's to know, for it writes the dates.
    """
    if text and not (len(text) <= ZONE_MAX_LENGTH and ZONE.fullmatch(text)):
        raise BadRequest(reason="zone")
    return text
