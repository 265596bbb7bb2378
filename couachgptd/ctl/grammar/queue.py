"""The verbs of the queue."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import group, verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_to(verbs: Any) -> None:
    queue = group(verbs, "queue", _("who waits for an answer; hold the queue, end an answer"))
    verb(
        queue, "ls", "couachgptd.ctl.queue:show",
        _("list the answers being written and those that wait, never what is asked"),
    )  # fmt: skip
    cancel = verb(
        queue, "cancel", "couachgptd.ctl.queue:cancel",
        _("end an answer that is being written, or that waits; its text is kept"),
    )  # fmt: skip
    cancel.add_argument("turn", metavar="TURN", help=_("which: its number in `queue ls`"))
    verb(
        queue, "pause", "couachgptd.ctl.queue:pause",
        _("begin no more answers, over restarts too; questions are kept, those being written end"),
    )  # fmt: skip
    verb(queue, "resume", "couachgptd.ctl.queue:resume", _("begin answers again"))
