"""The header of a file that is handed out to be kept, never to be shown."""

from urllib.parse import quote


def kept_as(name: str) -> str:
    """Return the header: the file's name, and one in ASCII for what knows no other.

    aiohttp's own puts a percent-encoded name in quotes, which browsers show as it stands.
    """
    plain = "".join(char if char.isascii() and char.isprintable() else "_" for char in name)
    plain = plain.replace("\\", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
