"""Collects, merges, checks and compiles the texts of templates, Python and browser code.

The English of the sources is the msgid. `update` brings both catalogues up to date with the
sources, `compile` makes the .mo files and the browser's JSON, `check` says what is missing.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from couachgptd.i18n import DOMAIN, LANGUAGES
from scripts.web_imports import reached_from
from scripts.web_texts import TextError, texts_of

ROOT = Path(__file__).resolve().parent.parent
SOURCE_LANGUAGE = "en"
# The browser's texts in files: what the chat shows at once, what its later parts say beyond that,
# and what only the pages beside the chat say.
EVERYWHERE, LATER, BESIDE = "texts", "later", ("admin", "profile", "document")
# Which of gettext's forms serves a CLDR plural category: the browser picks by Intl.PluralRules.
FORM_OF_CATEGORY = {
    "fr": {"one": 0, "many": 1, "other": 1},
    "en": {"one": 0, "other": 1},
}
PLURALS = {
    "fr": "nplurals=2; plural=(n > 1);",
    "en": "nplurals=2; plural=(n != 1);",
}
HEADER = """\
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""
KEYWORDS: dict[str, Any] = {"_": None, "gettext": None, "ngettext": (1, 2), "mark": None}
TEMPLATE_OPTIONS = {"encoding": "utf-8", "silent": "false", "newstyle_gettext": "true"}
# A moment that never changes, so that the same catalogue gives the same bytes.
FIXED_DATE = datetime(2026, 1, 1, tzinfo=UTC)

_PLACEHOLDER = re.compile(r"\{(\w+)\}|%\((\w+)\)[a-z]|%[sd]")


@dataclass(frozen=True, slots=True)
class Tree:
    """Where sources, catalogues and what is made of them are; tests make one of their own."""

    root: Path

    def po(self, language: str) -> Path:
        return self.root / "web" / "locales" / language / "LC_MESSAGES" / f"{DOMAIN}.po"

    def mo(self, language: str) -> Path:
        return self.po(language).with_suffix(".mo")

    def json(self, language: str, part: str = EVERYWHERE) -> Path:
        return self.root / "web" / "src" / "generated" / f"{part}.{language}.json"

    def python(self) -> list[Path]:
        return sorted((self.root / "couachgptd").rglob("*.py"))

    def templates(self) -> list[Path]:
        return sorted((self.root / "web" / "templates").rglob("*.html"))

    def browser(self) -> list[Path]:
        found = (self.root / "web" / "src").rglob("*")
        return sorted(
            path
            for path in found
            if path.suffix in {".ts", ".svelte"} and not path.name.endswith((".test.ts", ".d.ts"))
        )


# --- extract -------------------------------------------------------------------------------------


def extract(tree: Tree) -> Catalog:
    """Return all texts of the sources. Raises TextError."""
    catalog = Catalog(charset="utf-8")
    for path, text in [*_server_texts(tree), *_browser_texts(tree)]:
        catalog.add(text, locations=[(str(path.relative_to(tree.root)), 0)])
    return catalog


def _server_texts(tree: Tree) -> Iterator[tuple[Path, Any]]:
    methods = [("python", path) for path in tree.python()]
    methods += [("jinja2.ext:babel_extract", path) for path in tree.templates()]
    for method, path in methods:
        options = None if method == "python" else TEMPLATE_OPTIONS
        for _, text, _, _ in extract_from_file(method, path, keywords=KEYWORDS, options=options):
            yield path, text


def _browser_texts(tree: Tree) -> Iterator[tuple[Path, Any]]:
    for path in tree.browser():
        try:
            texts = texts_of(path.read_text(encoding="utf-8"), svelte=path.suffix == ".svelte")
        except TextError as error:
            raise TextError(f"{path.relative_to(tree.root)}:{error}") from None
        for text in texts:
            yield path, text.one if text.many is None else (text.one, text.many)


# --- update --------------------------------------------------------------------------------------


def load(tree: Tree, language: str) -> Catalog:
    path = tree.po(language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language, charset="utf-8", abort_invalid=True)


def update(tree: Tree) -> None:
    """Bring the catalogues up to date: new texts come in empty, unused ones go, the rest stays."""
    wanted = extract(tree)
    for language in LANGUAGES:
        catalog = load(tree, language)
        catalog.update(wanted, no_fuzzy_matching=True, update_creation_date=False)
        path = tree.po(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_as_po(catalog, language))


def _as_po(catalog: Catalog, language: str) -> bytes:
    """Return the file without dates and line numbers, which would change with every edit."""
    body = BytesIO()
    write_po(
        body, catalog, width=100, omit_header=True, sort_output=True, ignore_obsolete=True,
        include_previous=False, include_lineno=False,
    )  # fmt: skip
    header = HEADER.format(language=language, plurals=PLURALS[language])
    return header.encode() + body.getvalue().strip() + b"\n"


# --- compile -------------------------------------------------------------------------------------


