"""couachgptctl config: whether the file is right, what is in force, reading it again."""

from couachgptd.ctl import answers, render
from couachgptd.ctl.connection import connected, settings
from couachgptd.ctl.texts import _, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

ORIGINS = {
    "default": mark("default"),
    "file": mark("file"),
    "override": mark("command line"),
    "stored": mark("set while running"),
}


def check(arguments: "Namespace") -> int:
    """Raises ConfigError, which becomes a line that names the key; needs no daemon."""
    settings(arguments)
    return answers.say(arguments, {"is_right": True}, _("The configuration is right."))


def show(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.config.show")
    return answers.show(arguments, answer, lambda told: _in_force(told, is_all=arguments.all))


def reload(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return answers.show(arguments, client.call("control.config.reload"), _changes)


def _in_force(answer: "Any", *, is_all: bool) -> str:
    rows = [
        (each["key"], _shown(each["value"]), _origin(each["origin"]))
        for each in answer["settings"]
        if is_all or each["origin"] != "default"
    ]
    name = answer["file"] or _("there is none")
    path = render.safe(_("Configuration file: {path}").format(path=name))
    head = (_("KEY"), _("VALUE"), _("FROM"))
    everything = _("Everything has its default: `--all` shows it.")
    return f"{path}\n{render.table(head, rows) if rows else everything}"


def _changes(answer: "Any") -> str:
    applied, later = answer["applied"], answer["needs_restart"]
    lines = []
    if applied:
        lines.append(render.safe(_("In force now: {keys}").format(keys=", ".join(applied))))
    if later:
        text = _("In force after `couachgptctl restart`: {keys}").format(keys=", ".join(later))
        lines.append(render.yellow(render.safe(text)))
    return "\n".join(lines) or _("Nothing has changed.")


def _origin(name: str) -> str:
    return _(ORIGINS[name]) if name in ORIGINS else name


def _shown(value: "Any") -> str:
    return value if isinstance(value, str) else render.as_json(value, indent=None)
