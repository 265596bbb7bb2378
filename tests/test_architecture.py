"""The shape of the house: who may import what, how long a module is, and what it says it is for."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "couachgptd"
MODULES = sorted(PACKAGE.rglob("*.py"))
MOST_LINES = 400


@dataclass(frozen=True, slots=True)
class Rule:
    """What one package may import of ours and of others, and why no more."""

    ours: frozenset[str]
    others: frozenset[str]
    why: str


def rule(ours: str, others: str, why: str) -> Rule:
    return Rule(frozenset(ours.split()), frozenset(others.split()), why)


# Read from the top; a module's own package and its parents are always allowed. `ours` are paths
# below couachgptd: `core` allows core and all that is in it. `*` allows everything.
RULES = {
    "core": rule("", "", "the domain decides, with the standard library only; I/O is a port's"),
    "services": rule("core", "", "services talk to ports; the adapters are given to them"),
    "storage": rule(
        "core services logs paths settings",
        "argon2 peewee playhouse",
        "storage is SQLite only; what another adapter needs of it goes through a port",
    ),
    "engine.llama_child": rule("", "xllamacpp", "the child is llama.cpp and nothing else"),
    "engine": rule(
        "core services logs paths settings",
        "aiohttp httpx httpx_aiohttp multidict ollama psutil yarl",
        "engine is Ollama and llama.cpp only; xllamacpp loads in the child process, never here",
    ),
    "http": rule(
        "core services i18n logs paths settings",
        "aiohttp aiohttp_jinja2 aiohttp_session argon2 jinja2 markupsafe multidict yarl",
        "handlers ask a service, never a table, an engine or the socket",
    ),
    "control.routes": rule("", "", "couachgptctl starts with it: the standard library only"),
    "control.bodies": rule("", "", "couachgptctl's types are made of it"),
    "control.kept": rule("", "", "couachgptctl's types are made of it"),
    "control.shapes": rule("", "", "couachgptctl's types are made of it"),
    "control.client": rule(
        "control.routes",
        "",
        "couachgptctl starts with it, so it costs nothing: the standard library only",
    ),
    "control": rule(
        "core services i18n logs paths settings",
        "aiohttp multidict yarl",
        "the socket asks a service, never a table, an engine or a page",
    ),
    "sandbox.walls": rule(
        "core logs paths sandbox.frames sandbox.libraries",
        "",
        "the side that is trusted: it knows no job",
    ),
    "sandbox.documents": rule(
        "sandbox.refusal",
        "docx lxml openpyxl pypdf",
        "the worker reads documents; the daemon never does",
    ),
    "sandbox": rule("", "", "the worker is alone with a file: the standard library only"),
    "catalogue": rule("", "", "couachgptctl reads it before there is a daemon"),
    "ctl": rule(
        "catalogue control.client control.kept control.routes control.shapes config i18n logs"
        " paths settings",
        "",
        "couachgptctl starts in the time of a bare Python and does what the socket offers",
    ),
    "configuration": rule(
        "config core paths settings", "", "it knows the file, and who uses a setting is told by it"
    ),
    "changeable": rule(
        "config configuration core services settings",
        "",
        "it tells services of settings; which ones there are is the daemon's",
    ),
    "log_tail": rule("logs", "", "it holds lines, and asks nobody"),
    "config": rule(
        "paths settings", "", "it reads a file into settings; who needs those is given them"
    ),
    "settings": rule("paths", "", "everyone imports it, so it imports nobody"),
    "tls": rule("config settings", "", "it reads two files; who listens is given the result"),
    "i18n": rule("paths", "", "everyone imports it, so it imports nobody"),
    "logs": rule("", "", "everyone imports it, so it imports nobody"),
    "paths": rule("", "", "everyone imports it, so it imports nobody"),
    "daemon": rule("*", "*", "the composition root"),
    "__main__": rule(
        "config configuration control.peer core.errors daemon http.assets i18n listeners logs"
        " notify paths settings tls",
        "",
        "it reads arguments, runs the daemon and gives each failure to start its exit code",
    ),
    "listeners": rule("settings", "", "it opens an address; who serves there is not its business"),
    "notify": rule("", "sdnotify", "it speaks to systemd and to nobody else"),
}


def name_of(path: Path) -> str:
    """Return the dotted name below couachgptd; the package itself is the empty name."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {name_of(path): path for path in MODULES}


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def rule_of(name: str) -> tuple[str, Rule] | None:
    return next(((key, each) for key, each in RULES.items() if is_within(name, key)), None)


def imports_of(name: str, path: Path) -> Iterator[tuple[int, str]]:
    """Yield each import, also those inside functions, as a line and a whole dotted name."""
    package = ["couachgptd", *filter(None, name.split("."))]
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *filter(None, [node.module])])
            yield from ((node.lineno, _named(start, alias.name)) for alias in node.names)


def _named(start: str, name: str) -> str:
    """Return `a.b` for `from a import b` where b is a module of ours, else `a`."""
    below = f"{start}.{name}".removeprefix("couachgptd.")
    return f"{start}.{name}" if start.startswith("couachgptd") and below in NAMES else start


