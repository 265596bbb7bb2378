"""couachgptctl model show and set: who is offered a model, and how it answers."""

from couachgptd.ctl import exits, render
from couachgptd.ctl.connection import connected
from couachgptd.ctl.failures import refused, usage
from couachgptd.ctl.texts import _, decimal, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from couachgptd.control.shapes import Model, ModelList, ModelOptions

AUDIENCES = {
    "everyone": mark("everyone"),
    "members": mark("members and administrators"),
    "admins": mark("administrators"),
}
OPTIONS = {
    "temperature": mark("Temperature"),
    "top_p": mark("Top-p"),
    "answer_tokens": mark("Answer, tokens at most"),
    "context_tokens": mark("Context, tokens"),
}


def show(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.model.list")
    return _print(arguments, answer)


def change(arguments: "Namespace") -> int:
    given = {name: getattr(arguments, name) for name in ("visible_to", *OPTIONS)}
    body = dict.fromkeys(OPTIONS) if arguments.reset else {}
    body.update({name: value for name, value in given.items() if value is not None})
    if not body:
        hint = _("`couachgptctl model set --help` shows what can be.")
        raise usage(_("What is to be changed?"), hint=hint)
    with connected(arguments) as client:
        answer = client.call("control.model.set", body, model=arguments.model)
    return _print(arguments, answer)


def _print(arguments: "Namespace", answer: "ModelList") -> int:
    model = next((each for each in answer["models"] if each["name"] == arguments.model), None)
    if model is None:
        raise refused("model_missing", {"model": arguments.model})
    if arguments.json:
        print(render.as_json(model))
    else:
        print(render.pairs(_rows(model, answer["option_defaults"])))
    return exits.OK


def _rows(model: "Model", defaults: "ModelOptions") -> list[tuple[str, str]]:
    known = [str(model[key]) for key in ("parameters", "quantization") if model[key]]
    audience = model["visible_to"]
    trained = _("{tokens} tokens").format(tokens=model["context_tokens"] or "?")
    return [
        (_("Model"), render.safe(model["name"])),
        (_("Size"), render.size(model["size_bytes"])),
        (_("Parameters"), render.safe(", ".join(known) or "?")),
        (_("Trained for"), trained),
        (_("Offered to"), _(AUDIENCES[audience])),
        *((_(text), _option(name, model["options"], defaults)) for name, text in OPTIONS.items()),
    ]


def _option(name: str, options: "ModelOptions", defaults: "ModelOptions") -> str:
    chosen, default = options[name], defaults[name]  # type: ignore[literal-required]
    if chosen is not None:
        return _number(chosen)
    if default is None:
        return _("the engine's own")
    return _("{number} (default)").format(number=_number(default))


def _number(value: float) -> str:
    return decimal(value, digits=None)
