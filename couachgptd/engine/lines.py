"""Cuts a byte stream into lines, with a bound on how long a line may be."""

from couachgptd.core.errors import AnswerInterrupted

LINE_MAX_BYTES = 1 << 20  # a token's line is some 150 bytes; a longer one is no answer


class LineCutter:
    """Takes bytes as they come and gives back whole lines, without their ends."""

    def __init__(self, max_bytes: int = LINE_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []
        self._held = 0

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that are whole by now. Raises AnswerInterrupted on too long a one."""
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if lines and self._parts:
            self._parts.append(lines[0])
            lines[0] = b"".join(self._parts)
            self._parts.clear()
            self._held = 0
        if rest:
            # Parts, not one growing string: that would copy a long line again at each read.
            self._parts.append(rest)
            self._held += len(rest)
            if self._held > self._max_bytes:
                raise AnswerInterrupted(reason="line_too_long")
        if lines and max(map(len, lines)) > self._max_bytes:
            raise AnswerInterrupted(reason="line_too_long")
        return lines

    def rest(self) -> bytes:
        """Return the last line, which had no end."""
        rest = b"".join(self._parts)
        self._parts.clear()
        return rest
