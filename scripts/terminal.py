"""Makes what a terminal knows of us: the manual pages in roff, the completion for bash."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from couachgptd import __version__
from couachgptd.ctl import completion
from couachgptd.ctl.grammar.parser import PROGRAM
from scripts.reference import MANUAL

CONFIGURATION = MANUAL.parent.parent / "etc" / "couachgpt.toml"

# --- the manual page -----------------------------------------------------------------------------


def roff(markdown: str) -> str:
    """Return a page of our few kinds of Markdown as man(7): headings, terms, lists, tables."""
    lines = [f'.TH COUACHGPTCTL 1 "" "CouachGPT {__version__}"']
    is_code = False
    for line in re.sub(r"<!--.*?-->\n", "", markdown).splitlines()[1:]:
        if line.startswith("```"):
            is_code = not is_code
            lines.append(".nf" if is_code else ".fi")
        elif is_code:
            lines.append(_escaped(line))
        else:
            lines += _paragraph(line)
    return "\n".join(lines) + "\n"


def _paragraph(line: str) -> Iterator[str]:
    if line.startswith("## "):
        yield f'.SH "{line[3:].upper()}"'
    elif re.match(r"^\|[-|]+\|$", line):
        return
    elif line.startswith("|"):
        first, second = (each.strip() for each in line.strip("|").split("|", 1))
        yield from (".TP", _styled(first), _styled(second))
    elif line.startswith(": "):
        yield _styled(line[2:])
    elif line.startswith("`") and not line.endswith((".", ",")):
        yield from (".TP", _styled(line))
    elif found := re.match(r"^\s+- (.*)$", line):
        yield from (".br", _styled(found[1]))
    elif line.strip():
        yield _styled(line.strip())
    else:
        yield ".sp"


def _styled(text: str) -> str:
    text = re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", text)  # the text of a link
    bold = re.sub(r"`([^`]+)`", "\N{START OF HEADING}\\1\N{END OF TEXT}", text)
    return _escaped(bold).replace("\N{START OF HEADING}", r"\fB").replace("\N{END OF TEXT}", r"\fR")


def _escaped(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{text}" if text.startswith((".", "'")) else text


def of_configuration(toml: str) -> str:
    """Return couachgpt.toml(5): each key with its default, and what the line before it says."""
    lines = [
        f'.TH COUACHGPT.TOML 5 "" "CouachGPT {__version__}"',
        ".SH NAME",
        _escaped("couachgpt.toml - what a CouachGPT server is told at its start"),
        ".SH DESCRIPTION",
        _escaped("It is /etc/couachgpt.toml, or what --config names."),
    ]
    said: list[str] = []
    for line in toml.splitlines():
        if line.startswith("#"):
            said.append(_styled(line.removeprefix("#").strip()))
        elif line.startswith("["):
            lines.append(f".SH {_escaped(line)}")
        elif line:
            lines += [".TP", rf"\fB{_escaped(line)}\fR", *said]
            said = []
        else:  # what the file begins with
            lines += said
            said = []
    return "\n".join([*lines, ".SH SEE ALSO", rf"\fB{PROGRAM}\fR(1)"]) + "\n"


def write(share: Path) -> None:
    """Write them below a folder, where a system's share/ has them."""
    for name, text in (
        (f"man/man1/{PROGRAM}.1", roff(MANUAL.read_text(encoding="utf-8"))),
        ("man/man5/couachgpt.toml.5", of_configuration(CONFIGURATION.read_text(encoding="utf-8"))),
        (f"bash-completion/completions/{PROGRAM}", completion.script("bash")),
    ):
        path = share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
