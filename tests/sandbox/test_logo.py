"""The job `logo`: which pictures it lets through, and that nothing else passes or breaks it."""

import struct
import zlib
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from couachgptd.sandbox import logo, pictures
from couachgptd.sandbox.refusal import Refused

XMLNS = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def chunk(kind: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(kind + body)
    return struct.pack("!I", len(body)) + kind + body + struct.pack("!I", checksum)


def png(width: int = 2, height: int = 2, *, depth: int = 8, colour: int = 2) -> bytes:
    header = struct.pack("!IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 7 * 2)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return pictures.PNG + chunks


def svg(inside: str = "", attributes: str = "", before: str = "") -> bytes:
    return f"{before}<svg {XMLNS} {attributes}>{inside}</svg>".encode()


def refusal(data: bytes) -> str:
    with pytest.raises(Refused) as caught:
        logo.check(data)
    return caught.value.reason


# --- what is a logo ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        svg(),
        svg('<circle cx="5" cy="5" r="4" fill="#0f5c7a"/>', 'viewBox="0 0 10 10"'),
        svg("<!-- ours --><title>Été &amp; co &lt;script&gt;</title>"),
        svg('<defs><g id="a"/></defs><use xlink:href="#a"/><rect fill="url(#a)"/>'),
        svg('<image href="data:image/png;base64,AAAA"/>'),
        svg("<style>.a { fill: red; clip-path: url('#a') }</style>"),
        svg("<style><![CDATA[ path { fill: #123456 } ]]></style>"),
        svg(before='<?xml version="1.0" encoding="UTF-8"?>\n'),
        svg('<animate attributeName="opacity" to="0"/>'),
        b"\xef\xbb\xbf" + svg(),
    ],
)
def test_an_svg_is_taken(data: bytes) -> None:
    assert logo.check(data) == b"svg"


@pytest.mark.parametrize("data", [png(), png(4096, 4096), png(depth=1, colour=3)])
def test_a_png_is_taken(data: bytes) -> None:
    assert logo.check(data) == b"png"


# --- what is none --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not_an_image"),
        (b"GIF89a", "not_an_image"),
        (b"\xff\xfe<\0s\0v\0g\0", "not_an_image"),
        (b"<html><svg/></html>", "not_an_image"),
        (b"<svg/>", "not_an_image"),
        (svg()[:-1], "damaged"),
        (svg("<g>"), "damaged"),
        (svg("&no;"), "damaged"),
        (svg(before='<?xml version="1.0" encoding="UTF-7"?>'), "encoding"),
        (svg(before='<!DOCTYPE svg SYSTEM "http://x/">'), "doctype"),
        (svg(before='<?xml-stylesheet href="http://x/"?>'), "instruction"),
        (svg("<script>alert(1)</script>"), "element"),
        (svg("<SCRIPT/>"), "element"),
        (svg('<x:script xmlns:x="http://www.w3.org/1999/xhtml"/>'), "element"),
        (svg('<x:img xmlns:x="http://www.w3.org/1999/xhtml" alt=""/>'), "element"),
        (svg("<foreignObject/>"), "element"),
        (svg(attributes='onload="alert(1)"'), "script"),
        (svg('<set attributeName="onclick" to="alert(1)"/>'), "script"),
        (svg('<set attributeName="xlink:href" to="javascript:alert(1)"/>'), "link"),
        (svg('<a href="https://x/"/>'), "link"),
        (svg('<a xlink:href=" javascript:alert(1)"/>'), "link"),
        (svg('<image href="data:text/html;base64,AAAA"/>'), "link"),
        (svg('<use href="data:image/svg+xml;base64,AAAA"/>'), "link"),
        (svg('<use href="other.svg#a"/>'), "link"),
        (svg('<image src="//x/"/>'), "link"),
        (svg(attributes='xml:base="http://x/"'), "link"),
        (svg("<style>@import 'http://x/';</style>"), "style"),
        (svg('<style>a { b: URL( "http://x/") }</style>'), "style"),
        (svg("<style>a { b: u\\72l(http://x/) }</style>"), "style"),
        (svg("<style>@im<![CDATA[port 'x']]></style>"), "style"),
        (svg('<style>a { b: image-set("http://x/" 1x) }</style>'), "style"),
        (svg('<rect fill="url(http://x/#a)"/>'), "style"),
        (svg('<rect style="fill: url(//x/)"/>'), "style"),
        (svg(before='<?xml version="1.0"?>' + "<!-- -->" * 40_000), "too_large"),
        (png(4097, 1), "dimensions"),
        (png(2**31, 2**31), "dimensions"),
        (png(0, 1), "dimensions"),
        (png(colour=5), "damaged"),
        (png(depth=3), "damaged"),
        (png()[:-1], "damaged"),
        (png() + b"PK\3\4", "damaged"),
        (png().replace(b"IDAT", b"IDAU"), "damaged"),
        (pictures.PNG, "damaged"),
        (pictures.PNG + b"\xff\xff\xff\xffIHDR", "damaged"),
        (pictures.PNG + chunk(b"IEND", b""), "damaged"),
    ],
)  # fmt: skip
def test_another_file_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    assert refusal(data) == reason


# --- bombs ---------------------------------------------------------------------------------------


def test_a_million_elements_one_in_another_are_too_large() -> None:
    assert refusal(svg("<g>" * 1_000_000)) == "too_large"


def test_as_many_as_a_file_may_hold_are_too_deep() -> None:
    assert refusal(svg("<g>" * 80_000)) == "depth"


def test_a_billion_laughs_are_not_begun() -> None:
    lines = [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    laughs = f'<!DOCTYPE svg [<!ENTITY l0 "ha">{"".join(lines)}]>'

    assert refusal(svg("&l9;", before=laughs)) == "doctype"


def test_an_entity_of_the_file_system_is_not_read() -> None:
    entity = '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'

    assert refusal(svg("&x;", before=entity)) == "doctype"


@given(st.binary(max_size=2000) | st.binary(max_size=500).map(pictures.PNG.__add__))
@example(pictures.PNG + b"\0" * 12)
def test_whatever_comes_is_taken_or_refused(data: bytes) -> None:
    with suppress(Refused):
        assert logo.check(data) in {b"png", b"svg"}


@given(st.data())
def test_a_file_that_is_bent_is_taken_or_refused(draw: st.DataObject) -> None:
    whole = bytearray(draw.draw(st.sampled_from([png(), svg('<g style="fill: red"/>')])))
    at = draw.draw(st.integers(0, len(whole) - 1))
    whole[at] = draw.draw(st.integers(0, 255))

    with suppress(Refused):
        assert logo.check(bytes(whole)) in {b"png", b"svg"}
