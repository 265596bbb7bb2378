"""docs/control.openapi.json and docs/control.md say what the table has."""

import json
from pathlib import Path

from couachgptd.control.verbs import VERBS
from scripts import reference

ROOT = Path(__file__).parents[2]
DOCUMENT = json.loads((ROOT / "docs" / "control.openapi.json").read_text(encoding="utf-8"))


def test_the_openapi_file_is_up_to_date() -> None:
    text = (ROOT / "docs" / "control.openapi.json").read_text(encoding="utf-8")

    assert reference.openapi() == text, "out of date: `make reference`"


def test_each_route_is_in_it_and_no_other() -> None:
    described = {
        (method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods
    }

    assert described == {(verb.method, verb.path) for verb in VERBS}
