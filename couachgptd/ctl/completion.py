"""couachgptctl completion: what a shell offers after each word, made of the table of verbs."""

from __future__ import annotations

import argparse

from couachgptd.ctl import exits
from couachgptd.ctl.grammar.parser import Parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

Words = tuple[str, ...]

BASH = """\
# bash completion of couachgptctl, made by `couachgptctl completion bash`
_couachgptctl() {{
    local path="" skip="" each words=""
    for each in "${{COMP_WORDS[@]:1:$((COMP_CWORD - 1))}}"; do
        if [ -n "$skip" ]; then skip=""; continue; fi
        case $each in
            {valued}) skip=1 ;;
            -*) ;;
            *) path="${{path:+$path }}$each" ;;
        esac
    done
    [ -z "$skip" ] || return
    while :; do
        case $path in
{cases}
            *" "*) path=${{path% *}} ;;
            *) path="" ;;
        esac
    done
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _couachgptctl couachgptctl
"""
ZSH = """\
#compdef couachgptctl
# zsh completion of couachgptctl, made by `couachgptctl completion zsh`
autoload -U +X bashcompinit && bashcompinit
"""
# zsh runs the file itself at the first Tab, where that finds it by its name.
ZSH_END = """\
if [[ ${funcstack[1]:-} = _couachgptctl ]]; then _bash_complete -o default -F _couachgptctl; fi
"""
FISH_HEAD = "# fish completion of couachgptctl, made by `couachgptctl completion fish`\n"


def show(arguments: argparse.Namespace) -> int:
    print(script(arguments.shell), end="")
    return exits.OK


def script(shell: str) -> str:
    from couachgptd.ctl.arguments import build

    parser = build()
    offers = dict(offered(parser))
    if shell == "fish":
        return fish(offers)
    completion = bash(offers, with_value(parser))
    return f"{ZSH}{completion}{ZSH_END}" if shell == "zsh" else completion


def with_value(parser: argparse.ArgumentParser) -> set[str]:
    """Return the options that the next word belongs to, of all verbs."""
    found: set[str] = set()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found.update(*(with_value(inner) for inner in action.choices.values()))
        elif action.option_strings and action.nargs != 0:
            found.update(action.option_strings)
    return found


def offered(parser: argparse.ArgumentParser, *path: str) -> Iterator[tuple[Words, dict[str, str]]]:
    """Yield, after each words, the words that may follow and what each is for."""
    words: dict[str, str] = {}
    if isinstance(parser, Parser):
        parser.complete()
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            for name, inner in action.choices.items():
                words[name] = helps.get(name, "")
                yield from offered(inner, *path, name)
        else:
            words |= {name: action.help or "" for name in action.option_strings if name[:2] == "--"}
            if not action.option_strings:
                words |= {str(each): action.help or "" for each in action.choices or ()}
    yield path, words


def bash(offers: dict[Words, dict[str, str]], valued: set[str]) -> str:
    cases = "\n".join(
        f'            "{" ".join(path)}") words="{" ".join(words)}"; break ;;'
        for path, words in sorted(offers.items())
    )
    return BASH.format(cases=cases, valued="|".join(sorted(valued)))


def fish(offers: dict[Words, dict[str, str]]) -> str:
    lines = []
    for path, words in sorted(offers.items()):
        seen = " ".join(f"; and __fish_seen_subcommand_from {word}" for word in path)
        nouns = " ".join(word for word in offers[path] if not word.startswith("-"))
        alone = f"; and not __fish_seen_subcommand_from {nouns}" if nouns else ""
        for word, text in words.items():
            told = text.replace("\\", "\\\\").replace("'", "\\'").replace("%%", "%")
            kind = f"-l {word[2:]}" if word.startswith("--") else f"-f -a {word}"
            lines.append(f"complete -c couachgptctl -n 'true{seen}{alone}' {kind} -d '{told}'")
    return FISH_HEAD + "\n".join(lines) + "\n"
