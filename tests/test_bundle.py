"""What a bundle holds of the lock: all that a server needs, nothing that only developers do."""

import hashlib
from pathlib import Path

from scripts import bundle

DEVELOPMENT = {"pytest", "mypy", "ruff", "hatchling", "uv", "playwright", "pre-commit"}


def test_a_server_needs_what_the_package_names_and_what_that_needs() -> None:
    needed = bundle.requirements()

    assert {"aiohttp", "peewee", "xllamacpp", "yarl", "pydantic-core"} <= needed.keys()
    assert not DEVELOPMENT & needed.keys()
    assert all("--hash=sha256:" in entry for entry in needed.values())


def test_the_sums_list_every_file_once_in_a_fixed_order(tmp_path: Path) -> None:
    for name in ("b/second", "a", "b/first"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)

    bundle.write_sums(tmp_path)
    once = (tmp_path / "SHA256SUMS").read_text()
    bundle.write_sums(tmp_path)

    assert (tmp_path / "SHA256SUMS").read_text() == once
    names = ["a", "b/first", "b/second"]
    sums = [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}" for name in names]
    assert once.splitlines() == sums
