"""The built front end: Vite's manifest to tags, and the folder it is served from."""

import json
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.web_fileresponse import CONTENT_TYPES
from markupsafe import Markup

MANIFESTS = ("manifest.json", "manifest.admin.json")  # a build each: web/vite.config.ts
BASE = "/static/app/"
HASHED = BASE + "assets/"  # names that change with their content
FOREVER = "public, max-age=31536000, immutable"
BRIEFLY = "public, max-age=3600"

CONTENT_TYPES.add_type("font/woff2", ".woff2")
CONTENT_TYPES.add_type("application/manifest+json", ".webmanifest")


class AssetsMissing(Exception):
    """The front end has not been built; the text says what to do."""


class Assets:
    """The tags of each entry, its styles first and what it imports preloaded."""

    def __init__(self, dist: Path) -> None:
        self.dist = dist
        try:
            texts = [(dist / name).read_text(encoding="utf-8") for name in MANIFESTS]
        except OSError:
            raise AssetsMissing(f"{dist} holds no built front end: run `make web`") from None
        # A chunk that both builds have is the same, and of the same name.
        self._chunks: dict[str, dict[str, Any]] = {}
        for text in texts:
            self._chunks |= json.loads(text)

    def tags(self, *entries: str) -> Markup:
        """Return link and script tags for these entries, as Vite's manifest names them."""
        styles: dict[str, None] = {}
        preloads: dict[str, None] = {}
        scripts: dict[str, None] = {}
        for entry in entries:
            *imported, own = self._walk(entry, set())
            for chunk in (*imported, own):
                styles |= dict.fromkeys(chunk.get("css", ()))
            preloads |= dict.fromkeys(chunk["file"] for chunk in imported)
            scripts[own["file"]] = None
        return Markup("\n").join(
            [Markup('<link rel="stylesheet" href="{}">').format(BASE + name) for name in styles]
            + [
                Markup('<link rel="modulepreload" href="{}">').format(BASE + name)
                for name in preloads
                if name not in scripts
            ]
            + [
                Markup('<script type="module" src="{}"></script>').format(BASE + name)
                for name in scripts
            ],
        )

    def files(self, entry: str) -> list[str]:
        """Return the addresses of all that an entry loads at once."""
        chunks = self._walk(entry, set())
        names = [name for chunk in chunks for name in (*chunk.get("css", ()), chunk["file"])]
        return [BASE + name for name in names]

    def _walk(self, name: str, seen: set[str]) -> list[dict[str, Any]]:
        """Return what an entry imports, deepest first, and the entry itself last."""
        seen.add(name)
        chunk = self._chunks[name]
        found: list[dict[str, Any]] = []
        for imported in chunk.get("imports", ()):
            if imported not in seen:
                found += self._walk(imported, seen)
        return [*found, chunk]


async def cache_static(request: web.Request, response: web.StreamResponse) -> None:
    """Let browsers keep what can never change under its name; an error may be gone tomorrow."""
    if response.status >= 400:  # noqa: PLR2004 -- an error
        return
    if request.path.startswith(HASHED):
        response.headers["Cache-Control"] = FOREVER
    elif request.path.startswith(BASE):
        response.headers.setdefault("Cache-Control", BRIEFLY)
