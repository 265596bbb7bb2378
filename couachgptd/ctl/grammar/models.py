"""The verbs of models."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import group, verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_to(verbs: Any) -> None:
    models = group(verbs, "model", _("list models, fetch a starter model"))
    verb(models, "ls", "couachgptd.ctl.models:show", _("list the models of the engine"))
    help_text = _("bring a starter model to this machine; needs no daemon")
    fetch = verb(models, "fetch", "couachgptd.ctl.models:fetch", help_text)
    fetch.add_argument("name", metavar="NAME", nargs="?", help=_("which one: --list shows them"))
    fetch.add_argument("--list", action="store_true", help=_("show the starter models"))
    fetch.add_argument(
        "--models-dir", metavar="DIR",
        help=_("where to put it (default: the models_dir of the configuration)"),
    )  # fmt: skip
    fetch.add_argument(
        "--catalogue", metavar="FILE",
        help=_("a catalogue of your own instead of the packaged one, to use a mirror"),
    )  # fmt: skip
