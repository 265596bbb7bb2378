"""The job `logo`: whether a file is a picture that may be shown, and of which kind.

It is served without a right to run anything and shown as an image, where no script of it runs; what
is refused here is refused so that nothing depends on that alone.
"""

import re
from typing import NoReturn
from xml.parsers import expat

from couachgptd.sandbox import pictures
from couachgptd.sandbox.refusal import Refused

BYTES_MAX = 256 * 1024
PIXELS_MAX = 4096  # a side
DEPTH_MAX = 64

SVG, XHTML = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"
ELEMENTS = frozenset(
    {"script", "foreignobject", "iframe", "embed", "object", "audio", "video", "handler"}
)
INSIDE = re.compile(r"#|data:image/(png|jpeg|gif|webp);base64,", re.IGNORECASE)
# Besides what it names, an escape can spell any word, and a string is an address in some functions.
STYLE = re.compile(
    r"@import|\\|(image|image-set|cross-fade|src)\s*\(|javascript:"
    r"|url\(\s*(?!['\"]?\s*(#|data:image/(png|jpeg|gif|webp);))",
    re.IGNORECASE,
)


def check(data: bytes) -> bytes:
    """Return `png` or `svg`. Raises Refused."""
    if len(data) > BYTES_MAX:
        raise Refused("too_large")
    if data.startswith(pictures.PNG):
        if max(pictures.png_size(data)) > PIXELS_MAX:
            raise Refused("dimensions")
        return b"png"
    _Svg().check(data)
    return b"svg"


# --- SVG ---------------------------------------------------------------------------------------


class _Svg:
    """One reading of one document by expat, which stops at the first thing that is not allowed."""

    def __init__(self) -> None:
        self._depth = 0
        self._styles: list[str] | None = None  # the text of the <style> that is open
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._doctype  # no entity without one
        parser.ProcessingInstructionHandler = self._instruction
        parser.StartElementHandler = self._started
        parser.EndElementHandler = self._ended
        parser.CharacterDataHandler = self._said
        self._parser = parser

    def check(self, data: bytes) -> None:
        try:
            data.decode()
            self._parser.Parse(data, True)  # noqa: FBT003 -- expat takes no names
        except UnicodeDecodeError:
            raise Refused("not_an_image") from None
        except expat.ExpatError:
            raise Refused("damaged" if self._depth else "not_an_image") from None

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        # In another encoding a browser would read another document than we do.
        if encoding is not None and encoding.lower() not in {"utf-8", "us-ascii"}:
            raise Refused("encoding")

    def _doctype(self, *_declaration: object) -> NoReturn:
        raise Refused("doctype")

    def _instruction(self, _target: str, _data: str) -> NoReturn:
        raise Refused("instruction")

    def _started(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if self._depth == 0 and (space, local) != (SVG, "svg"):
            raise Refused("not_an_image")
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise Refused("depth")
        if space == XHTML or local.lower() in ELEMENTS:
            raise Refused("element")
        for key, value in attributes.items():
            _check_attribute(key.rpartition(" ")[2].lower(), value)
        if local.lower() == "style":
            self._styles = []

    def _said(self, text: str) -> None:
        if self._styles is not None:
            self._styles.append(text)

    def _ended(self, name: str) -> None:
        if self._styles is not None and name.rpartition(" ")[2].lower() == "style":
            if STYLE.search("".join(self._styles)):
                raise Refused("style")
            self._styles = None


def _check_attribute(name: str, value: str) -> None:
    # An animation writes an attribute, too.
    writes = value.strip().lower().rpartition(":")[2] if name == "attributename" else ""
    if name.startswith("on") or writes.startswith("on"):
        raise Refused("script")
    if name in {"src", "base"} or writes == "href":
        raise Refused("link")
    if name == "href" and not INSIDE.match(value.strip()):
        raise Refused("link")
    if name != "href" and STYLE.search(value):
        raise Refused("style")
