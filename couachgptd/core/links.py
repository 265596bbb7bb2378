"""One-time links: what they are for, and until when they work."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from couachgptd.core.ids import UserId

PASSWORD_LIFE = timedelta(hours=24)
USES_MOST = 1000
DAYS_MOST = 365
ID_LENGTH = 16  # of a key, enough to name a row and too little to be one


class LinkKind(StrEnum):
    PASSWORD = "password"  # noqa: S105 -- what the link is for
    INVITATION = "invitation"


@dataclass(frozen=True, slots=True)
class Link:
    """A link that works until `expires_at`, `uses_left` times; its secret is kept nowhere."""

    id: str
    kind: LinkKind
    user_id: UserId | None
    uses_left: int
    created_by: str
    created_at: datetime
    expires_at: datetime
