"""The verbs of what is changed while the daemon runs: settings, the banner, the logo."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import example, group, verb
from couachgptd.ctl.moments import ahead
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LEVELS = ("info", "warning", "error")


def add_to(verbs: Any) -> None:
    _add_settings(verbs)
    _add_banner(verbs)
    _add_logo(verbs)


def _add_settings(verbs: Any) -> None:
    settings = group(verbs, "setting", _("what may be set while the daemon runs"))
    verb(
        settings, "ls", "couachgptd.ctl.site:settings",
        _("list the settings, and what the configuration says where it is not in force"),
        _("`config show` lists all the others, too."),
    )  # fmt: skip
    change = verb(
        settings, "set", "couachgptd.ctl.site:change",
        _("change a setting at once and for good; it wins over the configuration"),
        _(
            "accounts.registration is closed, invitation, approval or open; backup.nightly true or"
            " false, backup.hour 0 to 23; retention.conversation_days, audit_days and incident_days"
            " are days, 0 for ever; brand.name is a text, brand.accent and brand.accent_dark are"
            " colours such as #7c3aed."
        )
        + "\n\n"
        + example("setting set accounts.registration invitation"),
    )  # fmt: skip
    change.add_argument("setting", metavar="NAME", help=_("which: `setting ls` lists them"))
    change.add_argument("value", metavar="VALUE", help=_("what it is from now on"))
    reset = verb(
        settings, "reset", "couachgptd.ctl.site:reset",
        _("give the configuration its say again"),
        example("setting reset accounts.registration"),
    )  # fmt: skip
    reset.add_argument("setting", metavar="NAME", help=_("which: `setting ls` lists them"))


def _add_banner(verbs: Any) -> None:
    banner = group(verbs, "banner", _("what every open page shows above the chat"))
    verb(banner, "show", "couachgptd.ctl.site:banner", _("say which banner is shown now"))
    change = verb(
        banner, "set", "couachgptd.ctl.site:set_banner",
        _("show a text on every open page at once"),
        example('banner set "Restart at 18:00" --until 18:00'),
    )  # fmt: skip
    change.add_argument(
        "text", metavar="TEXT", nargs="+", help=_("what it says, 500 characters at most")
    )
    change.add_argument(
        "--level", metavar="LEVEL", choices=LEVELS, default="info",
        help=_("info, warning or error (default: info)"),
    )  # fmt: skip
    change.add_argument(
        "--until", metavar="WHEN", type=ahead,
        help=_("when it goes by itself: 2h, 18:00, 2026-11-23T18:00 (default: never)"),
    )  # fmt: skip
    verb(banner, "clear", "couachgptd.ctl.site:clear_banner", _("take the banner away"))


def _add_logo(verbs: Any) -> None:
    logo = group(verbs, "logo", _("the picture on every page"))
    verb(logo, "show", "couachgptd.ctl.site:logo", _("say which logo was sent, if any"))
    change = verb(
        logo, "set", "couachgptd.ctl.site:set_logo",
        _("show a picture as the logo on every page"),
        _("The server examines the file in a sandbox before it shows it to anybody.")
        + "\n\n"
        + example("logo set logo.svg"),
    )  # fmt: skip
    change.add_argument("file", metavar="FILE", help=_("a PNG or an SVG of 256 KiB at most"))
    verb(
        logo, "rm", "couachgptd.ctl.site:remove_logo",
        _("take away the one that was sent: the configuration's is shown again"),
    )  # fmt: skip
