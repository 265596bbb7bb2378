"""What the fake Ollama says and how it misbehaves: for one answer, and as a whole."""

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import chain, cycle, islice
from typing import Any

SCRIPT = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)

THOUGHT = (
    "La personne demande une réponse claire. Je commence par l'idée principale, "
    "puis je donne un exemple court avant de conclure. "
)
ANSWER = """\
Bien sûr ! Voici une réponse **claire** et structurée.

## Le principe

Chaque équipe garde *ses* habitudes, mais une règle simple aide tout le monde :

- écrire la question en une phrase ;
- donner un exemple réel ;
- vérifier la réponse avant de l'utiliser.

```python
def moyenne(valeurs: list[float]) -> float:
    \"\"\"Retourne la moyenne, ou 0 quand il n'y a rien.\"\"\"
    return sum(valeurs) / len(valeurs) if valeurs else 0.0
```

Le résultat se lit dans le tableau :

| mesure | valeur |
| --- | ---: |
| durée | 12,5 s |
| mémoire | 1,1 Go |

La formule $E = mc^2$ reste un bon exemple. Voilà, n'hésitez pas à demander la suite.

"""
TOKEN = re.compile(r"\s*[^\s]{1,6}|\s+")
ANSWER_TOKENS = TOKEN.findall(ANSWER)
THOUGHT_TOKENS = TOKEN.findall(THOUGHT)


@dataclass(frozen=True)
class Script:
    """What one answer does; the command line gives the default, a message may change it."""

    rate: float = 0.0
    tokens: int = 120
    first_token_delay: float = 0.0
    think: bool = False
    think_tags: bool = False
    echo: bool = False
    says: str = ""  # exactly this, in place of the usual answer
    stamp: bool = False  # each token is the moment it is written, for benchmarks/relay
    hang_before_first: bool = False
    hang_after: int | None = None
    crash_after: int | None = None
    eof_after: int | None = None
    error_after: int | None = None
    malformed_after: int | None = None
    huge_line_after: int | None = None
    reset_after: int | None = None  # RST
    half_open_after: int | None = None  # neither reads nor writes, nor closes
    sliced: bool = False  # what is written comes byte by byte
    spin: bool = False  # what hangs, or is slow to begin, burns a core in the runner
    spin_on: bool = False  # also once the client has gone
    status: int = 0
    once: bool = False  # what a message tells is done the first time only

    def told_by(self, message: str) -> "Script":
        """Return the script as the words in `[[...]]` of a message change it."""
        changes: dict[str, Any] = {}
        for words in SCRIPT.findall(message):
            for word in shlex.split(words):
                name, _, value = word.partition("=")
                name = name.replace("-", "_")
                if name in {"hang", "hang_before_first"}:
                    changes["hang_before_first"] = True
                elif KINDS.get(name) is bool:
                    changes[name] = True
                elif name in KINDS:
                    changes[name] = KINDS[name](value)
        return replace(self, **changes) if changes else self


KINDS: dict[str, type] = {
    each.name: type(each.default) if each.default is not None else int for each in fields(Script)
}


@dataclass(frozen=True)
class Behaviour:
    """What the engine does as a whole; `hangs` names pages: version, ps, chat, generate, ..."""

    load_seconds: float = 0.0  # nothing moves meanwhile
    load_reads: bool = False  # the runner reads the disk meanwhile
    hangs: tuple[str, ...] = ()
    unload_ignored: bool = False  # answered, but the model stays
    runner: str = ""  # a real process: plain, deaf (to SIGTERM), dead (ends at its start) or hungry
    status_times: int = 0  # how many answers of `status` are left


def changed(script: Script, behaviour: Behaviour, told: dict[str, Any]) -> tuple[Script, Behaviour]:
    """Return both with what a test told changed. Raises KeyError on a name of neither."""
    ours = {each.name for each in fields(Behaviour)}
    if unknown := set(told) - ours - set(KINDS):
        raise KeyError(", ".join(sorted(unknown)))
    values: dict[str, Any] = dict(told)
    if "hangs" in values:
        values["hangs"] = tuple(values["hangs"])
    general = {name: values.pop(name) for name in ours & set(values)}
    return replace(script, **values), replace(behaviour, **general)


def answer_tokens(script: Script, messages: list[dict[str, Any]]) -> Iterator[str]:
    """Return the answer, token by token; a trailing assistant message is gone on with."""
    if script.echo:
        return iter(TOKEN.findall(json.dumps(messages, ensure_ascii=False)))
    if script.says:
        return iter(TOKEN.findall(script.says))
    said = ""
    if messages and messages[-1].get("role") == "assistant":
        said = str(messages[-1].get("content", ""))
    return islice(going_on_after(said), script.tokens)


def going_on_after(said: str) -> Iterator[str]:
    words = cycle(ANSWER_TOKENS)
    if said and (ANSWER * (len(said) // len(ANSWER) + 1)).startswith(said):
        while said:
            word = next(words)
            if len(word) > len(said):
                return chain([word[len(said) :]], words)
            said = said[len(word) :]
    return words
