"""The jobs that read documents: what text comes out, and what is refused with which word."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from couachgptd.sandbox import extract
from couachgptd.sandbox.refusal import Refused
from tests.sandbox import samples
from tests.sandbox.test_logo import png

JPEG = b"\xff\xd8\xff\xe0\0\4\0\0\xff\xc0\0\x0b\x08\0\x10\0\x20\1\1\x11\0\xff\xda\0\2\xff\xd9"
WEBP = b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x1f\0\0\x0f\0\0" + bytes(8)
WEB_PAGE = (
    b"<html><head><title>Un titre</title><script>alert(1)</script></head><body>"
    b"<h2>Partie <b>un</b></h2><p>Le texte,<br>la suite.</p><style>p {}</style>"
    b"<table><tr><td>a</td><td>b</td></tr></table><ul><li>point</ul>"
)


def told(data: bytes, job: Any = extract.extract) -> tuple[dict[str, Any], str]:
    head, _, text = job(data).partition(b"\n")
    return json.loads(head), text.decode()


def refusal(data: bytes) -> str:
    with pytest.raises(Refused) as caught:
        extract.extract(data)
    return caught.value.reason


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        (b"un\r\ndeux\n", "text", "un\ndeux"),
        ("été".encode("cp1252"), "text", "été"),
        ("\ufeffété".encode("utf-16-le"), "text", "été"),
        (b'{"a": 1}', "text", '{"a": 1}'),
        (samples.pdf("Page un", "Page deux"), "pdf", "Page un\fPage deux"),
        (samples.pdf("Lisible", user_password="", owner_password="x"), "pdf", "Lisible"),
        (
            samples.docx(),
            "docx",
            "# Contrat\nEntre Zoé et Noël.\ncase 0\tcase 1\ncase 2\tcase 3",
        ),
        (samples.xlsx(("thé", 3.5), ("", None, "x")), "xlsx", "## Ventes\nthé\t3.5\n\t\tx"),
        (
            samples.odt(
                '<text:h text:outline-level="2">Titre</text:h><text:p>a<text:s text:c="2"/>b'
                "<text:span>c</text:span></text:p><table:table><table:table-row><table:table-cell>"
                "<text:p>1</text:p></table:table-cell><table:table-cell><text:p>2</text:p>"
                "</table:table-cell></table:table-row></table:table>"
            ),
            "odt",
            "## Titre\na  bc\n1\t2",
        ),
    ],
)
def test_a_document_becomes_text(data: bytes, kind: str, text: str) -> None:
    assert told(data) == ({"kind": kind, "is_cut": False}, text)


def test_a_page_becomes_what_it_shows() -> None:
    facts, text = told(WEB_PAGE, extract.extract_html)

    assert facts["kind"] == "html"
    assert text == "Un titre\n\n## Partie un\nLe texte,\nla suite.\na\tb\n- point"


@pytest.mark.parametrize(
    ("data", "kind", "size"),
    [(png(3, 2), "png", (3, 2)), (JPEG, "jpeg", (32, 16)), (WEBP, "webp", (32, 16))],
)
def test_a_picture_is_known_by_its_content(data: bytes, kind: str, size: tuple[int, int]) -> None:
    facts, text = told(data)

    assert (facts["kind"], facts["type"], facts["width"], facts["height"]) == ("image", kind, *size)
    assert text == ""


def test_a_long_text_is_cut_and_says_so() -> None:
    facts, text = told("é".encode() * extract.TEXT_MAX_BYTES)

    assert facts["is_cut"]
    assert len(text.encode()) == extract.TEXT_MAX_BYTES


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b" \n\t", "empty"),
        (b"\0\1\2binary", "unsupported"),
        (b"\x7fELF\2\1\1" + bytes(40), "unsupported"),
        (b"GIF89a" + bytes(20), "unsupported"),
        (samples.pdf("Secret", user_password="x"), "encrypted"),
        (samples.pdf(""), "no_text"),
        (b"%PDF-1.7\nnothing", "damaged"),
        (extract.OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (extract.OLE + bytes(600), "old"),
        (b"PK\3\4 and no more", "damaged"),
        (samples.archive({"a.txt": "a"}), "unsupported"),
        (samples.docx()[:-30], "damaged"),
        (samples.odt("", manifest="<encryption-data/>"), "encrypted"),
        (samples.odt("<text:p/>"), "empty"),
        (samples.zip_bomb(), "bomb"),
        (samples.nested_bomb(), "unsupported"),
        (samples.archive({f"{n}.xml": "" for n in range(5001)}), "bomb"),
        (samples.odt("&l9;", before=samples.BILLION), "bomb"),
        (
            samples.replaced(
                samples.docx(),
                "word/document.xml",
                f"{samples.BILLION}<w>&l9;</w>".encode("utf-16"),
            ),
            "bomb",
        ),
        (
            samples.replaced(
                samples.xlsx(("a",)),
                "xl/sharedStrings.xml",
                b'<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><s>&x;</s>',
            ),
            "bomb",
        ),
        (png(30_000, 30_000), "dimensions"),
        (png()[:-4], "damaged"),
        (JPEG[:8], "damaged"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    assert refusal(data) == reason


def test_a_sheet_that_says_it_is_endless_is_read_as_it_is() -> None:
    sheet = (
        b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b'<dimension ref="A1:XFD1048576"/><sheetData><row r="9000"><c r="A9000"><v>7</v></c>'
        b"</row></sheetData></worksheet>"
    )

    facts, text = told(samples.replaced(samples.xlsx(("a",)), "xl/worksheets/sheet1.xml", sheet))

    assert (facts["is_cut"], text) == (False, "## Ventes\n7")


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_a_document_that_is_bent_is_read_or_refused(draw: st.DataObject) -> None:
    whole = bytearray(draw.draw(st.sampled_from(BENT)))
    at = draw.draw(st.integers(0, len(whole) - 1))
    whole[at : at + 4] = draw.draw(st.binary(max_size=8))

    with suppress(Refused, MemoryError):
        assert told(bytes(whole))[0]["kind"]


BENT = [samples.pdf("Une page"), samples.docx(), samples.xlsx((1, 2)), samples.odt("<text:p/>")]
