"""Messages from a stranger's file as one tree: parents before children, no circle, none empty."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from couachgptd.core.attachments import Part
from couachgptd.core.conversations import Author, title_from
from couachgptd.core.import_values import title_of
from couachgptd.core.portable import FORMAT

MESSAGES_MAX = 10_000  # of one conversation
FILE = "[…]"  # stands where a picture or a file was


class Skipped(Exception):
    """This one is not taken; `reason`: `shape`, `too_large`, `empty`."""

    def __init__(self, reason: str, title: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.title = title


@dataclass(frozen=True, slots=True)
class CameFile:
    """A file of a question; `member` is what its zip calls it."""

    name: str
    member: str
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """A message that came; `parent` is an index among those before it."""

    parent: int | None
    author: Author
    text: str
    thinking: str
    at: datetime
    model: str | None
    files: tuple[CameFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Imported:
    """A conversation that came. `origin` is the same each time it comes and has not changed.

    `own_id` is its id where it left from here; `files` counts those it had, also what no zip has.
    """

    title: str
    created_at: datetime
    updated_at: datetime
    messages: tuple[Came, ...]
    origin: str
    own_id: str | None = None
    is_title_own: bool = True
    is_pinned: bool = False
    is_archived: bool = False
    is_binned: bool = False
    files: int = 0


@dataclass(frozen=True, slots=True)
class Node:
    """`author` is None for what is only a joint of the tree: who follows it, follows its parent."""

    key: str
    parent: str | None
    author: Author | None
    text: str = ""
    thinking: str = ""
    at: datetime | None = None
    model: str | None = None
    files: tuple[CameFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Outside:
    """What is told of a conversation besides its messages."""

    source: str
    id: str
    title: str
    created_at: datetime | None
    updated_at: datetime | None
    is_title_own: bool = True
    is_pinned: bool = False
    is_archived: bool = False
    is_binned: bool = False
    files: int = 0


def built(outside: Outside, nodes: Sequence[Node], current: str | None, now: datetime) -> Imported:
    if len(nodes) > MESSAGES_MAX:
        raise Skipped("too_large", outside.title)
    kept = _tree(nodes)
    if not kept:
        raise Skipped("empty", outside.title)
    ordered = _ordered(kept, _shown(nodes, kept, current))
    at = outside.created_at or min((each.at for each in kept if each.at), default=now)
    place: dict[str, int] = {}
    messages: list[Came] = []
    for each in ordered:
        place[each.key] = len(messages)
        parent = place[each.parent] if each.parent is not None else None
        # An answer without a time is as old as its question.
        before = messages[parent].at if parent is not None else at
        messages.append(
            Came(
                parent, each.author or Author.MODEL, each.text, each.thinking,
                each.at or before, each.model, each.files,
            )
        )  # fmt: skip
    told = [[each.parent, each.author.value, each.text, each.thinking] for each in messages]
    title = outside.title or title_of(title_from(messages[0].text)) or FILE
    written = json.dumps([outside.source, outside.id, told], ensure_ascii=False)
    return Imported(
        title=title,
        created_at=at,
        updated_at=outside.updated_at or max(each.at for each in messages),
        messages=tuple(messages),
        origin=hashlib.sha256(written.encode()).hexdigest(),
        own_id=outside.id if outside.source == FORMAT else None,
        is_title_own=outside.is_title_own,
        is_pinned=outside.is_pinned,
        is_archived=outside.is_archived,
        is_binned=outside.is_binned,
        files=outside.files,
    )


def _tree(nodes: Sequence[Node]) -> list[Node]:
    """Return the messages, each with a message as its parent; no circle is left."""
    by_key = {node.key: node for node in nodes}
    kept = [
        node for node in by_key.values() if node.author is not None and (node.text or node.thinking)
    ]
    keys = {node.key for node in kept}
    found: list[Node] = []
    above: dict[str, str | None] = {}  # of joints: the message they hang on
    for node in kept:
        joints: dict[str, None] = {}
        parent = node.parent
        while parent is not None and parent not in keys:
            if parent in above:
                parent = above[parent]
                break
            joint = by_key.get(parent)
            is_circle = parent in joints
            joints[parent] = None
            parent = None if joint is None or is_circle else joint.parent
        above |= dict.fromkeys(joints, parent)
        found.append(replace(node, parent=parent))
    return _merged(_without_circles(found))


def _without_circles(nodes: list[Node]) -> list[Node]:
    parents = {node.key: node.parent for node in nodes}
    good: set[str] = set()  # from here a root is reached
    for node in nodes:
        way: dict[str, None] = {}
        key: str | None = node.key
        while key is not None and key not in good and key not in way:
            way[key] = None
            key = parents[key]
        if key is not None and key not in good:
            parents[key] = None  # cut where the circle closes: nothing of it is lost
        good.update(way)
    return [replace(node, parent=parents[node.key]) for node in nodes]


def _merged(nodes: list[Node]) -> list[Node]:
    """Join an answer in several steps, as those with tools are, where nothing branches between."""
    by_key = {node.key: node for node in nodes}
    children: dict[str | None, list[str]] = {}
    for node in nodes:
        children.setdefault(node.parent, []).append(node.key)
    into: dict[str, str] = {}
    for node in _walk(nodes, children, frozenset()):
        if node.author is not Author.MODEL or node.parent is None:
            continue
        first = into.get(node.parent, node.parent)
        if by_key[first].author is Author.MODEL and len(children[node.parent]) == 1:
            one, own = by_key[first], by_key[node.key]
            by_key[first] = replace(
                one,
                text="\n\n".join(filter(None, (one.text, own.text))),
                thinking="\n\n".join(filter(None, (one.thinking, own.thinking))),
                model=own.model or one.model,
            )
            into[node.key] = first
    return [
        replace(by_key[node.key], parent=into.get(node.parent or "", node.parent))
        for node in nodes
        if node.key not in into
    ]


def _shown(nodes: Sequence[Node], kept: Sequence[Node], current: str | None) -> frozenset[str]:
    """Return the keys from the message that was shown last up to its root."""
    parents = {node.key: node.parent for node in nodes}
    way: dict[str, None] = {}
    while current is not None and current not in way:
        way[current] = None
        current = parents.get(current)
    return frozenset(way) & {node.key for node in kept}


def _ordered(nodes: list[Node], shown: frozenset[str]) -> list[Node]:
    """Return parents before children; the branch that was shown ends last, so it is the newest.

    As they stand in the file, where that is such an order already.
    """
    seen: set[str] = set()
    for node in nodes:
        if node.parent is not None and node.parent not in seen:
            break
        seen.add(node.key)
    else:
        parents = {node.parent for node in nodes}
        if not shown or (nodes[-1].key in shown and nodes[-1].key not in parents):
            return nodes
    children: dict[str | None, list[str]] = {}
    for node in nodes:
        children.setdefault(node.parent, []).append(node.key)
    return _walk(nodes, children, shown)


def _walk(
    nodes: Sequence[Node], children: Mapping[str | None, list[str]], last: frozenset[str]
) -> list[Node]:
    by_key = {node.key: node for node in nodes}
    waiting = sorted(children.get(None, ()), key=lambda key: key in last)[::-1]
    found = []
    while waiting:
        key = waiting.pop()
        found.append(by_key[key])
        waiting += sorted(children.get(key, ()), key=lambda child: child in last)[::-1]
    return found
