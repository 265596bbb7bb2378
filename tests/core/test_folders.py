"""What a folder's name may be."""

import pytest

from couachgptd.core.folders import (
    NAME_MAX_LENGTH,
    Folder,
    FolderNameInvalid,
    FolderTaken,
    folder_name,
    require_free,
)
from couachgptd.core.ids import FolderId


@pytest.mark.parametrize(
    ("written", "name"),
    [
        (" Recettes\nd’été ", "Recettes d’été"),
        ("a\u202eb", "a b"),
        ("e\u0301te\u0301", "été"),
        ("<b>x</b>", "<b>x</b>"),
        ("x" * NAME_MAX_LENGTH, "x" * NAME_MAX_LENGTH),
    ],
)
def test_a_name_is_one_line_as_it_was_written(written: str, name: str) -> None:
    assert folder_name(written) == name


@pytest.mark.parametrize("written", ["", " \n\t", "\u200b", "x" * (NAME_MAX_LENGTH + 1)])
def test_a_name_that_says_nothing_or_too_much_is_refused(written: str) -> None:
    with pytest.raises(FolderNameInvalid) as refused:
        folder_name(written)

    assert refused.value.fields == {"max_length": NAME_MAX_LENGTH}


def test_a_name_taken_is_told_as_it_is_there() -> None:
    with pytest.raises(FolderTaken) as refused:
        require_free("straße", [Folder(FolderId(1), "STRASSE")])

    assert refused.value.fields == {"name": "STRASSE"}