def compile_all(tree: Tree) -> None:
    """Write the .mo files and the browser's JSON."""
    used = texts_by_part(tree)
    for language in LANGUAGES:
        catalog = load(tree, language)
        catalog.creation_date = catalog.revision_date = FIXED_DATE
        with tree.mo(language).open("wb") as file:
            write_mo(file, catalog)
        for part, msgids in used.items():
            texts = browser_texts(catalog, language, msgids)
            path = tree.json(language, part)
            path.parent.mkdir(parents=True, exist_ok=True)
            content = json.dumps(texts, ensure_ascii=False, sort_keys=True, indent=1)
            path.write_text(f"{content}\n", encoding="utf-8")


def texts_by_part(tree: Tree) -> dict[str, set[str]]:
    """Return the texts of each file that browsers load; none stands in one and in `texts`, too."""
    entries = tree.root / "web" / "src" / "entries"
    chat = reached_from(entries / "base.ts", entries / "chat.ts")
    sources = {LATER: chat.later} | {
        part: reached_from(entries / f"{part}.ts").all for part in BESIDE
    }
    elsewhere = frozenset[Path]().union(*sources.values()) - chat.at_once
    used: dict[str, set[str]] = {part: set() for part in (EVERYWHERE, *sources)}
    for path, text in _browser_texts(tree):
        msgid = text if isinstance(text, str) else text[0]
        if path not in elsewhere:
            used[EVERYWHERE].add(msgid)
        for part, paths in sources.items():
            if path in paths:
                used[part].add(msgid)
    for part in sources:
        used[part] -= used[EVERYWHERE]
    return used


def browser_texts(
    catalog: Catalog, language: str, used: set[str]
) -> dict[str, str | dict[str, str]]:
    """Return what the browser needs: a text that equals its msgid need not travel."""
    texts: dict[str, str | dict[str, str]] = {}
    for message in catalog:
        if not message.id or _msgid(message) not in used:
            continue
        forms = [
            given or source for given, source in zip(_forms(message), _ids(message), strict=True)
        ]
        if message.pluralizable:
            categories = FORM_OF_CATEGORY[language]
            texts[_msgid(message)] = {name: forms[form] for name, form in categories.items()}
        elif forms[0] != _msgid(message):
            texts[_msgid(message)] = forms[0]
    return texts


# --- check ---------------------------------------------------------------------------------------


def check(tree: Tree) -> list[str]:
    """Return what is wrong with the catalogues, one line each; nothing when they are complete."""
    wanted = {_msgid(message): message for message in extract(tree) if message.id}
    problems: list[str] = []
    for language in LANGUAGES:
        present = {_msgid(message): message for message in load(tree, language) if message.id}
        where = tree.po(language).relative_to(tree.root)
        for msgid in sorted(wanted.keys() - present.keys()):
            source = wanted[msgid].locations[0][0]
            problems.append(f"{where}: missing (from {source}): {msgid!r}")
        problems += [
            f"{where}: not used by any source: {msgid!r}"
            for msgid in sorted(present.keys() - wanted.keys())
        ]
        for msgid in sorted(present.keys() & wanted.keys()):
            if present[msgid].pluralizable != wanted[msgid].pluralizable:
                problems.append(f"{where}: one form here, several in the source: {msgid!r}")
                continue
            problems += [
                f"{where}: {problem}: {msgid!r}" for problem in _faults(present[msgid], language)
            ]
    return problems


def _faults(message: Message, language: str) -> Iterator[str]:
    if message.fuzzy:
        yield "marked fuzzy"
    forms = _forms(message)
    if not all(forms) and (language != SOURCE_LANGUAGE or any(forms)):
        yield "not translated"
        return
    # French says the same form for none and for one: each form needs each placeholder.
    wanted = _placeholders(_ids(message)[-1])
    for number, form in enumerate(forms):
        found = _placeholders(form)
        fewer_will_do = language == SOURCE_LANGUAGE and number == 0 and message.pluralizable
        if form and found != wanted and not (fewer_will_do and found < wanted):
            yield f"placeholders {sorted(found)} where the source has {sorted(wanted)}"


def _placeholders(text: str) -> set[str]:
    return {match[0] for match in _PLACEHOLDER.finditer(text)}


def _msgid(message: Message) -> str:
    return _ids(message)[0]


def _ids(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _forms(message: Message) -> tuple[str, ...]:
    """Return the translations, as many as there are source forms."""
    given = message.string or ""
    forms = (given,) if isinstance(given, str) else tuple(given)
    return (*forms, "", "")[: len(_ids(message))]


# --- the command line ----------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.locales", description=__doc__)
    parser.add_argument("verb", choices=["extract", "update", "compile", "check"])
    verb = parser.parse_args().verb
    tree = Tree(ROOT)
    try:
        if verb == "extract":
            sys.stdout.buffer.write(_as_po(extract(tree), SOURCE_LANGUAGE))
        elif verb == "update":
            update(tree)
        elif verb == "compile":
            compile_all(tree)
        elif problems := check(tree):
            print("\n".join(problems), "`make texts` brings in what is missing.", sep="\n")
            return 1
    except TextError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
