"""A model's memory is known before it is loaded, and so is the context that would fit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.memory import MemoryNeed, ModelShape, memory_need, shape_of

GIB = 1 << 30

# From the headers of real files: facts, and the KV cache of one token by hand.
SMOLLM2 = {
    "general.architecture": "llama",
    "llama.block_count": 30,
    "llama.embedding_length": 576,
    "llama.feed_forward_length": 1536,
    "llama.attention.head_count": 9,
    "llama.attention.head_count_kv": 3,
}
GEMMA3 = {
    "general.architecture": "gemma3",
    "gemma3.block_count": 18,
    "gemma3.embedding_length": 640,
    "gemma3.attention.head_count": 4,
    "gemma3.attention.head_count_kv": 1,
    "gemma3.attention.key_length": 256,
    "gemma3.attention.value_length": 256,
}
OLD_LLAMA = {
    "general.architecture": "llama",
    "llama.block_count": 32,
    "llama.embedding_length": 4096,
    "llama.attention.head_count": 32,
}


@pytest.mark.parametrize(
    ("facts", "kv_bytes"),
    [
        (SMOLLM2, 30 * 3 * (64 + 64) * 2),
        (GEMMA3, 18 * 1 * (256 + 256) * 2),
        (OLD_LLAMA, 32 * 32 * (128 + 128) * 2),
    ],
)
def test_the_header_tells_the_cache_of_a_token(facts: dict[str, Any], kv_bytes: int) -> None:
    assert shape_of(facts, 98_362_432).kv_bytes_per_token == kv_bytes


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"general.architecture": "llama"},
        SMOLLM2 | {"llama.attention.head_count": None, "llama.attention.head_count_kv": None},
        SMOLLM2 | {"llama.block_count": 0},
        SMOLLM2 | {"llama.attention.head_count": "nine"},
    ],
)
def test_a_header_that_does_not_tell_gives_an_estimate(facts: dict[str, Any]) -> None:
    assert shape_of(facts, 98_362_432).kv_bytes_per_token == 24 << 10
    assert shape_of(facts, 4 * GIB).kv_bytes_per_token == 128 << 10


def need_of(shape: ModelShape, total: int, **changes: int) -> MemoryNeed:
    asked = {"slots": 2, "context_tokens": 4096, "batch_tokens": 256, "available_bytes": total}
    return memory_need("essai", shape, total_bytes=total, **(asked | changes))


def test_a_model_that_does_not_fit_tells_the_context_that_would() -> None:
    shape = shape_of(OLD_LLAMA, 4 * GIB)  # 512 KiB a token: 4 GiB for 2 slots of 4,096

    need = need_of(shape, 6 * GIB)

    assert not need.fits
    assert 8 * GIB < need.needed_bytes < 8.5 * GIB
    assert 1500 < need.fitting_context_tokens < 2048
    assert need_of(shape, 6 * GIB, context_tokens=need.fitting_context_tokens).fits


def test_a_model_larger_than_the_machine_has_no_context_that_fits() -> None:
    assert need_of(shape_of(OLD_LLAMA, 4 * GIB), 3 * GIB).fitting_context_tokens == 0


def test_what_others_use_is_a_warning_only() -> None:
    need = need_of(shape_of(SMOLLM2, 98_362_432), 8 * GIB, available_bytes=100 << 20)

    assert need.fits
    assert need.is_short


@given(
    size=st.integers(1, 1 << 40),
    kv=st.integers(1, 1 << 22),
    total=st.integers(1, 1 << 42),
    slots=st.integers(1, 256),
    context=st.integers(1, 4096).map(lambda steps: steps * 256),
)
def test_the_fitting_context_fits_and_the_next_does_not(
    size: int, kv: int, total: int, slots: int, context: int
) -> None:
    shape = ModelShape(size_bytes=size, kv_bytes_per_token=kv)
    need = need_of(shape, total, slots=slots, context_tokens=context)
    fitting = need.fitting_context_tokens

    assert fitting % 256 == 0
    assert need.fits == (context <= fitting)
    assert not need_of(shape, total, slots=slots, context_tokens=fitting + 256).fits
