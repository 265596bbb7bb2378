"""What a bundle holds of the lock: all that a server needs, nothing that only developers do."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from scripts import bundle, terminal
from scripts.reference import MANUAL

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


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("roll", {"rollback"}),
        ("engine re", {"restart", "reset"}),
        ("--socket /x engine maintenance o", {"on", "off"}),
        ("user add --pass", {"--password-stdin"}),
        ("ask --model ", set()),
    ],
)
def test_bash_completes_verbs_and_options(tmp_path: Path, typed: str, offered: set[str]) -> None:
    terminal.write(tmp_path)
    script = """source "$1"; COMP_WORDS=("${@:2}"); COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 ))
        _couachgptctl; printf '%s\\n' "${COMPREPLY[@]}" """
    completion = tmp_path / "bash-completion" / "completions" / "couachgptctl"
    words = ["bash", "-c", script, "bash", str(completion), "couachgptctl", *typed.split(" ")]
    done = subprocess.run(words, capture_output=True, text=True, check=True)

    assert set(filter(None, done.stdout.splitlines())) == offered


def test_the_manual_page_says_all_that_the_document_says() -> None:
    page = terminal.roff(MANUAL.read_text(encoding="utf-8"))

    lines = page.splitlines()
    headings = [
        line for line in MANUAL.read_text(encoding="utf-8").splitlines() if line[:3] == "## "
    ]
    assert [line[5:-1] for line in lines if line.startswith(".SH")] == [
        heading[3:].upper() for heading in headings
    ]
    assert page.count(".nf") == page.count(".fi") > 0
    assert r"\fBengine restart\fR" in page
    assert not [line for line in lines if line.startswith(("`", "|", "<!--", "'"))]
