"""couachgptctl logs, events and dump: what the daemon writes, what changes, what it is at."""

import sys

from couachgptd.ctl import engine as engines
from couachgptd.ctl import exits, render
from couachgptd.ctl.answers import show
from couachgptd.ctl.connection import connected
from couachgptd.ctl.texts import _, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from typing import Any


def logs(arguments: "Namespace") -> int:
    """Show the journal where systemd runs the daemon, which also tells of earlier starts."""
    from couachgptd.ctl import dead

    if not arguments.json and dead.is_ours(arguments) and dead.unit_state() is not None:
        sys.stdout.flush()
        return dead.follow_journal(arguments.lines, follow=arguments.follow)
    follow = 1 if arguments.follow else None
    with connected(arguments) as client:
        for event in client.stream("control.logs", lines=arguments.lines, follow=follow):
            if event["type"] != "line":
                continue
            line = render.as_json(event, indent=None) if arguments.json else event["text"]
            print(line if arguments.json else render.safe(line), flush=True)
    return exits.OK


def engine_logs(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.engine.logs", lines=arguments.lines)
    return show(arguments, answer, lambda told: "\n".join(map(render.safe, told["lines"])))


def events(arguments: "Namespace") -> int:
    """Show what changes until Ctrl-C; `--json` gives the events as they come."""
    with connected(arguments) as client:
        for event in client.stream("control.events"):
            line = render.as_json(event, indent=None) if arguments.json else _line(event)
            print(line, flush=True)
    return exits.OK


def dump(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return show(arguments, client.call("control.dump"), _stacks)


def _stacks(answer: "Any") -> str:
    lines = []
    for title, stacks in ((_("Tasks"), answer["tasks"]), (_("Threads"), answer["threads"])):
        lines.append(render.bold(f"{title}: {len(stacks)}"))
        for each in stacks:
            lines.append(render.safe(f"  {each['name']}"))
            lines += [render.dim(render.safe(f"      {place}")) for place in each["stack"]]
    return "\n".join(lines)


def _line(event: "Any") -> str:
    from datetime import datetime

    now = f"{datetime.now().astimezone():%H:%M:%S}"
    return render.safe(f"{now}  {_said(event)}")


def _said(event: "Any") -> str:
    match event["type"]:
        case "engine":
            engine = event["engine"]
            return _("engine: {state}").format(state=engines.state(engine["state"]))
        case "queue":
            queue = event["queue"]
            return _("answers: {running} being written, {queued} waiting").format(
                running=len(queue["running"]), queued=len(queue["waiting"])
            )
        case "online":
            pages = ngettext("{n} page", "{n} pages", event["pages"]).format(n=event["pages"])
            return _("on line: {n} ({pages})").format(n=event["online"], pages=pages)
        case "stopping":
            return _("the daemon ends") if event["is_stopping"] else _("the daemon runs")
    return str(event["type"])
