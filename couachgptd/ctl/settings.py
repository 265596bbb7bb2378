"""couachgptctl config: whether the file is right, what is in force, reading it again."""

from couachgptd.ctl import exits, render
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
    print(
        render.as_json({"is_right": True}) if arguments.json else _("The configuration is right.")
    )
    return exits.OK


def show(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.config.show")
    if arguments.json:
        print(render.as_json(answer))
        return exits.OK
    rows = [
        (each["key"], _shown(each["value"]), _origin(each["origin"]))
        for each in answer["settings"]
        if arguments.all or each["origin"] != "default"
    ]
    name = answer["file"] or _("there is none")
    print(render.safe(_("Configuration file: {path}").format(path=name)))
    if rows:
        print(render.table((_("KEY"), _("VALUE"), _("FROM")), rows))
    else:
        print(_("Everything has its default: `--all` shows it."))
    return exits.OK


def reload(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.config.reload")
    if arguments.json:
        print(render.as_json(answer))
        return exits.OK
    applied, later = answer["applied"], answer["needs_restart"]
    if not applied and not later:
        print(_("Nothing has changed."))
    if applied:
        print(render.safe(_("In force now: {keys}").format(keys=", ".join(applied))))
    if later:
        text = _("In force after `couachgptctl restart`: {keys}").format(keys=", ".join(later))
        print(render.yellow(render.safe(text)))
    return exits.OK


def _origin(name: str) -> str:
    return _(ORIGINS[name]) if name in ORIGINS else name


def _shown(value: "Any") -> str:
    return value if isinstance(value, str) else render.as_json(value, indent=None)
