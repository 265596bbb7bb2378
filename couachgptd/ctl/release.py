"""rollback: hands over to the install.sh that the version in service brought along."""

import os
import sys
from pathlib import Path

from couachgptd.ctl import exits
from couachgptd.ctl.failures import CommandFailed
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace


def roll_back(arguments: "Namespace") -> int:
    """Become install.sh; it returns only what it cannot do."""
    script = Path(sys.prefix) / "share" / "couachgpt" / "install.sh"
    if not script.is_file():
        raise CommandFailed(
            _("This CouachGPT was not installed by install.sh: it has no version to go back to."),
            code="not_installed",
        )
    if os.geteuid() != 0:
        raise CommandFailed(
            _("Only root may change the version."),
            hint=_("Try: {command}").format(command="sudo couachgptctl rollback"),
            exit_code=exits.NOT_PERMITTED,
            code="not_permitted",
        )
    sys.stdout.flush()
    words = ["sh", str(script), "--rollback", *(["--yes"] if arguments.yes else [])]
    os.execv("/bin/sh", words)  # noqa: S606 -- the script of our own release
