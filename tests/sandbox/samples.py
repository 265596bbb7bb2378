"""Small documents, good and bad, made on the spot."""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BILLION = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l0 "ha">{LAUGHS}]>'
ODF = 'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
ODF_TEXT = 'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
ODF_TABLE = 'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'


def archive(members: Mapping[str, bytes | str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return made.getvalue()


def pdf(*pages: str, **encrypt: str) -> bytes:
    """Return a PDF with one line of text a page."""
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    name = NameObject
    font = DictionaryObject(
        {
            name("/Type"): name("/Font"),
            name("/Subtype"): name("/Type1"),
            name("/BaseFont"): name("/Helvetica"),
            name("/Encoding"): name("/WinAnsiEncoding"),
        }
    )
    for text in pages:
        page = writer.add_blank_page(200, 200)
        content = DecodedStreamObject()
        content.set_data(f"BT /F1 12 Tf 10 100 Td ({text}) Tj ET".encode("cp1252"))
        fonts = DictionaryObject({name("/F1"): font})
        page[name("/Resources")] = DictionaryObject({name("/Font"): fonts})
        page[name("/Contents")] = writer._add_object(content)
    if encrypt:
        writer.encrypt(**encrypt, algorithm="RC4-128")  # type: ignore[arg-type]  # the options by name
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def docx() -> bytes:
    from docx import Document

    document = Document()
    document.add_heading("Contrat", 1)
    document.add_paragraph("Entre Zoé et Noël.")
    table = document.add_table(2, 2)
    for number, cell in enumerate(cell for row in table.rows for cell in row.cells):
        cell.text = f"case {number}"
    made = io.BytesIO()
    document.save(made)
    return made.getvalue()


def xlsx(*rows: tuple[Any, ...]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Ventes"
    for row in rows:
        sheet.append(row)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def odt(body: str, *, before: str = "", manifest: str = "<m/>") -> bytes:
    content = (
        f"{before}<office:document-content {ODF} {ODF_TEXT} {ODF_TABLE}>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    )
    return archive(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": content,
            "META-INF/manifest.xml": manifest,
        }
    )


def replaced(document: bytes, member: str, content: bytes) -> bytes:
    """Return an archive with another content of one member."""
    with zipfile.ZipFile(io.BytesIO(document)) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    return archive({**members, member: content})


def zip_bomb() -> bytes:
    """Return a "document" of some kilobytes that unpacks to 60 MB, which are within the bound."""
    return archive({"word/document.xml": b"<w/>", "word/media/x": bytes(60 << 20)})


def nested_bomb() -> bytes:
    """Return an archive of an archive."""
    return archive({"a.zip": zip_bomb()})
