"""Lines are cut out of any stream of bytes, and none may be without end."""

import pytest

from couachgptd.core.errors import AnswerInterrupted
from couachgptd.engine.lines import LineCutter


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_lines_are_the_same_however_they_arrive(size: int) -> None:
    data = b"un\ndeux\n\ntrois et demi\nreste"
    cutter = LineCutter()
    lines: list[bytes] = []

    for start in range(0, len(data), size):
        lines += cutter.feed(data[start : start + size])

    assert lines == [b"un", b"deux", b"", b"trois et demi"]
    assert cutter.rest() == b"reste"


@pytest.mark.parametrize("chunk", [b"x" * 11, b"x" * 11 + b"\n"])
def test_a_line_that_is_too_long_is_refused(chunk: bytes) -> None:
    with pytest.raises(AnswerInterrupted):
        LineCutter(max_bytes=10).feed(chunk)


def test_a_line_that_grows_too_long_is_refused_before_it_ends() -> None:
    cutter = LineCutter(max_bytes=10)
    cutter.feed(b"x" * 8)

    with pytest.raises(AnswerInterrupted):
        cutter.feed(b"x" * 8)
