"""couachgptctl model fit: whether a model fits the server, and what to do where it does not."""

from __future__ import annotations

import sys

from couachgptd.control.client import ControlClientError
from couachgptd.ctl import answers, render
from couachgptd.ctl.connection import connected
from couachgptd.ctl.failures import CommandFailed
from couachgptd.ctl.texts import _, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from couachgptd.control.client import ControlClient
    from couachgptd.control.shapes import Fit

# The words of couachgptd/core/fit.py, in the sentences of the admin page: a test says so.
REASONS = {
    "room": mark("It fits."),
    "loaded": mark("It fits: it is in memory already."),
    "others": mark("It fits once the models in memory have left it, which loading it sees to."),
    "in_use": mark(
        "It is tight: other programs must give memory back first. A smaller model or context is"
        " safer."
    ),
    "little_left": mark(
        "It is tight: hardly any memory would be left. A smaller model or context is safer."
    ),
    "disk_low": mark(
        "It is tight: hardly any disk would be left. Delete a model that nobody uses first."
    ),
    "memory": mark(
        "It does not fit: the server has too little memory, whatever the context. Take a smaller"
        " model."
    ),
    "disk": mark("It does not fit on the disk. Delete a model that nobody uses first."),
    "size_unknown": mark(
        "Whether it fits is not known: its name does not tell how large it is. Its page on"
        " ollama.com does."
    ),
    "not_told": mark("Whether it fits is not known: the engine does not tell of its machine."),
}
SMALLER_CONTEXT = mark(
    "It does not fit with this context: {tokens} tokens at most would. Lower it, or take a"
    " smaller model."
)
SOURCES = {
    "engine": "{size}",
    "catalogue": "{size}",
    "name": mark("about {size}, going by its name"),
}


def show(arguments: Namespace) -> int:
    with connected(arguments) as client:
        fit: Fit = client.call("control.model.fit", model=arguments.model)
    return answers.show(
        arguments, fit, lambda fit: "\n".join([render.pairs(_figures(fit)), sentence(fit)])
    )


def warn(client: ControlClient, arguments: Namespace) -> None:
    """Say before a download what is against it. Raises CommandFailed where the disk is too small.

    A program, which asks for JSON, asks for the fit itself.
    """
    fit: Fit = client.call("control.model.fit", model=arguments.model)
    if fit["reason"] == "disk" and not arguments.force:
        raise CommandFailed(
            _("There is not enough room on the disk: {needed} needed, {free} free.").format(
                needed=_size(fit), free=render.size(fit["disk_free_bytes"])
            ),
            hint=_("Delete a model that nobody uses; --force downloads it all the same."),
            code="disk_full",
            fields={"needed_bytes": fit["disk_needed_bytes"], "free_bytes": fit["disk_free_bytes"]},
        )
    if fit["verdict"] in {"tight", "does_not_fit"} and not arguments.json:
        print(render.yellow(sentence(fit), sys.stderr), file=sys.stderr, flush=True)


def load_seconds(client: ControlClient, model: str) -> float | None:
    """Return how long the last load took, for a person who waits for one; None: not known."""
    if not render.is_terminal(sys.stderr):
        return None
    try:
        fit: Fit = client.call("control.model.fit", model=model)
    except ControlClientError:  # the load itself will say so, and better
        return None
    return fit.get("load_seconds")


def sentence(fit: Fit) -> str:
    reason, tokens = fit["reason"], fit["fitting_context_tokens"]
    if reason == "memory" and tokens:
        return _(SMALLER_CONTEXT).format(tokens=tokens)
    return _(REASONS[reason])


def _figures(fit: Fit) -> list[tuple[str, str]]:
    rows = [(_("Model"), render.safe(fit["model"])), (_("Size"), _size(fit))]
    if fit["memory_needed_bytes"] is not None:
        needed, available, total = (
            render.size(fit[name])
            for name in ("memory_needed_bytes", "memory_available_bytes", "memory_total_bytes")
        )
        text = _("{needed} needed, {available} available of {total}")
        rows.append((_("Memory"), text.format(needed=needed, available=available, total=total)))
        context = _("{slots} × {tokens} tokens")
        text = context.format(slots=fit["slots"], tokens=fit["context_tokens"])
        rows.append((_("Context"), text))
    if fit["disk_free_bytes"] is not None and fit["disk_needed_bytes"] is not None:
        needed, free = render.size(fit["disk_needed_bytes"]), render.size(fit["disk_free_bytes"])
        rows.append((_("Disk"), _("{needed} needed, {free} free").format(needed=needed, free=free)))
    return rows


def _size(fit: Fit) -> str:
    source, size = fit["size_from"], fit["size_bytes"]
    if source is None or size is None:
        return _("not known")
    return _(SOURCES[source]).format(size=render.size(size))
