"""Each kind of document as pieces of text; what a library raises at a broken one is let through."""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from couachgptd.sandbox.refusal import Refused

ODT = b"application/vnd.oasis.opendocument.text"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
UNSEEN = frozenset({"script", "style", "noscript", "template", "svg", "head"})
BLOCKS = re.compile(
    r"address|article|aside|blockquote|body|br|dd|div|dl|dt|fieldset|figure|footer|form|h[1-6r]"
    r"|header|li|main|nav|ol|p|pre|section|table|tr|ul"
)
HEADINGS = {f"h{level}": "#" * level + " " for level in range(1, 7)}
LEVELS = frozenset("123456789")
SPACES_MAX = 100


def pdf(data: bytes) -> Iterator[str]:
    """Yield the pages, each but the first after a form feed."""
    from pypdf import PdfReader
    from pypdf.errors import DependencyError

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted:
        try:  # many are locked against changes only, and open with no password at all
            is_open = bool(reader.decrypt(""))
        except (DependencyError, NotImplementedError):
            is_open = False
        if not is_open:
            raise Refused("encrypted")
    for number, page in enumerate(reader.pages):
        text = page.extract_text().replace("\f", "\n").strip("\n")
        yield f"\f{text}" if number else text


def docx(data: bytes) -> Iterator[str]:
    """Yield paragraphs, headings with their marks, and tables with a row a line."""
    from docx import Document

    yield from _inside(Document(io.BytesIO(data)))


def _inside(container: Any) -> Iterator[str]:
    for block in container.iter_inner_content():
        if hasattr(block, "rows"):
            for row in block.rows:
                cells: dict[Any, str] = {cell._tc: cell.text for cell in row.cells}  # noqa: SLF001 -- what merged cells share
                yield _line(cells.values())
            yield "\n"
        else:
            style = (block.style.name or "") if block.style is not None else ""
            level = style.removeprefix("Heading ")  # its name in every language of Word
            yield f"{'#' * int(level)} {block.text}\n" if level in LEVELS else f"{block.text}\n"


def xlsx(data: bytes) -> Iterator[str]:
    """Yield each sheet: its name as a heading, then a row a line, with tabs between the cells."""
    from openpyxl import load_workbook

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    for sheet in book.worksheets:
        yield f"## {sheet.title}\n"
        sheet.reset_dimensions()  # what a file says of them may be a million columns
        for row in sheet.iter_rows(values_only=True):
            line = _line("" if cell is None else _said(cell) for cell in row)
            # An empty row is yielded too: time passes there.
            yield line if line.strip() else ""
        yield "\n"


def _said(cell: object) -> str:
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _line(cells: Any) -> str:
    return "\t".join(" ".join(cell.split()) for cell in cells).rstrip("\t") + "\n"


def is_odt(archive: zipfile.ZipFile) -> bool:
    try:
        with archive.open("mimetype") as stream:
            return stream.read(2 * len(ODT)).strip() == ODT
    except KeyError:
        return False


def odt(archive: zipfile.ZipFile) -> Iterator[str]:
    """Yield paragraphs, headings with their marks, and tables with a row a line."""
    from lxml import etree

    with archive.open("META-INF/manifest.xml") as stream:
        if b"encryption-data" in stream.read():
            raise Refused("encrypted")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    with archive.open("content.xml") as stream:
        body = etree.parse(stream, parser).getroot().find(f"{OFFICE}body/{OFFICE}text")
    yield from _written(body)


def _written(node: Any) -> Iterator[str]:
    for child in node:
        match child.tag:
            case tag if tag == f"{TEXT}h":
                level = int(child.get(f"{TEXT}outline-level") or 1)
                yield f"{'#' * min(level, 6)} {_paragraph(child)}\n"
            case tag if tag == f"{TEXT}p":
                yield f"{_paragraph(child)}\n"
            case tag if tag == f"{TABLE}table":
                for row in child.iter(f"{TABLE}table-row"):
                    cells = row.iterchildren(f"{TABLE}table-cell")
                    yield _line(" ".join(map(_paragraph, cell.iter(f"{TEXT}p"))) for cell in cells)
                yield "\n"
            case tag if tag in {f"{TEXT}tracked-changes", f"{OFFICE}annotation"}:
                continue
            case _:
                yield from _written(child)


def _paragraph(node: Any) -> str:
    parts = [node.text or ""]
    for child in node:
        if child.tag == f"{TEXT}s":
            parts.append(" " * min(int(child.get(f"{TEXT}c") or 1), SPACES_MAX))
        elif child.tag in {f"{TEXT}tab", f"{TEXT}line-break"}:
            parts.append("\t" if child.tag == f"{TEXT}tab" else "\n")
        elif child.tag not in {f"{OFFICE}annotation", f"{TEXT}note"}:
            parts.append(_paragraph(child))
        parts.append(child.tail or "")
    return "".join(parts)


def html(text: str) -> Iterator[str]:
    """Yield what a page shows: its blocks on lines of their own, nothing of its programs."""
    from lxml import html as pages

    # Its declaration of an encoding was of the bytes, which are read already.
    parser = pages.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    root = pages.document_fromstring(text.encode(errors="replace"), parser=parser)
    title = root.findtext(".//title")
    if title and title.strip():
        yield f"{' '.join(title.split())}\n\n"
    line = ""
    for piece in _shown(root):
        if piece is not None:
            line += piece
            continue
        if line.strip(" -#"):
            yield f"{line.strip()}\n"
        line = ""
    if line.strip():
        yield f"{line.strip()}\n"


def _shown(node: Any) -> Iterator[str | None]:
    """Yield the texts of an element, and None where a line begins or ends."""
    is_block = BLOCKS.fullmatch(node.tag) is not None
    if is_block:
        yield None
        yield HEADINGS.get(node.tag, "- " if node.tag == "li" else "")
    yield _flat(node.text)
    for child in node:
        if child.tag not in UNSEEN:
            yield from _shown(child)
        yield _flat(child.tail)
    if node.tag in {"td", "th"}:
        yield "\t"
    if is_block:
        yield None


def _flat(text: str | None) -> str:
    if not text:
        return ""
    flat = " ".join(text.split())
    return f"{' ' if text[0].isspace() else ''}{flat}{' ' if text[-1].isspace() else ''}"
