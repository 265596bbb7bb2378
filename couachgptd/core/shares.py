"""A snapshot of a branch that colleagues may read: who is let in, what they see, and for how long.

It goes with its conversation: in the bin nobody sees it, restored they do again, deleted for good
it is gone; handed over to an heir it is the heir's. A colleague who is suspended has no session.
"""

import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NewType, Protocol

from couachgptd.core.conversations import Conversation
from couachgptd.core.errors import CouachError
from couachgptd.core.ids import CONVERSATION_ID_BYTES, ConversationId, MessageId, UserId
from couachgptd.core.portable import Written

ShareId = NewType("ShareId", str)

SHARES_CHANGED = "shares"  # an event for every page: whoever shows a share asks for it anew
PEOPLE_MAX = 200  # of one share
PEOPLE_LISTED = 20


class PersonUnknown(CouachError):
    """Nobody with an active account has this login, or it is one's own."""

    code = "person_unknown"


class SharedEnough(CouachError):
    """A share is with as many people as it may be. Fields: `limit`."""

    code = "shared_enough"


@dataclass(frozen=True, slots=True)
class Colleague:
    """All that members learn of one another."""

    login: str
    name: str


@dataclass(frozen=True, slots=True)
class Share:
    """What an owner sees of it: from when it is, how much it holds, with whom it is shared."""

    id: ShareId
    created_at: datetime
    messages: int
    people: tuple[Colleague, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """What a colleague sees of it."""

    id: ShareId
    title: str
    owner: Colleague
    created_at: datetime
    messages: int


class ShareStore(Protocol):
    """A part of `core.ports.Store`. Each method is one transaction.

    The first four are the owner's: another's conversation, and one in the bin, is not found.
    The others are for who was let in, and the owner: else the share is not found.
    """

    async def share_of(self, user_id: UserId, conversation_id: ConversationId) -> Share | None: ...

    async def add_to_share(
        self, user_id: UserId, conversation_id: ConversationId, login: str, leaf: MessageId | None
    ) -> Share:
        """Let somebody in; the first one makes the snapshot, of the branch that ends at `leaf`.

        Raises NotFound, PersonUnknown, SharedEnough.
        """
        ...

    async def renew_share(
        self, user_id: UserId, conversation_id: ConversationId, leaf: MessageId | None
    ) -> Share:
        """Make the snapshot anew; who was let in sees that one. Raises NotFound."""
        ...

    async def remove_from_share(
        self, user_id: UserId, conversation_id: ConversationId, login: str | None
    ) -> Share | None:
        """Shut one out, or all where `login` is None; the last one takes the snapshot along."""
        ...

    async def shared_with(self, user_id: UserId) -> list[Shared]:
        """Return what others let this person see, the newest first."""
        ...

    async def shared(self, user_id: UserId, share_id: ShareId) -> Shared:
        """Raises NotFound."""
        ...

    async def shared_messages(
        self, user_id: UserId, share_id: ShareId, after: int, limit: int
    ) -> list[Written]:
        """Return the messages whose number is greater than `after`; none where none may be seen."""
        ...

    async def fork_share(self, user_id: UserId, share_id: ShareId) -> Conversation:
        """Make a conversation of this person's own out of it. Raises NotFound."""
        ...

    async def colleagues(self, user_id: UserId) -> list[Colleague]:
        """Return everybody else with an active account, by name."""
        ...


def new_share_id() -> ShareId:
    """Return an unguessable id that is safe in a URL."""
    return ShareId(secrets.token_urlsafe(CONVERSATION_ID_BYTES))


def called(people: Iterable[Colleague], typed: str) -> list[Colleague]:
    """Return those of whom every word typed begins a word of their name or login."""
    wanted = _folded(typed).split()
    return [each for each in people if _is_called(each, wanted)][:PEOPLE_LISTED]


def _is_called(person: Colleague, wanted: Sequence[str]) -> bool:
    words = _folded(f"{person.name} {person.login}").replace("-", " ").replace(".", " ").split()
    whole = [*words, _folded(person.login)]
    return all(any(word.startswith(each) for word in whole) for each in wanted)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if not unicodedata.combining(char)).casefold()
