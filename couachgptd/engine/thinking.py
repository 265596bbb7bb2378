"""Splits what a model writes into thoughts and text around `<think>` and `</think>`."""

from couachgptd.core.models import Piece, Text, Thought

OPENING = "<think>"
CLOSING = "</think>"


class ThinkingSplitter:
    """Takes the text as it comes, tags cut anywhere, and gives it back as Thought and Text.

    Only a thought that comes first is one: a `<think>` in mid-answer is what the model says
    about the tag, in a code block for instance, and stays text. `starts_inside` is for templates
    that open the thought themselves, so that only the closing tag is ever seen.
    """

    def __init__(self, *, starts_inside: bool = False) -> None:
        self._held = ""
        self._is_inside = starts_inside
        self._may_open = True
        self._skips_blanks = starts_inside

    @property
    def is_plain(self) -> bool:
        """Say that nothing is held and no tag matters any more: all that comes is text."""
        return not (self._may_open or self._is_inside or self._skips_blanks or self._held)

    def feed(self, delta: str) -> list[Piece]:
        """Return what is certain by now; the beginning of a tag is held back."""
        if self.is_plain:
            return [Text(delta)] if delta else []
        self._held += delta
        pieces: list[Piece] = []
        if self._may_open and not self._opened():
            return pieces
        if self._is_inside:
            self._think(pieces)
        if not self._is_inside:
            self._write(pieces)
        return pieces

    def finish(self) -> list[Piece]:
        """Return what was held back: it was no tag after all."""
        held, self._held = self._held, ""
        if self._may_open and not self._is_inside and not held.strip():
            return []
        if not held:
            return []
        return [Thought(held) if self._is_inside else Text(held)]

    def _opened(self) -> bool:
        """Decide whether the answer starts with a thought; False while it cannot be known."""
        start = self._held.lstrip()
        if len(start) < len(OPENING) and OPENING.startswith(start):
            return False
        self._may_open = False
        if start.startswith(OPENING):
            self._is_inside = True
            self._skips_blanks = True
            self._held = start.removeprefix(OPENING)
        return True

    def _think(self, pieces: list[Piece]) -> None:
        if self._skips_blanks:
            self._held = self._held.lstrip()
            self._skips_blanks = not self._held
        thought, closing, rest = self._held.partition(CLOSING)
        if closing:
            self._held = rest
            self._is_inside = False
            self._skips_blanks = True
            thought = thought.rstrip()
        else:
            kept = self._tail_that_may_close()
            thought, self._held = self._held[: len(self._held) - kept], self._held[-kept:]
            if not kept:
                self._held = ""
        if thought:
            pieces.append(Thought(thought))

    def _write(self, pieces: list[Piece]) -> None:
        # The blank lines between a thought and the answer belong to neither.
        text = self._held.lstrip() if self._skips_blanks else self._held
        self._held = ""
        if text:
            self._skips_blanks = False
            pieces.append(Text(text))

    def _tail_that_may_close(self) -> int:
        longest = min(len(self._held), len(CLOSING) - 1)
        for length in range(longest, 0, -1):
            if CLOSING.startswith(self._held[-length:]):
                return length
        return 0


def joined(pieces: list[Piece]) -> list[Piece]:
    """Join neighbours of one kind, counted: what one network read brought is one piece."""
    if len(pieces) <= 1:
        return pieces
    result: list[Piece] = []
    run: list[str] = []
    kind: type[Text | Thought] | None = None
    for piece in pieces:
        if isinstance(piece, Text | Thought):
            if kind is not type(piece):
                if kind is not None:
                    result.append(kind("".join(run), len(run)))
                kind, run = type(piece), []
            run.append(piece.text)
        else:
            if kind is not None:
                result.append(kind("".join(run), len(run)))
                kind = None
            result.append(piece)
    if kind is not None:
        result.append(kind("".join(run), len(run)))
    return result
