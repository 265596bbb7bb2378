"""The jobs `extract` and `extract_html`: what a file is by its content, and the text in it."""

import io
import json
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from xml.parsers import expat

from couachgptd.sandbox import documents, pictures
from couachgptd.sandbox.refusal import Refused

TEXT_MAX_BYTES = 1024 * 1024
PIXELS_MAX = 64_000_000
SECONDS = 2.5  # of CPU; what is not read by then is left out, and that is said

MEMBERS_MAX = 5000
UNPACKED_MAX_BYTES = 64 * 1024 * 1024
RATIO_MAX = 150  # the most that real documents were seen to have is 30
SMALL_BYTES = 1024 * 1024  # what may be unpacked whatever the ratio

OLE = (
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what Office wrote before 2007, and encrypted files still
)
PDF_WITHIN = 1024
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
CONTROLS_MAX_SHARE = 0.02
BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


class Gathered:
    """The text as it is gathered, to its most bytes and for its seconds."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._bytes = 0
        self._ends = time.process_time() + SECONDS
        self.is_cut = False

    def take(self, pieces: Iterator[str]) -> str:
        """Return the pieces as one text, to the bound."""
        for piece in pieces:
            data = piece.encode(errors="replace")
            room = TEXT_MAX_BYTES - self._bytes
            self._parts.append(data[:room].decode(errors="ignore"))
            self._bytes += len(data)
            if len(data) > room or time.process_time() > self._ends:
                self.is_cut = True
                break
        return "".join(self._parts)


def extract(data: bytes) -> bytes:
    """Return one line of JSON, `{kind, is_cut}` or a picture's, and then the text.

    Pages are divided by form feeds, which are nowhere else. Raises Refused.
    """
    return _careful(_extracted, data)


def extract_html(data: bytes) -> bytes:
    """As `extract`, of a page whose name says that it is one."""
    return _careful(lambda page: _text("html", documents.html(decoded(page))), data)


def _careful(read: Callable[[bytes], bytes], data: bytes) -> bytes:
    try:
        return read(data)
    except (Refused, MemoryError):
        raise
    except Exception:  # noqa: BLE001 -- the libraries raise whatever they like at a broken file
        raise Refused("damaged") from None


def _extracted(data: bytes) -> bytes:
    if picture := _picture(data):
        return picture
    if b"%PDF-" in data[:PDF_WITHIN]:
        return _text("pdf", documents.pdf(data))
    if data.startswith(OLE):
        raise Refused("encrypted" if "EncryptedPackage".encode("utf-16-le") in data else "old")
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        archive = _checked(data)
        names = set(archive.namelist())
        if "word/document.xml" in names:
            return _text("docx", documents.docx(data))
        if "xl/workbook.xml" in names:
            return _text("xlsx", documents.xlsx(data))
        if documents.is_odt(archive):
            return _text("odt", documents.odt(archive))
        raise Refused("unsupported")
    return _text("text", iter([decoded(data)]))


def _text(kind: str, pieces: Iterator[str]) -> bytes:
    gathered = Gathered()
    text = gathered.take(pieces)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\v", "\n")
    if kind != "pdf":
        text = text.replace("\f", "\n")
    text = re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", text).rstrip("\n")
    if not text.strip():
        raise Refused("no_text" if kind == "pdf" else "empty")
    return _told({"kind": kind, "is_cut": gathered.is_cut}, text)


def _told(facts: dict[str, object], text: str = "") -> bytes:
    return json.dumps(facts).encode() + b"\n" + text.encode(errors="replace")


def _picture(data: bytes) -> bytes | None:
    if data.startswith(pictures.PNG):
        kind, (width, height) = "png", pictures.png_size(data)
    elif data.startswith(pictures.JPEG):
        kind, (width, height) = "jpeg", pictures.jpeg_size(data)
    elif pictures.is_webp(data):
        kind, (width, height) = "webp", pictures.webp_size(data)
    else:
        return None
    if not 0 < width * height <= PIXELS_MAX:
        raise Refused("dimensions")
    return _told({"kind": "image", "type": kind, "width": width, "height": height})


def decoded(data: bytes) -> str:
    """Return a plain text in whatever it was written. Raises Refused for what is none."""
    for bom, encoding in BOMS:
        if data.startswith(bom):
            return _plain(data[len(bom) :].decode(encoding, errors="replace"))
    if b"\0" in data:
        raise Refused("unsupported")
    try:
        return _plain(data.decode())
    except UnicodeDecodeError:
        return _plain(data.decode("cp1252", errors="replace"))


def _plain(text: str) -> str:
    if len(CONTROLS.findall(text)) > CONTROLS_MAX_SHARE * len(text):
        raise Refused("unsupported")
    return text


# --- archives ----------------------------------------------------------------------------------


def _checked(data: bytes) -> zipfile.ZipFile:
    """Return an archive whose members may be read: what they say of their sizes is what is read.

    An archive within it is never opened.
    """
    archive = zipfile.ZipFile(io.BytesIO(data))
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members)
    if (
        len(members) > MEMBERS_MAX
        or unpacked > UNPACKED_MAX_BYTES
        or unpacked > max(SMALL_BYTES, RATIO_MAX * len(data))
    ):
        raise Refused("bomb")
    if any(member.flag_bits & 1 for member in members):
        raise Refused("encrypted")
    for member in members:
        if member.filename.lower().endswith((".xml", ".rels")):
            _require_no_doctype(archive, member)
    return archive


class _BegunError(Exception):
    """The first element: no document type may come any more."""


def _require_no_doctype(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Raise Refused for XML that declares a type: only there can entities grow or name a file."""

    def begun(*_element: object) -> None:
        raise _BegunError

    def declared(*_doctype: object) -> None:
        raise Refused("bomb")

    parser = expat.ParserCreate()
    parser.StartElementHandler = begun
    parser.StartDoctypeDeclHandler = declared
    with suppress(_BegunError), archive.open(member) as stream:
        while chunk := stream.read(4096):
            parser.Parse(chunk)
