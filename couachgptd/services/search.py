"""The verb of search: what a person typed in, what of theirs holds it out."""

from couachgptd.core import wire
from couachgptd.core.ids import MessageId
from couachgptd.core.ports import Store
from couachgptd.core.search import Found, expression
from couachgptd.core.users import User
from couachgptd.core.wire import Json

FOUND_AT_ONCE = 20


class SearchService:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def search(self, user: User, typed: str, before: int | None) -> Json:
        """Return what of the user's own holds every word typed; `before` a message, the older ones.

        What has no word in it finds nothing.
        """
        words = expression(typed)
        if words is None:
            return wire.found(Found([], [], has_more=False))
        older = None if before is None else MessageId(before)
        return wire.found(
            await self._store.search(user.id, words, before=older, limit=FOUND_AT_ONCE)
        )
