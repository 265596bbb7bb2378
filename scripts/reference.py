"""Writes what is said of the verbs in docs/ from their tables; `check` says what is out of date.

docs/couachgptctl.1.md holds the synopsis and the verbs of the command line between marks,
docs/control.openapi.json is the whole table of the control socket.
"""

import argparse
import json
import os
import re
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints

from couachgptd.control import kept
from couachgptd.control.routes import API
from couachgptd.control.verb import Verb
from couachgptd.control.verbs import VERBS
from couachgptd.core.access import TABLE
from couachgptd.ctl import arguments
from couachgptd.ctl.grammar.parser import EVERYWHERE, PROGRAM

ROOT = Path(__file__).resolve().parent.parent
MANUAL = ROOT / "docs" / "couachgptctl.1.md"
OPENAPI = ROOT / "docs" / "control.openapi.json"
Json = dict[str, Any]


# --- the command line --------------------------------------------------------------------------


def commands(
    parser: argparse.ArgumentParser, *path: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield each verb and its parser, in the order of the help."""
    if parser.get_default("place"):
        yield " ".join(path), parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield from commands(inner, *path, name)


def own_actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    actions = parser._actions
    below = argparse._SubParsersAction
    return [each for each in actions if each.dest not in EVERYWHERE and not isinstance(each, below)]


def usage(parser: argparse.ArgumentParser) -> str:
    """Return a verb's usage on one line, without the program and what every verb takes."""
    text = " ".join(parser.format_usage().split()).removesuffix(" [VERB] ...")
    return text.removeprefix(f"usage: {PROGRAM} ").replace("{fr,en}", "fr|en")


def synopsis() -> str:
    lines = [f"{PROGRAM} [OPTIONS] {usage(parser)}" for _, parser in commands(arguments.build())]
    return "\n".join(["```", *lines, f"{PROGRAM} --version", "```"])


def verbs_text() -> str:
    parts = []
    for name, parser in commands(arguments.build()):
        parts.append(f"`{name}`\n{definition(str(parser.description))}")
        for action in own_actions(parser):
            term = ", ".join(f"`{each}`" for each in action.option_strings)
            shown = action.metavar or "|".join(map(str, action.choices or ()))
            value = shown if action.nargs != 0 else ""
            head = " ".join(filter(None, [term, str(value or "")]))
            parts.append(f"  - {head}: {action.help}")
    return "\n\n".join(parts).replace("\n\n  - ", "\n  - ")


def definition(text: str) -> str:
    paragraphs = [" ".join(each.split()) for each in text.split("\n\n")]
    return "\n\n  ".join([f": {paragraphs[0]}", *paragraphs[1:]])


def manual() -> str:
    """Return the manual with its synopsis and verbs as the command line has them now."""
    os.environ["COLUMNS"] = "200"
    text = MANUAL.read_text(encoding="utf-8")
    for mark, content in (("synopsis", synopsis()), ("verbs", verbs_text())):
        begin, end = f"<!-- {mark}: make reference -->", f"<!-- end of {mark} -->"
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(end)
        text = f"{before}{begin}\n{content}\n{end}{after}"
    return text


# --- the control socket ------------------------------------------------------------------------


class Schemas:
    """JSON schemas of typed dictionaries, each by its name."""

    def __init__(self) -> None:
        self.found: dict[str, Json] = {}

    def of(self, kind: Any) -> Json:  # noqa: PLR0911 -- a case a line
        """Return a type's schema; a typed dictionary's is a reference to the one it is named by."""
        plain = {str: "string", int: "integer", float: "number", bool: "boolean"}
        origin = get_origin(kind)
        if kind in plain:
            return {"type": plain[kind]}
        if kind in (type(None), None):
            return {"type": "null"}
        if kind is Any:
            return {}
        if typing.is_typeddict(kind):
            return self._named(kind)
        if origin is NotRequired:
            return self.of(get_args(kind)[0])
        if origin is Literal:
            return {"enum": list(get_args(kind))}
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(each) for each in get_args(kind)]}
        if origin is list:
            return {"type": "array", "items": self.of(get_args(kind)[0])}
        if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": self.of(get_args(kind)[1])}
        raise TypeError(f"no schema for {kind!r}")

    def _named(self, kind: Any) -> Json:
        if kind.__name__ not in self.found:
            schema: Json = {"type": "object"}
            self.found[kind.__name__] = schema
            hints = get_type_hints(kind, include_extras=True)
            schema["properties"] = {name: self.of(each) for name, each in hints.items()}
            schema["required"] = sorted(kind.__required_keys__)
            if doc := own_doc(kind):
                schema["description"] = doc
        return {"$ref": f"#/components/schemas/{kind.__name__}"}


def own_doc(kind: Any) -> str:
    doc = str(kind.__doc__ or "")
    return "" if doc.startswith("dict(") else " ".join(doc.split())


def operation(verb: Verb, schemas: Schemas) -> Json:
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", verb.path)
    ]
    asked = [
        {"name": name, "in": "query", "description": text, "schema": {"type": "string"}}
        for name, text in verb.query.items()
    ]
    if verb.answer is kept.File:
        content: Json = {"*/*": {"schema": {"type": "string", "format": "binary"}}}
    else:
        kind = "application/x-ndjson" if verb.is_stream else "application/json"
        content = {kind: {"schema": schemas.of(verb.answer)}}
    answer = {"description": "done", "content": content}
    refusal = {"$ref": "#/components/responses/Refusal"}
    found: Json = {
        "operationId": verb.name,
        "summary": verb.summary,
        "x-audience": TABLE[verb.name].value,
        "responses": {str(verb.status): answer, "default": refusal},
    }
    if named or asked:
        found["parameters"] = [*named, *asked]
    if verb.body is not None:
        taken = {"application/json": {"schema": schemas.of(verb.body)}}
        is_needed = bool(verb.body.__required_keys__)
        found["requestBody"] = {"required": is_needed, "content": taken}
    return found


def openapi() -> str:
    schemas = Schemas()
    places: dict[str, Json] = {}
    for verb in VERBS:
        places.setdefault(verb.path, {})[verb.method.lower()] = operation(verb, schemas)
    error = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "fields"],
                "properties": {"code": {"type": "string"}, "fields": {"type": "object"}},
            }
        },
    }
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "couachgptd's control socket",
            "version": API,
            "description": "HTTP over a Unix socket; control.md says who may, and what it means.",
        },
        "paths": places,
        "components": {
            "schemas": dict(sorted(schemas.found.items())),
            "responses": {
                "Refusal": {
                    "description": "refused; the codes are those of protocol.md",
                    "content": {"application/json": {"schema": error}},
                }
            },
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=("write", "check"))
    is_check = parser.parse_args().what == "check"
    stale = []
    for path, text in ((MANUAL, manual()), (OPENAPI, openapi())):
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.name)
        if not is_check:
            path.write_text(text, encoding="utf-8")
    if is_check and stale:
        sys.stderr.write(f"out of date: {', '.join(stale)}; `make reference` writes them\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
