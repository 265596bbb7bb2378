"""The pictures of a prompt as engines take them: base64, read when they are sent."""

import asyncio
import base64
from collections.abc import Sequence
from pathlib import Path

from couachgptd.core.models import PromptMessage

# By how a file begins; whoever took it in has made sure that it is one of these.
TYPES = ((b"\x89PNG", "image/png"), (b"RIFF", "image/webp"))
OTHER = "image/jpeg"


async def encoded(messages: Sequence[PromptMessage]) -> list[list[tuple[str, str]]]:
    """Return the media type and the base64 of each message's pictures, away from the event loop.

    One that has just been deleted is left out.
    """

    def work() -> list[list[tuple[str, str]]]:
        return [[found for path in each.images if (found := _read(path))] for each in messages]

    if not any(message.images for message in messages):
        return [[] for _ in messages]
    return await asyncio.to_thread(work)


def _read(path: Path) -> tuple[str, str] | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    media_type = next((kind for start, kind in TYPES if data.startswith(start)), OTHER)
    return media_type, base64.b64encode(data).decode()
