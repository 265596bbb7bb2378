"""The engine's slots: which are free, and of which conversation each still has the prompt."""

from collections import OrderedDict
from collections.abc import Mapping

from couachgptd.core.ids import ConversationId

REMEMBERED_SLOTS = 1000  # conversations whose slot is remembered, for the engine's prefix cache


class Slots:
    """`kept` are the conversations that were the last in their slot, and it."""

    def __init__(self, count: int) -> None:
        self._free = list(range(count))
        self._slot_of: OrderedDict[ConversationId, int] = OrderedDict()
        self.kept: Mapping[ConversationId, int] = {}

    @property
    def free(self) -> int:
        return len(self._free)

    def take(self, conversation: ConversationId | None) -> int:
        """Take a slot: the one where this conversation's prefix may still be cached, if free."""
        last = self._slot_of.get(conversation) if conversation else None
        slot = last if last in self._free else self._free[0]
        self._free.remove(slot)
        self._overwrite(slot)
        if conversation:
            self.kept = {**self.kept, conversation: slot}
            self._slot_of[conversation] = slot
            self._slot_of.move_to_end(conversation)
            while len(self._slot_of) > REMEMBERED_SLOTS:
                self._slot_of.popitem(last=False)
        return slot

    def give_back(self, slot: int) -> None:
        self._free.append(slot)

    def spare(self) -> int:
        """Return the free slot that was used longest ago, for a call that takes none."""
        self._overwrite(self._free[0])
        return self._free[0]

    def _overwrite(self, slot: int) -> None:
        self.kept = {name: each for name, each in self.kept.items() if each != slot}
