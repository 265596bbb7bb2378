"""Takes a JSON file of many conversations apart, so that only one at a time is ever held.

A parser of the whole file would need several times its size in memory. A scan finds where each
element begins and ends; whether that is JSON is found by whoever parses it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from couachgptd.core.errors import CouachError

HEAD_LENGTH = 64 * 1024
DEPTH_MAX = 500  # a parser would give up soon after
# Objects and lists of one element: each takes up to fifty times as much memory as in the file, and
# the parser lets nobody else do anything meanwhile. A conversation has about ten a message.
THINGS_MAX = 200_000

_OUTSIDE = re.compile(r'["{}\[\]]')
_INSIDE = re.compile(r'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_LIST = re.compile(r"\s*\[")
_OBJECT = re.compile(r"\s*\{")
# An object with a list of conversations; what stands before the list is its head.
_HEADED = re.compile(r'(\s*\{[^\[\]{}]*"conversations"\s*:\s*)\[')


class ImportBroken(CouachError):
    """The file ends too early, or is not JSON at all: nothing was taken from it."""

    code = "import_broken"


def elements(
    chunks: Iterable[str], *, max_length: int
) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Yield the head and the text of each element: of a list, of `conversations`, or the whole.

    The text is None where it is longer than `max_length` or made of too many things. Raises
    ImportBroken, once the scan gets to what is wrong.
    """
    coming = iter(chunks)
    text = ""
    for chunk in coming:
        text += chunk
        if len(text) >= HEAD_LENGTH:
            break
    text = text.removeprefix("\ufeff")
    head: dict[str, Any] = {}
    if found := _HEADED.match(text, 0, HEAD_LENGTH):
        head = parsed(f"{found[1]}[]}}")
    elif not (found := _LIST.match(text)):
        if not _OBJECT.match(text):
            raise ImportBroken
        for _, element in _apart(text, coming, max_length):
            yield {}, element
            return
    for is_end, element in _apart(text[found.end() :] if found else "", coming, max_length):
        if is_end:
            return
        yield head, element
    raise ImportBroken


def parsed(text: str) -> Any:
    """Return what a text says in JSON. Raises ImportBroken, also for what is nested too deep."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ImportBroken from None


def _apart(first: str, chunks: Iterable[str], max_length: int) -> Iterator[tuple[bool, str | None]]:
    """Yield each thing in brackets, and once the bracket that closes what is around them.

    Raises ImportBroken where the text ends within one, or it is too deep.
    """
    depth = 0
    brackets, kept = _Brackets(), _Kept(max_length)
    for chunk in chain((first,), chunks):
        text = brackets.rest + chunk
        start = 0
        for mark in brackets.of(text):
            if mark[0] in "{[":
                start = start if depth else mark.start()
                depth += 1
                kept.things += 1
                if depth > DEPTH_MAX:
                    raise ImportBroken
            elif depth == 0:
                yield True, None
                return
            else:
                depth -= 1
                if depth == 0:
                    yield False, kept.end(text[start : mark.end()])
        if depth:
            kept.add(text[start : len(text) - len(brackets.rest)])
    raise ImportBroken


class _Brackets:
    """Finds the brackets of a text that comes in chunks, without those in strings.

    `rest` is what has to be seen again with the next chunk: a backslash before what it escapes.
    """

    def __init__(self) -> None:
        self._is_inside = False  # of a string
        self.rest = ""

    def of(self, text: str) -> Iterator[re.Match[str]]:
        at, self.rest = 0, ""
        while at < len(text):
            if self._is_inside:
                found = _INSIDE.match(text, at)
                at = found.end() if found else at
                if text[at : at + 1] == '"':
                    self._is_inside = False
                    at += 1
                elif at < len(text):
                    self.rest = text[at:]
                    return
            else:
                mark = _OUTSIDE.search(text, at)
                if mark is None:
                    return
                at = mark.end()
                if mark[0] == '"':
                    self._is_inside = True
                else:
                    yield mark


class _Kept:
    """The text of one element, as long as it is not too long.

    `things` counts the objects and lists in it.
    """

    def __init__(self, max_length: int) -> None:
        self.things = 0
        self._max_length = max_length
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        self._length += len(piece)
        if self._length <= self._max_length:
            self._pieces.append(piece)
        else:
            self._pieces.clear()

    def end(self, piece: str) -> str | None:
        """Return the whole; None where it is too long. The next one may begin."""
        self.add(piece)
        is_whole = self._length <= self._max_length and self.things <= THINGS_MAX
        text = "".join(self._pieces)
        self._pieces, self._length, self.things = [], 0, 0
        return text if is_whole else None
