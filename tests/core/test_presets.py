"""What a preset's name may be, and what there is to keep in one."""

import pytest

from couachgptd.core.choices import NOTHING_CHOSEN, Choices
from couachgptd.core.presets import (
    MOST,
    NAME_MAX_LENGTH,
    Preset,
    PresetEmpty,
    PresetId,
    PresetNameInvalid,
    PresetsFull,
    PresetTaken,
    preset_name,
    require_free,
    require_room,
    require_some,
)


def preset(name: str, key: int = 1) -> Preset:
    return Preset(PresetId(key), None, name, Choices(temperature=0.0))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (" Relecture\nau net ", "Relecture au net"),
        ("a\u202eb", "a b"),
        ("e\u0301te\u0301", "été"),
        ("x" * NAME_MAX_LENGTH, "x" * NAME_MAX_LENGTH),
    ],
)
def test_a_name_is_one_line_as_it_was_written(written: str, name: str) -> None:
    assert preset_name(written) == name


@pytest.mark.parametrize("written", ["", " \n\t", "\u200b", "x" * (NAME_MAX_LENGTH + 1)])
def test_a_name_that_says_nothing_or_too_much_is_refused(written: str) -> None:
    with pytest.raises(PresetNameInvalid) as refused:
        preset_name(written)

    assert refused.value.fields == {"max_length": NAME_MAX_LENGTH}


def test_a_name_taken_is_told_as_it_is_there() -> None:
    require_free("bref", [preset("Long")])
    with pytest.raises(PresetTaken) as refused:
        require_free("straße", [preset("STRASSE")])

    assert refused.value.fields == {"name": "STRASSE"}


@pytest.mark.parametrize(
    "choices", [Choices(model="couac:1b"), Choices(think=False), Choices(exchanges=0)]
)
def test_one_choice_is_enough_and_none_is_refused(choices: Choices) -> None:
    assert require_some(choices) == choices
    with pytest.raises(PresetEmpty):
        require_some(NOTHING_CHOSEN)


def test_there_is_room_up_to_the_most() -> None:
    require_room([preset("x")] * (MOST - 1))
    with pytest.raises(PresetsFull) as refused:
        require_room([preset("x")] * MOST)

    assert refused.value.fields == {"most": MOST}
