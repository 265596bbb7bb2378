"""CSV: read back as it was, and never as a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from couachgptd.core.csv_lines import csv_line


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_calculate_is_a_text(text: str) -> None:
    ((shown,),) = csv.reader(io.StringIO(csv_line([text]), newline=""))

    assert shown == f"'{text}"


def test_quotes_commas_and_lines_are_quoted_and_numbers_stay_numbers() -> None:
    line = csv_line([1, -2, 'a "b"', "a,b", "a\nb", None, "é"])

    assert line == '1,-2,"a ""b""","a,b","a\nb",,é\r\n'


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.lists(texts, min_size=2))
def test_any_text_comes_back_but_for_its_apostrophe(values: list[str]) -> None:
    (found,) = csv.reader(io.StringIO(csv_line(values), newline=""))

    assert [each.removeprefix("'") for each in found] == [each.removeprefix("'") for each in values]
