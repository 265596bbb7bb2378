"""Whose a kept thing is: a person's own, or everybody's, which administrators write."""

from couachgptd.core.errors import NotAllowed
from couachgptd.core.ids import UserId
from couachgptd.core.users import Role, User


def owner_of(user: User, verb: str, *, is_shared: bool) -> UserId | None:
    """Return the owner of what this person writes; None owns what is shared. Raises NotAllowed."""
    if not is_shared:
        return user.id
    if user.role is not Role.ADMIN:
        raise NotAllowed(verb=verb)
    return None
