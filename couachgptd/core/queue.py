"""Who runs next: first come, first served, never two turns of one conversation at once."""

from collections.abc import Container
from dataclasses import dataclass

from couachgptd.core.ids import ConversationId, TurnId, UserId


@dataclass(frozen=True, slots=True)
class Waiting:
    turn: TurnId
    asker: UserId | None
    conversation: ConversationId | None


class Queue:
    """The turns that wait, in order. It decides; the runner acts."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, waiting: Waiting) -> None:
        self._waiting.append(waiting)

    def remove(self, turn: TurnId) -> bool:
        """Take a turn out; say whether it was waiting."""
        before = len(self._waiting)
        self._waiting = [waiting for waiting in self._waiting if waiting.turn != turn]
        return len(self._waiting) < before

    def pop(self, running: Container[ConversationId]) -> Waiting | None:
        """Take out the next turn whose conversation is not being answered."""
        for index, waiting in enumerate(self._waiting):
            if waiting.conversation is None or waiting.conversation not in running:
                return self._waiting.pop(index)
        return None

    def places(self) -> dict[TurnId, int]:
        """Return how many turns stand before each."""
        return {waiting.turn: place for place, waiting in enumerate(self._waiting)}

    def waiting_of(self, asker: UserId | None) -> int:
        return sum(waiting.asker == asker for waiting in self._waiting)
