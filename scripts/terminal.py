"""Makes what a terminal knows of couachgptctl: the manual page in roff, the completion for bash."""

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from couachgptd import __version__
from couachgptd.ctl import arguments
from couachgptd.ctl.grammar.parser import PROGRAM
from scripts.reference import MANUAL

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


# --- completion ----------------------------------------------------------------------------------


def words_of(parser: argparse.ArgumentParser, *path: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each verb, from the empty one, with what may follow it."""
    words: list[str] = []
    below: list[tuple[str, argparse.ArgumentParser]] = []
    for action in parser._actions:  # noqa: SLF001 -- argparse tells of itself nowhere else
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            below = list(action.choices.items())
        words += [each for each in action.option_strings if each.startswith("--")]
        words += [] if below or action.option_strings else map(str, action.choices or ())
    yield " ".join(path), [*(name for name, _ in below), *words]
    for name, inner in below:
        yield from words_of(inner, *path, name)


def with_value(parser: argparse.ArgumentParser) -> set[str]:
    """Return the options that the next word belongs to, of all verbs."""
    found: set[str] = set()
    for action in parser._actions:  # noqa: SLF001 -- the same
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            found.update(*(with_value(inner) for inner in action.choices.values()))
        elif action.option_strings and action.nargs != 0:
            found.update(action.option_strings)
    return found


def completion() -> str:
    parser = arguments.build()
    cases = "\n".join(
        f'        "{path}") words="{" ".join(words)}" ;;' for path, words in words_of(parser)
    )
    return f"""# Completion of {PROGRAM} for bash.
_{PROGRAM}() {{
    local path="" skip="" each words=""
    for each in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        if [ -n "$skip" ]; then skip=""; continue; fi
        case $each in
            {"|".join(sorted(with_value(parser)))}) skip=1 ;;
            -*) ;;
            *) path="${{path:+$path }}$each" ;;
        esac
    done
    [ -z "$skip" ] || return
    case $path in
{cases}
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}")
}}
complete -o default -F _{PROGRAM} {PROGRAM}
"""


def write(share: Path) -> None:
    """Write both below a folder, where a system's share/ has them."""
    for name, text in (
        (f"man/man1/{PROGRAM}.1", roff(MANUAL.read_text(encoding="utf-8"))),
        (f"bash-completion/completions/{PROGRAM}", completion()),
    ):
        path = share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
