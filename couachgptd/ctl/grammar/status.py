"""What is looked at first."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_to(verbs: Any) -> None:
    status = verb(
        verbs, "status", "couachgptd.ctl.status:show",
        _("how the daemon, its engine, its queue and its machine are"),
        _(
            "Where the daemon does not run, it tells what systemd and the daemon's last lines say,"
            " and what to do."
        ),
    )  # fmt: skip
    status.add_argument("--watch", action="store_true", help=_("show it anew every 2 s"))
    status.add_argument(
        "--check", action="store_true",
        help=_(
            "one line for monitoring (OK, WARNING, CRITICAL);"
            " exit code 0, 3 (dead), 10 (impaired), 11 (no answers)"
        ),
    )  # fmt: skip
