"""The verbs of the daemon itself."""

from __future__ import annotations

from couachgptd.ctl.grammar.parser import add_lines, add_no_wait, example, group, seconds, verb
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any


def add_to(verbs: Any) -> None:
    restart = verb(
        verbs, "restart", "couachgptd.ctl.server:restart",
        _("restart the daemon; open pages come back by themselves, no question is lost"),
    )  # fmt: skip
    add_no_wait(restart)
    _add_within(restart)
    _add_config(verbs)
    _add_watching(verbs)
    drain = verb(
        verbs, "drain", "couachgptd.ctl.server:drain",
        _("end the daemon once the answers under way are written"),
        _(
            "No question is taken meanwhile; those that wait are kept for the next start. Under"
            " systemd, the next visit starts it again; to keep it down:"
            " systemctl stop couachgptd.socket couachgptd.service"
        ),
    )  # fmt: skip
    add_no_wait(drain)
    _add_within(drain)


def _add_config(verbs: Any) -> None:
    config = group(
        verbs, "config", _("check the configuration, see what is in force, read it again")
    )
    verb(
        config, "check", "couachgptd.ctl.settings:check",
        _("say whether the file is right, and which key is not; needs no daemon"),
    )  # fmt: skip
    show = verb(
        config, "show", "couachgptd.ctl.settings:show",
        _("the settings in force that are not the default, and where they come from"),
        _("Secrets are hidden."),
    )  # fmt: skip
    show.add_argument("--all", action="store_true", help=_("also those that have their default"))
    verb(
        config, "reload", "couachgptd.ctl.settings:reload",
        _("read the file again, take over what can be, say what needs a restart"),
        _("A file with a mistake changes nothing."),
    )  # fmt: skip


def _add_watching(verbs: Any) -> None:
    logs = verb(
        verbs, "logs", "couachgptd.ctl.watching:logs",
        _("the daemon's log: systemd's journal, or what it wrote since its start"),
    )  # fmt: skip
    logs.add_argument("-f", "--follow", action="store_true", help=_("go on with each line"))
    add_lines(logs)
    events = verb(
        verbs, "events", "couachgptd.ctl.watching:events",
        _("what is so, then each change: engine, queue, people on line; Ctrl-C ends it"),
    )  # fmt: skip
    events.add_argument(
        "-f", "--follow", action="store_true", help=_("as it always does; for the habit of it")
    )
    verb(
        verbs, "doctor", "couachgptd.ctl.doctor:examine",
        _("look at everything, and say for each finding what to do"),
        _("The exit code is 0 where all is well, 10 with a warning, 1 where something is broken."),
    )  # fmt: skip
    verb(
        verbs, "dump", "couachgptd.ctl.watching:dump",
        _("what every task and thread of the daemon is at, for a report of a fault"),
    )  # fmt: skip
    completion = verb(
        verbs, "completion", "couachgptd.ctl.completion:show",
        _("print what makes a shell complete couachgptctl's words"),
        example("completion bash > /etc/bash_completion.d/couachgptctl"),
    )  # fmt: skip
    completion.add_argument(
        "shell", metavar="bash|zsh|fish", choices=("bash", "zsh", "fish"), help=_("which shell")
    )


def _add_within(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--within", metavar="SECONDS", type=seconds,
        help=_("how long they have (default: server.drain_seconds; 600 at most)"),
    )  # fmt: skip
