"""The operator's own question."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def add_to(verbs: Any) -> None:
    help_text = _("ask a model and watch its answer grow; Ctrl-C stops it")
    ask = verb(
        verbs, "ask", "couachgptd.ctl.ask:ask", help_text,
        _(
            "Standard output holds the answer alone; on a terminal, standard error shows the stage,"
            " the place in the queue and the expected wait, the thinking and the figures."
        )
        + "\n\n"
        + _(
            "Where the engine had to be restarted, the question is asked again by itself and the"
            " answer starts anew, on a new line; in a file it takes the place of what was written"
            " before, unless the file is added to (>>)."
        ),
    )  # fmt: skip
    ask.add_argument(
        "text", metavar="TEXT", nargs="*",
        help=_("the question; without one, or with -, it is read from standard input"),
    )  # fmt: skip
    ask.add_argument("--model", metavar="MODEL", help=_("which model (default: the server's)"))
