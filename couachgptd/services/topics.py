"""What happens in a conversation, at positions: no gap and no repeat for whoever comes back."""

import json
import secrets
from collections import deque
from collections.abc import Callable
from typing import Any

Send = Callable[[str], None]

# What a socket may have missed and still catch up without a snapshot: about 20 s of a fast answer.
HELD_EVENTS = 512
EPOCH_BYTES = 6

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
quoted = json.encoder.encode_basestring  # what `encode` makes of a string


class Topic:
    """The events of one conversation since the daemon started, the newest of them held."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.n = 0
        # Grows when what the store holds changed in a way that no later `text` event tells.
        self.revision = 0
        self.is_live = False
        self.watchers: dict[object, Send] = {}
        self._held: deque[str] = deque(maxlen=HELD_EVENTS)
        self._text_head = f'{{"type":"text","conversation":{quoted(name)},"n":'

    def publish(self, kind: str, fields: dict[str, Any], *, revises: bool = False) -> None:
        self.n += 1
        self.revision += revises
        if kind == "text":
            # One for each token: put together by hand, it costs a fifth.
            text = (
                f'{self._text_head}{self.n},"message":{fields["message"]},'
                f'"kind":"{fields["kind"]}","d":{quoted(fields["d"])}}}'
            )
        else:
            text = encode({"type": kind, "conversation": self.name, "n": self.n, **fields})
        self._held.append(text)
        for send in self.watchers.values():
            send(text)

    def rest(self) -> None:
        """Let go of the events where nobody watches and nothing grows; the position stays."""
        if not self.watchers and not self.is_live:
            self._held.clear()

    def after(self, n: int) -> list[str] | None:
        """Return the events after position n, or None if they are not all held any more."""
        missed = self.n - n
        if not 0 <= missed <= len(self._held):
            return None
        return list(self._held)[len(self._held) - missed :]


class Topics:
    """Every topic of this start of the daemon, which its epoch names."""

    def __init__(self) -> None:
        self.epoch = secrets.token_urlsafe(EPOCH_BYTES)
        self._topics: dict[str, Topic] = {}
        self._people: dict[int, dict[object, Send]] = {}

    def topic(self, name: str) -> Topic:
        return self._topics.setdefault(name, Topic(name))

    def position(self, topic: Topic) -> dict[str, Any]:
        return {"epoch": self.epoch, "n": topic.n}

    def missed(self, topic: Topic, position: dict[str, Any] | None) -> list[str] | None:
        """Return what somebody who saw `position` has missed, or None: send a snapshot."""
        if not isinstance(position, dict) or position.get("epoch") != self.epoch:
            return None
        n = position.get("n")
        return topic.after(n) if type(n) is int else None

    def snapshot(self, topic: Topic, messages: list[dict[str, Any]]) -> str:
        """Return the whole of a conversation, at the position it has right now."""
        position = self.position(topic)
        return encode(
            {
                "type": "snapshot",
                "conversation": topic.name,
                "position": position,
                "messages": messages,
            }
        )

    def unwatch(self, name: str, watcher: object) -> None:
        topic = self._topics.get(name)
        if topic is not None:
            topic.watchers.pop(watcher, None)
            topic.rest()

    # personal events: to every tab of one person, without a position

    def enter(self, user_id: int, watcher: object, send: Send) -> None:
        self._people.setdefault(user_id, {})[watcher] = send

    def leave(self, user_id: int, watcher: object) -> None:
        tabs = self._people.get(user_id, {})
        tabs.pop(watcher, None)
        if not tabs:
            self._people.pop(user_id, None)

    def tell(self, user_id: int, kind: str, fields: dict[str, Any]) -> None:
        tabs = self._people.get(user_id)
        if tabs:
            text = encode({"type": kind, **fields})
            for send in tabs.values():
                send(text)

    def tell_all(self, kind: str, fields: dict[str, Any]) -> None:
        """Tell every tab of everybody."""
        text = encode({"type": kind, **fields})
        for tabs in self._people.values():
            for send in tabs.values():
                send(text)

    def pages_of(self, user_id: int) -> int:
        return len(self._people.get(user_id, {}))

    @property
    def people(self) -> list[int]:
        """Return who has a tab open."""
        return list(self._people)

    @property
    def sockets(self) -> int:
        return sum(len(tabs) for tabs in self._people.values())
