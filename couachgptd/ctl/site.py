"""couachgptctl setting, banner and logo: what is changed while the daemon runs."""

from pathlib import Path

from couachgptd.ctl import render
from couachgptd.ctl.answers import reworded, say, show
from couachgptd.ctl.connection import connected
from couachgptd.ctl.failures import CommandFailed, usage
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any

    from couachgptd.control.client import ControlClient

LOGO_READ_BYTES = 256 * 1024 + 1  # one more than the server takes: the refusal is its own
WORDS = {
    **dict.fromkeys(("true", "on", "yes", "oui"), True),
    **dict.fromkeys(("false", "off", "no", "non"), False),
}
LEVELS = {"info": render.bold, "warning": render.yellow, "error": render.red}


# --- settings ----------------------------------------------------------------------------------


def settings(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return show(arguments, client.call("control.setting.list"), _table)


def change(arguments: "Namespace") -> int:
    name = arguments.setting
    with connected(arguments) as client:
        value = _value(arguments.value, _known(client, name)["configured"])
        with reworded("bad_request", _("Nothing was changed: {reason}")):
            answer = client.call("control.setting.change", {"name": name, "value": value})
    text = _("In force now, and kept: {name} = {value}").format(name=name, value=_shown(value))
    if name.startswith("retention.") and value:
        text += "\n" + _("What is older goes tonight: `couachgptctl db clean --dry-run` says what.")
    return say(arguments, answer, text)


def reset(arguments: "Namespace") -> int:
    name = arguments.setting
    with connected(arguments) as client:
        _known(client, name)
        answer = client.call("control.setting.change", {"name": name, "value": None})
    text = _("As the configuration says, from now on: {name} = {value}")
    return say(arguments, answer, text.format(name=name, value=_shown(answer["setting"]["value"])))


def _known(client: "ControlClient", name: str) -> "Any":
    found = {each["name"]: each for each in client.call("control.setting.list")["settings"]}
    if name not in found:
        raise CommandFailed(
            _("{name} is no setting that may be changed while the daemon runs.").format(name=name),
            hint=_("These are: {names}").format(names=", ".join(found)),
            code="not_found",
        )
    return found[name]


def _value(text: str, like: object) -> object:
    """Return the value that a word stands for where the setting has such ones."""
    if isinstance(like, bool):
        return WORDS.get(text.lower(), text)
    if isinstance(like, int) and text.isascii() and text.isdecimal():
        return int(text)
    return text


def _table(found: "Any") -> str:
    rows = [
        (
            each["name"],
            _shown(each["value"]),
            _shown(each["configured"]) if each["source"] == "stored" else "",
        )
        for each in found["settings"]
    ]
    return render.table((_("SETTING"), _("IN FORCE"), _("CONFIGURATION")), rows)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else render.as_json(value, indent=None)


# --- the banner --------------------------------------------------------------------------------


def banner(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return show(arguments, client.call("control.banner.show"), _banner)


def set_banner(arguments: "Namespace") -> int:
    body = {"text": " ".join(arguments.text), "level": arguments.level, "until": arguments.until}
    if not body["text"].strip():
        raise usage(
            _("The banner has no text."), hint=_("`couachgptctl banner clear` takes it away.")
        )
    too_long = _("A banner has 500 characters at most.")
    with connected(arguments) as client, reworded("bad_request", too_long):
        answer = client.call("control.banner.set", body)
    return say(arguments, answer, _("Every open page shows it now."))


def clear_banner(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.banner.set", {"text": ""})
    return say(arguments, answer, _("No banner is shown any more."))


def _banner(answer: "Any") -> str:
    banner = answer["banner"]
    if banner is None:
        return _("No banner is shown.")
    text: str = LEVELS.get(banner["level"], render.bold)(render.safe(banner["text"]))
    until = banner["until"]
    level = banner["level"]
    lasting = (
        _("Level: {level}; until it is taken away.").format(level=level)
        if until is None
        else _("Level: {level}; until {moment}.").format(level=level, moment=render.moment(until))
    )
    return f"{text}\n{render.safe(lasting)}"


# --- the logo ----------------------------------------------------------------------------------


def logo(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return show(arguments, client.call("control.logo.show"), _logo)


def set_logo(arguments: "Namespace") -> int:
    """Send a file, whatever is in it: the daemon has it examined."""
    data = _content(arguments.file)
    with connected(arguments) as client:
        answer = client.call("control.logo.set", {"data": data})
    return say(arguments, answer, _("The logo is changed: pages that are opened now show it."))


def remove_logo(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.logo.rm")
    return say(arguments, answer, _("The configuration's logo is shown again."))


def _logo(answer: "Any") -> str:
    logo = answer["logo"]
    if logo is None:
        return _("No logo was sent: the configuration's is shown, or ours.")
    size = render.size(logo["size_bytes"])
    return render.safe(
        _("The one that was sent: {type}, {size}").format(type=logo["type"], size=size)
    )


def _content(name: str) -> str:
    import base64  # no other verb takes it

    try:
        with Path(name).open("rb") as file:
            return base64.b64encode(file.read(LOGO_READ_BYTES)).decode("ascii")
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        raise CommandFailed(
            _("{path} cannot be used: {reason}").format(
                path=name, reason=getattr(error, "strerror", None) or error
            ),
            code="file_failed",
            fields={"path": name},
        ) from None