def offence(name: str, imported: str) -> str | None:
    """Return why this module may not import that name, or None where it may."""
    found = rule_of(name)
    if found is None:
        return "no rule speaks of this module: add one to tests/test_architecture.py"
    key, allowed = found
    top, _, below = imported.partition(".")
    if top in sys.stdlib_module_names or "*" in allowed.ours:
        return None
    if top != "couachgptd":
        return None if top in allowed.others else allowed.why
    if below == "" or any(is_within(below, each) for each in (key, *allowed.ours)):
        return None
    return allowed.why


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name or "couachgptd")
def test_a_module_imports_only_what_its_place_allows(name: str) -> None:
    wrong = [
        f"{NAMES[name].relative_to(ROOT)}:{line}: imports {imported}, but {why}"
        for line, imported in imports_of(name, NAMES[name])
        if name and (why := offence(name, imported))
    ]

    assert not wrong, "\n" + "\n".join(wrong)


def test_the_package_itself_imports_nothing() -> None:
    assert not list(imports_of("", NAMES[""])), "importing any module runs it: the version only"


def test_the_daemon_is_imported_by_main_and_tests_only() -> None:
    importers = {
        name
        for name, path in NAMES.items()
        for _, imported in imports_of(name, path)
        if is_within(imported, "couachgptd.daemon")
    }

    assert importers <= {"__main__"}, "there is one composition root, and nothing asks it for parts"


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name or "couachgptd")
def test_a_module_is_short_enough_to_be_read_at_once(name: str) -> None:
    lines = len(NAMES[name].read_text(encoding="utf-8").splitlines())

    assert lines <= MOST_LINES, (
        f"{NAMES[name].relative_to(ROOT)}: {lines} lines, {MOST_LINES} at most; it does two things"
    )


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name or "couachgptd")
def test_a_module_says_in_one_sentence_what_it_is_for(name: str) -> None:
    where = NAMES[name].relative_to(ROOT)
    docstring = ast.get_docstring(ast.parse(NAMES[name].read_text(encoding="utf-8"))) or ""
    sentence, _, details = docstring.partition("\n\n")

    assert sentence, f"{where}: no docstring; the first line says what the module is for"
    assert sentence.endswith("."), (
        f"{where}: the first paragraph is one sentence with its full stop"
    )
    assert ". " not in sentence.replace("\n", " "), f"{where}: more than one sentence"
    assert details == details.strip(), f"{where}: stray space around the details"


def test_couachgptctl_starts_with_the_standard_library_only() -> None:
    if "ctl.__main__" not in NAMES:
        pytest.fail("couachgptd/ctl/__main__.py is not there")
    program = (
        "import sys; before = set(sys.modules); import couachgptd.ctl.__main__; import json; "
        "print(json.dumps(sorted({m.partition('.')[0] for m in set(sys.modules) - before})))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    foreign = loaded - sys.stdlib_module_names - {"couachgptd"}
    assert not foreign, f"these cost every couachgptctl command their start-up: {sorted(foreign)}"


# --- the test itself can see ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "imported"),
    [
        ("core.turns", "aiohttp"),
        ("core.turns", "couachgptd.config"),
        ("core.turns", "couachgptd.services.chat"),
        ("services.chat", "couachgptd.storage.tables"),
        ("services.chat", "couachgptd.config"),
        ("services.chat", "peewee"),
        ("storage.tables", "couachgptd.http.app"),
        ("storage.tables", "aiohttp"),
        ("engine.llama", "couachgptd.control.client"),
        ("engine.llama", "xllamacpp"),
        ("http.app", "couachgptd.control.client"),
        ("http.app", "peewee"),
        ("control.client", "aiohttp"),
        ("control.client", "couachgptd.core.errors"),
        ("ctl.render", "couachgptd.control.app"),
        ("ctl.render", "couachgptd.core"),
        ("config", "couachgptd.core"),
        ("paths", "couachgptd.config"),
        ("http.app", "couachgptd.daemon"),
        ("nowhere", "os"),
    ],
)
def test_what_is_forbidden_is_seen(name: str, imported: str) -> None:
    assert offence(name, imported)


@pytest.mark.parametrize(
    ("name", "imported"),
    [
        ("core.turns", "couachgptd.core.users"),
        ("core.turns", "dataclasses"),
        ("services.chat", "couachgptd.core"),
        ("storage.tables", "peewee"),
        ("engine.llama_child", "xllamacpp"),
        ("control.app", "couachgptd.control.client"),
        ("ctl.render", "couachgptd.control.client"),
        ("i18n", "couachgptd.paths"),
        ("daemon", "couachgptd.http.app"),
        ("http.app", "couachgptd"),
    ],
)
def test_what_is_allowed_is_not_refused(name: str, imported: str) -> None:
    assert offence(name, imported) is None


def test_imports_inside_functions_and_relative_ones_are_seen(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "def f():\n    from . import ports\n    import peewee.sub\n    from .. import x\n"
    )

    assert list(imports_of("core.module", module)) == [
        (2, "couachgptd.core.ports"),
        (3, "peewee.sub"),
        (4, "couachgptd"),
    ]
