"""Collects the texts that t(), tn() and mark() name in TypeScript and Svelte sources."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["name", "string", "template", "mark"]

ARGUMENTS = {"t": 1, "tn": 2, "mark": 1}
# A slash after one of these starts a regular expression; after a value it divides.
BEFORE_EXPRESSION = frozenset("(,=:[!&|?{};+-*%~^<>")
KEYWORDS_BEFORE_EXPRESSION = frozenset({"return", "typeof", "case", "in", "of", "await", "else"})
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}

_NAME = re.compile(r"[A-Za-z_$][\w$]*")
_NUMBER = re.compile(r"[0-9][\w.]*")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_REGEX = re.compile(r"/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/[a-z]*")
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.|\n))")
_QUOTED = re.compile(r"'(?:\\.|\\\n|[^'\\\n])*'|\"(?:\\.|\\\n|[^\"\\\n])*\"")
_SCRIPT = re.compile(r"<script\b[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_NOT_SHOWN = re.compile(r"<!--.*?-->|<style\b[^>]*>.*?</style>", re.DOTALL | re.IGNORECASE)
_BLOCK_SIGN = re.compile(r"[#:@/]\w+")


class TextError(Exception):
    """A text that cannot be collected; it says the file's line and why."""


@dataclass(frozen=True, slots=True)
class Text:
    """One use of a text; `many` is the second form of a tn()."""

    line: int
    one: str
    many: str | None = None


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    value: str
    offset: int


def texts_of(source: str, *, svelte: bool) -> list[Text]:
    """Return the texts of a file in their order. Raises TextError."""
    found: list[Text] = []
    for part in _svelte_parts(source) if svelte else [_tokens(source, 0)[0]]:
        found.extend(_calls(part, source))
    return sorted(found, key=lambda text: text.line)


def _svelte_parts(source: str) -> Iterator[list[Token]]:
    """Yield the code of each script, then of each {expression} of the markup."""

    def blank(match: re.Match[str]) -> str:
        return re.sub(r"[^\n]", " ", match[0])

    shown = _NOT_SHOWN.sub(blank, source)
    for script in _SCRIPT.finditer(shown):
        yield _tokens(shown[: script.end(1)], script.start(1))[0]
    markup = _SCRIPT.sub(blank, shown)
    at = markup.find("{")
    while at >= 0:
        sign = _BLOCK_SIGN.match(markup, at + 1)
        tokens, at = _tokens(markup, sign.end() if sign else at + 1, until_brace=True)
        yield tokens
        at = markup.find("{", at)


def _tokens(source: str, at: int, *, until_brace: bool = False) -> tuple[list[Token], int]:
    """Return the tokens from `at` on, and where they end: past the closing brace, if asked."""
    tokens: list[Token] = []
    depth = 0
    while at < len(source):
        char = source[at]
        if char.isspace():
            at += 1
        elif match := _COMMENT.match(source, at):
            at = match.end()
        elif char == "/" and _expects_value(tokens) and (match := _REGEX.match(source, at)):
            at = match.end()
            tokens.append(Token("mark", "/", match.start()))
        elif match := _QUOTED.match(source, at):
            tokens.append(Token("string", _unescaped(match[0][1:-1]), at))
            at = match.end()
        elif char == "`":
            inner, at = _template(source, at)
            tokens.extend(inner)
        elif match := _NAME.match(source, at):
            tokens.append(Token("name", match[0], at))
            at = match.end()
        elif match := _NUMBER.match(source, at):
            tokens.append(Token("mark", "0", at))
            at = match.end()
        else:
            depth += (char == "{") - (char == "}")
            at += 1
            if until_brace and depth < 0:
                return tokens, at
            tokens.append(Token("mark", char, at - 1))
    return tokens, at


def _template(source: str, start: int) -> tuple[list[Token], int]:
    """Read a template literal: a string if nothing is put into it, else the code put into it."""
    at = piece = start + 1
    text = ""
    inner: list[Token] = []
    while at < len(source) and source[at] != "`":
        if source[at] == "\\":
            at += 2
        elif source.startswith("${", at):
            tokens, at = _tokens(source, at + 2, until_brace=True)
            inner += [Token("mark", "(", start), *tokens, Token("mark", ")", start)]
        else:
            at += 1
    text = source[piece:at]
    if not inner:
        return [Token("string", _unescaped(text), start)], at + 1
    return [Token("template", text, start), *inner], at + 1


def _expects_value(tokens: list[Token]) -> bool:
    if not tokens:
        return True
    last = tokens[-1]
    if last.kind == "name":
        return last.value in KEYWORDS_BEFORE_EXPRESSION
    return last.kind == "mark" and last.value in BEFORE_EXPRESSION


def _unescaped(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        if code := match[1] or match[2] or match[3]:
            return chr(int(code, 16))
        return ESCAPES.get(match[4], match[4])

    return _ESCAPE.sub(plain, text)


def _calls(tokens: list[Token], source: str) -> Iterator[Text]:
    for index, token in enumerate(tokens):
        wanted = ARGUMENTS.get(token.value) if token.kind == "name" else None
        if wanted is None or not _is_call(tokens, index):
            continue
        line = source.count("\n", 0, token.offset) + 1
        literals, index_after = _literals(tokens, index + 2, wanted)
        if index_after < len(tokens) and tokens[index_after].kind == "template":
            raise TextError(f"{line}: {token.value}() takes a text and values, not a template")
        if len(literals) == wanted:
            yield Text(line, literals[0], literals[1] if wanted > 1 else None)
        elif wanted > 1:
            raise TextError(f"{line}: tn() takes two texts and a number")
        # t(variable): the text was collected where mark() names it.


def _is_call(tokens: list[Token], index: int) -> bool:
    """Tell `t(` from `x.t(` and from `function t(`."""
    if index + 1 >= len(tokens) or tokens[index + 1].value != "(":
        return False
    before = tokens[index - 1] if index else None
    return before is None or (before.value not in {".", "function"} or before.kind == "string")


def _literals(tokens: list[Token], at: int, wanted: int) -> tuple[list[str], int]:
    """Read up to `wanted` arguments that are strings, or strings joined by plus signs."""
    literals: list[str] = []
    while len(literals) < wanted and at < len(tokens) and tokens[at].kind == "string":
        text = tokens[at].value
        at += 1
        while at + 1 < len(tokens) and tokens[at].value == "+" and tokens[at + 1].kind == "string":
            text += tokens[at + 1].value
            at += 2
        if at < len(tokens) and tokens[at].value not in {",", ")"}:
            break  # `'a' + b`, `'a'.trim()`: not a text
        literals.append(text)
        at += 1
    return literals, at
