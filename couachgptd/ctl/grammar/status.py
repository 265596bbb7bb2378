"""What is looked at first."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_to(verbs: Any) -> None:
    verb(
        verbs, "status", "couachgptd.ctl.status:show",
        _("how the daemon, its engine and its queue are"),
    )  # fmt: skip
