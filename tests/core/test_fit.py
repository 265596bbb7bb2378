"""Whether a model fits is said before it costs anything, and what is not known is said, too."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.fit import VERDICTS, Candidate, Reason, Verdict, reason_of, size_by_name
from couachgptd.core.memory import MemoryNeed
from couachgptd.core.models import LoadedModel
from couachgptd.ctl.fit import REASONS as TOLD
from tests.conftest import ROOT

GB = 1_000_000_000


def need(needed: float, *, available: float = 10.0, total: float = 16.0) -> MemoryNeed:
    return MemoryNeed(
        "neuf",
        slots=1,
        context_tokens=4096,
        needed_bytes=round(needed * GB),
        total_bytes=round(total * GB),
        available_bytes=round(available * GB),
        fitting_context_tokens=0,
    )


def new(size: float | None = 5.0) -> Candidate:
    return Candidate(
        "neuf", is_installed=False, size_bytes=None if size is None else round(size * GB)
    )


HERE = Candidate("neuf", is_installed=True, size_bytes=5 * GB)
OLD = LoadedModel("vieux", 8 * GB)


@pytest.mark.parametrize(
    ("candidate", "memory", "disk", "loaded", "reason"),
    [
        (HERE, need(6), 0.0, [], Reason.ROOM),
        (HERE, need(6, available=1), None, [OLD], Reason.OTHERS),
        (HERE, need(12, available=1), None, [OLD], Reason.IN_USE),
        (HERE, need(9.5), None, [], Reason.LITTLE_LEFT),
        (HERE, need(17, available=16), None, [OLD], Reason.MEMORY),
        (HERE, need(6, available=1), None, [LoadedModel("neuf", 6 * GB)], Reason.LOADED),
        (HERE, None, 1.0, [], Reason.NOT_TOLD),
        (new(), need(6), None, [], Reason.ROOM),
        (new(), need(6), 5.5, [], Reason.DISK_LOW),
        (new(), need(12), 5.5, [], Reason.IN_USE),
        (new(), need(6), 4.9, [], Reason.DISK),
        (new(), None, 4.9, [], Reason.DISK),
        (new(None), None, 100.0, [OLD], Reason.SIZE_UNKNOWN),
    ],
)  # fmt: skip
def test_the_reason_is_what_stands_most_in_the_way(
    candidate: Candidate, memory: MemoryNeed | None, disk: float | None, loaded: Any, reason: Reason
) -> None:
    free = None if disk is None else round(disk * GB)

    assert reason_of(candidate, memory, free, loaded) is reason


@given(st.floats(0.1, 40), st.floats(0, 16), st.integers(0, 16))
def test_nothing_beyond_the_machine_fits_and_what_is_free_does(
    needed: float, available: float, released: int
) -> None:
    reason = reason_of(
        HERE, need(needed, available=available), None, [LoadedModel("vieux", released * GB)]
    )

    assert (VERDICTS[reason] is Verdict.DOES_NOT_FIT) == (round(needed * GB) > 16 * GB)
    if needed < available - 1:
        assert VERDICTS[reason] is Verdict.FITS


def test_the_command_line_and_the_page_have_a_sentence_for_each_reason() -> None:
    page = (ROOT / "web" / "src" / "admin" / "fits.ts").read_text(encoding="utf-8")

    assert set(TOLD) == set(Reason) == set(VERDICTS)
    assert set(re.findall(r"^  (\w+): \(\) =>", page, re.MULTILINE)) == set(Reason)


# As ollama.com and Hugging Face list their files, in GB.
@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("qwen2.5:7b", 4.7),
        ("qwen2.5-coder:1.5b", 0.99),
        ("llama3.2:3b", 2.0),
        ("qwen2.5:14b-instruct-q8_0", 15.7),
        ("llama3.1:8b-instruct-fp16", 16.1),
        ("hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M", 2.02),
        ("qwen2.5:32b", 19.9),
        ("llama3.1:70b", 42.5),
    ],
)
def test_a_name_tells_about_the_size_of_its_file(name: str, listed: float) -> None:
    size = size_by_name(name)

    assert size is not None
    assert 0.95 <= size / GB / listed <= 1.25


@pytest.mark.parametrize(
    "name", ["mistral", "llama3:latest", "gemma3n:e2b", "gpt-4", "", "b", "7bis"]
)
def test_a_name_that_does_not_tell_is_not_guessed_from(name: str) -> None:
    assert size_by_name(name) is None
