"""Pictures: whether a file is a PNG, JPEG or WebP from its first byte on, and how large it is."""

import struct
import zlib

from couachgptd.sandbox.refusal import Refused

PNG = b"\x89PNG\r\n\x1a\n"
AROUND = 12  # bytes of a chunk of PNG besides its own: length, kind, checksum
HEADER = struct.Struct("!IIBBBBB")
# Of each colour type of PNG the bits that a sample may have.
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
JPEG = b"\xff\xd8\xff"
# The markers of JPEG that begin a frame, which has the size; three of their row are other things.
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
SCAN, PADDING = 0xDA, 0xFF
WEBP_BODY = 10
BARE = frozenset(range(0xD0, 0xD8)) | {0x01}  # markers without a body


def png_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a PNG that is whole, and nothing more. Raises Refused."""
    kinds: list[bytes] = []
    size = (0, 0)
    at = len(PNG)
    while at < len(data) and kinds[-1:] != [b"IEND"]:
        if len(data) - at < AROUND:
            raise Refused("damaged")
        length, kind = struct.unpack_from("!I4s", data, at)
        end = at + AROUND + length
        if end > len(data):
            raise Refused("damaged")
        (crc,) = struct.unpack_from("!I", data, end - 4)
        if zlib.crc32(memoryview(data)[at + 4 : end - 4]) != crc:
            raise Refused("damaged")
        if not kinds:
            size = _png_header(kind, data[at + 8 : end - 4])
        kinds.append(kind)
        at = end
    # What follows the end would be another file in this one.
    if at != len(data) or kinds[-1:] != [b"IEND"] or b"IDAT" not in kinds:
        raise Refused("damaged")
    return size


def _png_header(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind != b"IHDR" or len(body) != HEADER.size:
        raise Refused("damaged")
    width, height, depth, colour, compression, filtering, interlace = HEADER.unpack(body)
    if width == 0 or height == 0:
        raise Refused("dimensions")
    if depth not in DEPTHS.get(colour, ()) or compression or filtering or interlace > 1:
        raise Refused("damaged")
    return width, height


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Return width and height as the first frame says them. Raises Refused.

    What follows the picture is left alone: telephones put a second one there.
    """
    at = 2
    while at + 4 <= len(data):
        if data[at] != PADDING:
            break
        marker = data[at + 1]
        if marker == PADDING:
            at += 1
        elif marker in BARE:
            at += 2
        elif marker in FRAMES and at + 9 <= len(data):
            height, width = struct.unpack_from("!HH", data, at + 5)
            return width, height
        elif marker == SCAN:
            break
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4])
    raise Refused("damaged")


def webp_size(data: bytes) -> tuple[int, int]:
    """Return width and height of a WebP of any of its three kinds. Raises Refused."""
    kind, body = data[12:16], data[20:30]
    whole = int.from_bytes(data[4:8], "little") + 8
    if len(body) < WEBP_BODY or whole > len(data) + 1:
        raise Refused("damaged")
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L" and body[:1] == b"\x2f":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", body, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise Refused("damaged")


def is_webp(data: bytes) -> bool:
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"
