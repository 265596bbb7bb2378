"""The verbs of the queue."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import group, verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_to(verbs: Any) -> None:
    queue = group(verbs, "queue", _("show who waits for an answer"))
    verb(
        queue, "ls", "couachgptd.ctl.engine:show_queue",
        _("list the answers being written and those that wait, never what is asked"),
    )  # fmt: skip
