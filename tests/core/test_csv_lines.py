"""CSV: read back as it was, and never as a formula."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from couachgptd.core.csv_lines import csv_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("\tnothing", "'\tnothing"),
        (" =1", "' =1"),
        ("a;=1+1", "a;'=1+1"),
        ("a; -1", "a;' -1"),
        ('a;"=1"', 'a;\'"=1"'),
        ("a\t+1", "a\t'+1"),
        ("a\n@b", "a\n'@b"),
        ("a\r\n=b", "a\r'\n'=b"),
        ("a=b; c-d", "a=b; c-d"),
    ],
)
def test_what_a_spreadsheet_would_calculate_is_a_text(text: str, shown: str) -> None:
    ((found,),) = csv.reader(io.StringIO(csv_line([text]), newline=""))

    assert found == shown


def test_every_text_is_quoted_and_numbers_stay_numbers() -> None:
    line = csv_line([1, -2, 'a "b"', "a,b", "a\nb", None, "é", "a;b"])

    assert line == '1,-2,"a ""b""","a,b","a\nb",,"é","a;b"\r\n'


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"))


@given(st.lists(texts, min_size=2))
def test_any_text_comes_back_but_for_its_apostrophes(values: list[str]) -> None:
    (found,) = csv.reader(io.StringIO(csv_line(values), newline=""))

    assert [each.replace("'", "") for each in found] == [each.replace("'", "") for each in values]


@example(["", "\x85="], ";")
@given(st.lists(texts, min_size=2), st.sampled_from(";,\t"))
def test_no_cell_is_a_formula_wherever_it_is_split(values: list[str], separator: str) -> None:
    """A reader that splits at this and knows no quotes within a cell, as Excel's in French."""
    line = csv_line(values)
    if separator == ",":
        (cells,) = csv.reader(io.StringIO(line, newline=""))
    else:
        cells = [each for row in line.splitlines() for each in row.split(separator)]

    assert not [each for each in cells if each.lstrip(' "').startswith(("=", "+", "-", "@"))]
