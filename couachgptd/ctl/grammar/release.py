"""The verb of versions: install.sh installs them, and one way back is a word away."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_to(verbs: Any) -> None:
    rollback = verb(
        verbs, "rollback", "couachgptd.ctl.release:roll_back",
        _("bring the version before the last upgrade back; needs root, and no daemon"),
        _(
            "As `install.sh --rollback` does. Where that version cannot read today's database, the"
            " one from before the upgrade takes its place, after a question; today's is set aside,"
            " and the output says where."
        ),
    )  # fmt: skip
    rollback.add_argument(
        "--yes", action="store_true",
        help=_("ask nothing: where the version before needs it, take its database back, too"),
    )  # fmt: skip
