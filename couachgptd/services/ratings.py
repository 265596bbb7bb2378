"""The verb of a thumb up or down: it is kept, and told to every page that shows the answer."""

from couachgptd.core import wire
from couachgptd.core.ids import MessageId
from couachgptd.core.ports import Store
from couachgptd.core.ratings import checked
from couachgptd.core.users import User
from couachgptd.services.topics import Topics


class RatingService:
    def __init__(self, store: Store, topics: Topics) -> None:
        self._store = store
        self._topics = topics

    async def rate(self, user: User, message_id: int, value: object, word: str) -> None:
        """Keep what a person says of an answer; None takes it back.

        Raises NotFound, TurnRunning, BadRequest.
        """
        given = checked(value, word)
        conversation, message = await self._store.rate(user.id, MessageId(message_id), given)
        topic = self._topics.topic(conversation.id)
        topic.publish("messages", {"messages": [wire.message(message)]}, revises=True)
        topic.rest()
