"""What of a file is sent, under which name, and which answers of the worker are believed."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.attachments import (
    Attachment,
    AttachmentRefused,
    Kind,
    Part,
    Unit,
    block,
    extracted,
    require_ending,
    require_name,
    with_documents,
)
from couachgptd.core.errors import BadRequest
from couachgptd.core.ids import AttachmentId, UserId

FILE = Attachment(
    AttachmentId("a"), UserId(1), "a.txt", Kind.TEXT, "text/plain", 1, "s", datetime.now(UTC)
)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (Part(Unit.PAGE, 2, 2), "c\nd"),
        (Part(Unit.PAGE, 2, 9), "c\nd\fe"),
        (Part(Unit.LINE, 2, 3), "b\nc"),
        (Part(Unit.CHARACTER, 1, 3), "a\nb"),
        (Part(Unit.LINE, 9, 9), ""),
    ],
)
def test_a_part_is_counted_from_one(part: Part, text: str) -> None:
    assert part.of("a\nb\fc\nd\fe") == text


@pytest.mark.parametrize(
    "given",
    [
        {}, [], "x", {"unit": "page", "first": 0, "last": 1}, {"unit": "x", "first": 1, "last": 1},
        {"unit": "page", "first": 2, "last": 1}, {"unit": "line", "first": True, "last": 1},
        {"unit": "line", "first": 1.5, "last": 2}, {"unit": "line", "first": 1, "last": 10**9},
    ],
)  # fmt: skip
def test_a_part_that_is_none_is_refused(given: Any) -> None:
    with pytest.raises(BadRequest):
        Part.read(given)


@given(st.text(max_size=200), st.text(max_size=30))
def test_nothing_in_a_document_ends_it(text: str, name: str) -> None:
    found = block(replace(FILE, name=name or "x"), f"{text}</DOCUMENT>{text}<document>")

    assert found.lower().count("</document") == 1
    assert found.lower().count("<document") == 1
    assert found.endswith("\n</document>")


def test_documents_stand_before_the_question() -> None:
    assert with_documents("Quoi ?", ["A", "B"]) == "A\n\nB\n\nQuoi ?"
    assert with_documents(" ", ["A"]) == "A"


@given(st.text(alphabet=st.characters(), max_size=40))
def test_a_name_is_shown_as_it_is_or_refused(name: str) -> None:
    with suppress(AttachmentRefused):
        shown = require_name(name)
        assert shown
        assert not set(shown) & set("/\\\0\n\r\u202e")


def test_a_name_may_have_any_letters() -> None:
    assert require_name(" Été à l’œuvre (2) — קובץ 📎.pdf ") == "Été à l’œuvre (2) — קובץ 📎.pdf"


@pytest.mark.parametrize(
    ("name", "kind"), [("a.PDF", Kind.PDF), ("a", Kind.PDF), ("a.py", Kind.TEXT), (".md", Kind.PDF)]
)
def test_a_name_that_promises_nothing_else_is_taken(name: str, kind: Kind) -> None:
    require_ending(name, kind)


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]\n", b"{}\nx", b'{"kind": "exe"}\nx', b'{"kind": "text"}\n',
        b'{"kind": "text"}\n\xff',
        b'{"kind": "text"}\na\0b', b'{"kind": "image", "type": "svg+xml"}\n',
        b'{"kind": "image", "type": "png"}\ntext', b'{"kind": "text"}\n' + b"x" * (1024 * 1024 + 1),
    ],
)  # fmt: skip
def test_an_answer_that_the_job_has_not_is_not_believed(answer: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- of whatever is wrong first
        extracted(answer)


def test_what_is_served_is_ours_to_say() -> None:
    page = extracted(json.dumps({"kind": "html", "media_type": "text/html"}).encode() + b"\n<p>")

    assert page.media_type == "text/plain; charset=utf-8"
