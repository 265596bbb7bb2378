"""A model's header tells what it is; a broken one tells nothing and breaks nothing."""

import os
from pathlib import Path

import pytest

from couachgptd.core.models import ALWAYS_THINKS, THINKING
from couachgptd.engine.gguf import abilities_in, facts_in, model_in, template_in


def test_a_real_model_tells_its_family_size_and_context(starter_model: Path) -> None:
    model = model_in(starter_model)

    assert model.name == starter_model.stem
    assert model.family == "llama"
    assert model.parameters == "135M"
    assert model.quantization == "Q4_1"
    assert model.context_tokens == 8192
    assert model.size_bytes == starter_model.stat().st_size


@pytest.mark.parametrize("length", [0, 3, 4, 20, 100, 333, 1000])
def test_a_header_cut_anywhere_is_read_as_far_as_it_goes(
    starter_model: Path, tmp_path: Path, length: int
) -> None:
    with starter_model.open("rb") as file:
        start = file.read(length)
    path = tmp_path / "cut.gguf"
    path.write_bytes(start)

    assert len(facts_in(path)) < 40


def test_noise_behind_a_good_mark_ends_quickly(tmp_path: Path) -> None:
    path = tmp_path / "noise.gguf"

    for _ in range(50):
        path.write_bytes(b"GGUF\x03\x00\x00\x00" + b"\x00" * 8 + os.urandom(4096))
        facts_in(path)

    assert model_in(path).name == "noise"


def test_the_template_of_a_real_model_is_found_behind_its_words(starter_model: Path) -> None:
    template = template_in(starter_model)

    assert template.startswith("{%")
    assert "<|im_start|>" in template
    assert abilities_in(template) == frozenset()


def test_a_template_tells_whether_a_model_thinks_and_can_be_told_not_to() -> None:
    switched = "{%- if enable_thinking is false %}<think>\n\n</think>{% endif %}"

    assert abilities_in(switched) == {THINKING}
    assert abilities_in("{{ content.split('</think>')[-1] }}") == {ALWAYS_THINKS}
    assert abilities_in("") == frozenset()
