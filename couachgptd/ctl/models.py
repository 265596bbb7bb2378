"""couachgptctl model: the engine's models, and the starter models that can be fetched."""

from pathlib import Path

from couachgptd.ctl import answers, exits, fit, render
from couachgptd.ctl.connection import connected, settings
from couachgptd.ctl.failures import CommandFailed, usage
from couachgptd.ctl.long import patient, shown
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from couachgptd.catalogue import Catalogue
    from couachgptd.control.shapes import Model, ModelList


def show(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.model.list")
    return answers.show(arguments, answer, _table)


def pull(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        fit.warn(client, arguments)
    return _downloaded(arguments, arguments.model, "control.model.pull", model=arguments.model)


def _downloaded(arguments: "Namespace", name: str, verb: str, **names: "Any") -> int:
    from couachgptd.ctl.progress import Progress

    progress = Progress(name, 0, as_json=arguments.json)
    try:
        with connected(arguments) as client:
            events = client.stream(verb, None, silence_seconds=arguments.timeout, **names)
            for event in events:
                if event["type"] == "progress":
                    progress.step(event["stage"], event["bytes"], event["total_bytes"])
    finally:
        progress.close()
    progress.say("pulled")
    return exits.OK


def rm(arguments: "Namespace") -> int:
    return _change(arguments, "control.model.rm", "", _("Deleted: {model}."))


def load(arguments: "Namespace") -> int:
    with connected(patient(arguments)) as client:
        about_seconds = fit.load_seconds(client, arguments.model)
        with shown(_("Loading:"), about_seconds):
            answer = client.call("control.model.load", model=arguments.model)
    return answers.say(arguments, answer, _("{model} is in memory.").format(model=arguments.model))


def unload(arguments: "Namespace") -> int:
    return _change(
        arguments, "control.model.unload", _("Unloading:"), _("{model} is not in memory any more.")
    )


def default(arguments: "Namespace") -> int:
    return _change(
        arguments, "control.model.default", "", _("{model} answers where nobody chooses a model.")
    )


def _change(arguments: "Namespace", verb: str, doing: str, done: str) -> int:
    with connected(patient(arguments)) as client, shown(doing):
        answer = client.call(verb, model=arguments.model)
    return answers.say(arguments, answer, done.format(model=arguments.model))


def fetch(arguments: "Namespace") -> int:
    from couachgptd import catalogue

    try:
        known = catalogue.load(*([Path(arguments.catalogue)] if arguments.catalogue else []))
    except catalogue.CatalogueError as error:
        text = _("The catalogue cannot be used: {reason}").format(reason=error)
        raise CommandFailed(text, code="catalogue_invalid") from error
    if arguments.list:
        return _show_catalogue(known, _folder(arguments), as_json=arguments.json)
    if not arguments.name:
        raise usage(_("Which model?"), hint=_names(known))
    if not (arguments.models_dir or arguments.catalogue):
        from couachgptd.control.client import DaemonNotRunning

        try:
            return _downloaded(
                arguments, arguments.name, "control.starter.fetch", starter=arguments.name
            )
        except DaemonNotRunning:
            pass  # its folder is known, and no daemon is needed to write there
    try:
        model = known.model(arguments.name)
    except catalogue.UnknownModel as error:
        raise CommandFailed(
            _("There is no starter model {name}.").format(name=arguments.name),
            hint=_names(known),
            code="starter_unavailable",
            fields={"name": arguments.name, "known": list(error.known)},
        ) from None
    from couachgptd.ctl import fetch as fetcher
    from couachgptd.ctl.progress import Progress

    folder = _folder(arguments)
    fetcher.fetch(model, folder, Progress(model.name, model.size_bytes, as_json=arguments.json))
    return exits.OK


def _folder(arguments: "Namespace") -> Path:
    if arguments.models_dir:
        return Path(arguments.models_dir).absolute()
    return settings(arguments).models_dir


def _show_catalogue(known: "Catalogue", folder: Path, *, as_json: bool) -> int:
    models = [
        {
            "name": model.name,
            "title": model.title,
            "licence": model.licence,
            "languages": list(model.languages),
            "size_bytes": model.size_bytes,
            "sha256": model.sha256,
            "path": str(folder / model.file),
            "is_there": (folder / model.file).exists(),
        }
        for model in known.models
    ]
    if as_json:
        print(render.as_json({"models": models, "default": known.default or None}))
        return exits.OK
    head = (_("MODEL"), _("SIZE"), _("LICENCE"), _("LANGUAGES"), _("WHAT"), "")
    rows = [
        (
            model.name,
            render.size(model.size_bytes),
            model.licence,
            " ".join(model.languages),
            model.title,
            _marks(is_default=model.name == known.default, is_there=(folder / model.file).exists()),
        )
        for model in known.models
    ]
    print(render.table(head, rows, right=(1,)))
    return exits.OK


def _marks(*, is_default: bool, is_there: bool) -> str:
    return ", ".join([_("default")] * is_default + [_("there")] * is_there)


def _names(known: "Catalogue") -> str:
    names = ", ".join(model.name for model in known.models)
    return _("The starter models: {names}").format(names=names)


def _table(answer: "ModelList") -> str:
    if not answer["models"]:
        return _("There is no model yet: `couachgptctl model fetch --list` shows what there is.")
    head = (_("MODEL"), _("SIZE"), _("PARAMETERS"), _("QUANTIZATION"), _("CONTEXT"), "")
    rows = [_row(model, answer["default"]) for model in answer["models"]]
    lines = [render.table(head, rows, right=(1, 2, 4))]
    aside = [model["name"] for model in answer["models"] if model.get("is_quarantined")]
    for name in aside:
        text = _("The model {model} failed to load too often and is set aside.")
        lines.append(render.safe(text.format(model=name)))
    if aside:
        lines.append(_("A new file, or `couachgptctl engine reset`, makes it available again."))
    return "\n".join(lines)


def _row(model: "Model", default: str | None) -> tuple[str, ...]:
    marks = [_("default")] * (model["name"] == default) + [_("loaded")] * bool(model["is_loaded"])
    if model.get("is_quarantined"):
        marks += [_("set aside")]
    elif model.get("is_broken"):
        marks += [_("damaged")]
    return (
        model["name"],
        render.size(model["size_bytes"]),
        str(model["parameters"] or "?"),
        str(model["quantization"] or "?"),
        str(model["context_tokens"] or "?"),
        ", ".join(marks),
    )
