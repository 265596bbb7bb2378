"""How much memory a model takes before it is loaded, and which context would still fit.

The sum of four parts, each what cannot be given back while the model works:

- the weights: the file's size. llama.cpp maps it, and what it repacks for the CPU replaces those
  pages, which the kernel may then drop: resident memory can show up to the file's size more.
- the KV cache: slots x context x layers x KV heads x (key + value length) x 2 bytes (f16). Models
  with a sliding window keep less than that.
- the compute buffer: batch x (10 x embedding + 2 x feed-forward) x 4 bytes. Measured on
  xllamacpp 2026.10: 10 MB for SmolLM2-135M and 20 MB for Qwen2.5-0.5B at a batch of 256.
- the program: 57 MB were measured for Python and the library.

The prompt cache ([embedded] host_cache_mib) is not in it: it fills later and has its own bound.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

F16_BYTES = 2
F32_BYTES = 4
EMBEDDINGS_A_TOKEN, FEED_FORWARDS_A_TOKEN = 10, 2
PROGRAM_BYTES = 64 << 20
CONTEXT_STEP_TOKENS = 256  # llama.cpp rounds a context up to a multiple of this

# Where the header does not tell, which is rare: the middle of what models in use take for a token,
# from 12 KiB (Qwen2.5-0.5B, a file of 0.5 GB) to 144 KiB (Qwen3-4B, 2.5 GB).
UNKNOWN_KV_LEAST_BYTES = 24 << 10
UNKNOWN_KV_SHARE = 32768  # of the file's size
UNKNOWN_EMBEDDING, UNKNOWN_FEED_FORWARD = 4096, 14336  # an 8B model's


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What decides on a model's memory; `kv_bytes_per_token` is of all layers."""

    size_bytes: int
    kv_bytes_per_token: int
    embedding: int = UNKNOWN_EMBEDDING
    feed_forward: int = UNKNOWN_FEED_FORWARD


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """What a load needs, in bytes, beside what there is; contexts are of one slot."""

    model: str
    slots: int
    context_tokens: int
    needed_bytes: int
    total_bytes: int
    available_bytes: int
    fitting_context_tokens: int

    @property
    def fits(self) -> bool:
        """Say whether the machine can hold it at all; what others use now may go away."""
        return self.needed_bytes <= self.total_bytes

    @property
    def is_short(self) -> bool:
        """Say whether it fits only once others give memory back: a reason to warn."""
        return self.needed_bytes > self.available_bytes


def shape_of(facts: Mapping[str, Any], size_bytes: int) -> ModelShape:
    """Return the shape that a GGUF header (or Ollama's `model_info`) tells, else an estimate."""
    family = facts.get("general.architecture")

    def number(name: str) -> int | None:
        value = facts.get(f"{family}.{name}")
        return value if isinstance(value, int) and value > 0 else None

    layers, heads = number("block_count"), number("attention.head_count")
    kv_heads = number("attention.head_count_kv") or heads
    embedding = number("embedding_length")
    head = embedding // heads if embedding and heads else None
    key, value = number("attention.key_length") or head, number("attention.value_length") or head
    if layers and kv_heads and key and value:
        kv = layers * kv_heads * (key + value) * F16_BYTES
    else:
        kv = max(UNKNOWN_KV_LEAST_BYTES, size_bytes // UNKNOWN_KV_SHARE)
    return ModelShape(
        size_bytes=size_bytes,
        kv_bytes_per_token=kv,
        embedding=embedding or UNKNOWN_EMBEDDING,
        feed_forward=number("feed_forward_length") or UNKNOWN_FEED_FORWARD,
    )


def memory_need(
    model: str,
    shape: ModelShape,
    *,
    slots: int,
    context_tokens: int,
    batch_tokens: int,
    total_bytes: int,
    available_bytes: int,
) -> MemoryNeed:
    """Return what the model needs with this many slots, each of `context_tokens`."""
    width = EMBEDDINGS_A_TOKEN * shape.embedding + FEED_FORWARDS_A_TOKEN * shape.feed_forward
    fixed = shape.size_bytes + batch_tokens * width * F32_BYTES + PROGRAM_BYTES
    context_bytes = slots * shape.kv_bytes_per_token  # of one token in every slot
    fitting = max(0, total_bytes - fixed) // context_bytes
    return MemoryNeed(
        model=model,
        slots=slots,
        context_tokens=context_tokens,
        needed_bytes=fixed + context_bytes * context_tokens,
        total_bytes=total_bytes,
        available_bytes=available_bytes,
        fitting_context_tokens=fitting - fitting % CONTEXT_STEP_TOKENS,
    )
