"""Asking before something is gone for good."""

import sys

from couachgptd.ctl.failures import CommandFailed, usage
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def require(arguments: "Namespace", what: str) -> None:
    """Return once the operator agrees to `what`, which `--yes` does beforehand. Else raise."""
    if arguments.yes:
        return
    if not sys.stdin.isatty():
        raise usage(what, hint=_("There is no terminal to ask on: --yes agrees to it."))
    try:
        answer = input(what + " " + _("Go on? [y/N]") + " ")
    except EOFError:
        answer = ""
    if answer.strip().lower() not in {"y", "yes", "o", "oui"}:
        raise CommandFailed(_("Nothing was done."), code="not_agreed")
