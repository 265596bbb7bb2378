"""What the verbs of the control socket take, as typed dictionaries."""

from typing import Any, Literal, NotRequired, TypedDict


class NewUser(TypedDict):
    login: str
    password: str
    name: NotRequired[str]
    role: NotRequired[Literal["admin", "member", "reader"]]
    language: NotRequired[Literal["fr", "en"]]


class NewState(TypedDict):
    state: Literal["active", "suspended"]


class NewRole(TypedDict):
    role: Literal["admin", "member", "reader"]


class NewPassword(TypedDict):
    password: str


class Switch(TypedDict):
    is_on: bool


class Drain(TypedDict):
    drain_seconds: NotRequired[float]


class Question(TypedDict):
    text: str
    model: NotRequired[str | None]


class ModelChange(TypedDict):
    """What is left out stays; an option of null is the server's or the engine's own again."""

    visible_to: NotRequired[Literal["everyone", "members", "admins"]]
    temperature: NotRequired[float | None]
    top_p: NotRequired[float | None]
    answer_tokens: NotRequired[int | None]
    context_tokens: NotRequired[int | None]


class Removal(TypedDict):
    """`heir` is the login of who gets what is theirs; without one it is deleted, too."""

    heir: NotRequired[str | None]
    is_dry_run: NotRequired[bool]


class Purge(TypedDict):
    """One of the two: an id, or a login."""

    conversation: NotRequired[str]
    user: NotRequired[str]
    is_dry_run: NotRequired[bool]


class Kick(TypedDict):
    """One of the two: an id, or a login."""

    session: NotRequired[str]
    user: NotRequired[str]


class NewInvitation(TypedDict):
    uses: int
    days: int


class Quick(TypedDict):
    is_quick: NotRequired[bool]


class Kinds(TypedDict):
    kinds: NotRequired[list[str] | None]


class NewSetting(TypedDict):
    name: str
    value: Any


class NewBanner(TypedDict):
    """`level` is info by default; without `until` it stays until it is taken away."""

    text: str
    level: NotRequired[Literal["info", "warning", "error"]]
    until: NotRequired[str | None]


class NewLogo(TypedDict):
    """`data` is the file in base64: a PNG or an SVG of 256 KiB at most."""

    data: str


class NamedBackup(TypedDict):
    backup: str
