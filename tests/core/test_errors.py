"""Every error code stands in docs/protocol.md, with what it carries, and the other way round."""

import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

from couachgptd import core
from couachgptd.core import errors
from couachgptd.core.errors import CouachError, QueueFull

ROOT = Path(__file__).parents[2]

for module in pkgutil.iter_modules(core.__path__):  # an area's errors may stand beside its rules
    importlib.import_module(f"{core.__name__}.{module.name}")


def kinds(kind: type[CouachError] = CouachError) -> Iterator[type[CouachError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from kinds(child)


def documented() -> dict[str, list[str]]:
    text = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    table = text.split("<!-- codes:")[1]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]*) \|", table, re.MULTILINE)
    return {code: re.findall(r"`(\w+)`", fields) for code, fields in rows}


def test_every_code_is_documented_and_every_documented_code_exists() -> None:
    assert set(documented()) == {kind.code for kind in kinds()}


def test_no_two_errors_share_a_code() -> None:
    codes = [kind.code for kind in kinds()]

    assert len(codes) == len(set(codes))


def test_the_fields_that_an_error_names_in_the_code_are_those_of_the_document() -> None:
    for kind in kinds():
        named = re.search(r"Fields: (.*)", kind.__dict__.get("__doc__") or "")
        fields = re.findall(r"`(\w+)`", named[1]) if named else []
        assert set(fields) <= set(documented()[kind.code]), kind.code


def test_the_browsers_list_of_codes_is_ours() -> None:
    shared = json.loads((ROOT / "tests" / "fixtures" / "codes.json").read_text(encoding="utf-8"))

    assert set(shared) == {kind.code for kind in kinds()}


def test_an_error_says_its_code_and_its_fields() -> None:
    assert str(QueueFull(waiting=3)) == "queue_full (waiting=3)"
    assert str(errors.NotFound()) == "not_found"
