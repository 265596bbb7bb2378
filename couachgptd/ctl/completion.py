"""couachgptctl completion: what a shell offers after each word, made of the table of verbs."""

from __future__ import annotations

import argparse

from couachgptd.ctl import exits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

Words = tuple[str, ...]

BASH = """\
# bash completion of couachgptctl, made by `couachgptctl completion bash`
_couachgptctl() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} path= word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        [[ $word == -* ]] || path="${{path:+$path }}$word"
    done
    local offered
    while :; do
        case "$path" in
{cases}
            "") offered="{first}"; break ;;
            *) [[ $path == *" "* ]] && path=${{path% *}} || path= ;;
        esac
    done
    COMPREPLY=($(compgen -W "$offered" -- "$current"))
    [[ ${{#COMPREPLY[@]}} -eq 0 ]] && compopt -o default 2>/dev/null
}}
complete -F _couachgptctl couachgptctl
"""
ZSH = """\
#compdef couachgptctl
# zsh completion of couachgptctl, made by `couachgptctl completion zsh`
autoload -U +X bashcompinit && bashcompinit
"""
FISH_HEAD = "# fish completion of couachgptctl, made by `couachgptctl completion fish`\n"


def show(arguments: argparse.Namespace) -> int:
    from couachgptd.ctl.arguments import build

    offers = dict(offered(build()))
    script = {"bash": bash, "zsh": lambda offers: ZSH + bash(offers), "fish": fish}
    print(script[arguments.shell](offers), end="")
    return exits.OK


def offered(parser: argparse.ArgumentParser, *path: str) -> Iterator[tuple[Words, dict[str, str]]]:
    """Yield, after each words, the words that may follow and what each is for."""
    words: dict[str, str] = {}
    for action in parser._actions:  # noqa: SLF001 -- argparse tells of itself nowhere else
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            helps = {each.dest: each.help or "" for each in action._choices_actions}  # noqa: SLF001
            for name, inner in action.choices.items():
                words[name] = helps.get(name, "")
                yield from offered(inner, *path, name)
        else:
            words |= {name: action.help or "" for name in action.option_strings if name[:2] == "--"}
            if not action.option_strings:
                words |= {str(each): action.help or "" for each in action.choices or ()}
    yield path, words


def bash(offers: dict[Words, dict[str, str]]) -> str:
    cases = "\n".join(
        f'            "{" ".join(path)}") offered="{" ".join(words)}"; break ;;'
        for path, words in sorted(offers.items())
        if path
    )
    return BASH.format(cases=cases, first=" ".join(offers[()]))


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
