"""couachgptctl status: how the daemon, its engine, its queue and its machine are."""

import sys
import time
from contextlib import suppress

from couachgptd.control.client import BadAnswer, DaemonNotRunning
from couachgptd.ctl import answers, exits, render
from couachgptd.ctl import engine as engines
from couachgptd.ctl.connection import connected
from couachgptd.ctl.problems import PROBLEMS
from couachgptd.ctl.texts import _, decimal, mark, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from couachgptd.control.shapes import Machine, Restart, Status, Turns, Users

WATCH_SECONDS = 2.0
# What each health is to a monitoring program.
HEALTHS = {
    "ok": ("OK", exits.OK),
    "degraded": ("WARNING", exits.DEGRADED),
    "failed": ("CRITICAL", exits.ENGINE_FAILED),
}
SHOWN_INCIDENTS = 3
CAUSES = {
    "restart": mark("asked for by {who}"),
    "drain": mark("stopped by {who}, then started"),
    "restore": mark("a backup was put back by {who}"),
    "stopped": mark("stopped by systemd or a signal, then started"),
    "boot": mark("the machine was started"),
    "failed": mark("a fault of the daemon: see its log"),
    "killed": mark("killed, crashed, or ended by systemd's watchdog"),
    "ordered": mark("asked for by {who}"),
}
NAMES = 20  # the columns that the names of the facts take at most
SHORTEST = 30
HANGING = " " * 18  # below the text, beside the moment


def show(arguments: "Namespace") -> int:
    if arguments.watch:
        return _watch(arguments)
    if arguments.check and not arguments.json:
        return _check(arguments)
    try:
        status = _asked(arguments)
    except DaemonNotRunning as error:
        return _dead(arguments, error)
    answers.show(arguments, status, text)
    return _judged(status)[1] if arguments.check else exits.OK


def _check(arguments: "Namespace") -> int:
    """Print one line, also where there is no answer: monitoring reads standard output alone."""
    from couachgptd.control.client import ControlClientError
    from couachgptd.ctl.failures import explain

    try:
        status = _asked(arguments)
    except ControlClientError as error:
        failure = explain(error)
        if failure is None:
            raise
        is_known = failure.exit_code in (exits.NOT_RUNNING, exits.TIMED_OUT)
        word = "CRITICAL" if is_known else "UNKNOWN"
        print(render.safe(f"{word}: {failure.text}"))
        return failure.exit_code
    print(_line(status))
    return _judged(status)[1]


def _judged(status: "Status") -> tuple[str, int]:
    return HEALTHS.get(status.get("health", "ok"), HEALTHS["degraded"])


def _asked(arguments: "Namespace") -> "Status":
    with connected(arguments) as client:
        status: Status = client.call("control.status")
    return status


def _watch(arguments: "Namespace") -> int:
    """Show it anew every 2 s until Ctrl-C; also while the daemon is down, or restarts."""
    from couachgptd.control.client import ControlClientError
    from couachgptd.ctl.failures import explain

    while True:
        try:
            status = _asked(arguments)
            shown = render.as_json(status, indent=None) if arguments.json else text(status)
        except ControlClientError as error:
            failure = explain(error)
            shown = render.red(render.safe(failure.text if failure else error))
        if render.is_terminal(sys.stdout):
            shown = f"\x1b[H\x1b[2J{shown}"
        print(shown, flush=True)
        time.sleep(WATCH_SECONDS)


def text(status: "Status") -> str:
    daemon = _("couachgptd {version}, up for {duration}, process {pid}").format(
        version=status["version"],
        duration=render.duration(status["uptime_seconds"]),
        pid=status["pid"],
    )
    parts = (
        (_("Health"), _health),
        (_("Started"), lambda status: render.moment(status["started_at"])),
        (_("Address"), lambda status: render.safe(status["address"])),
        (_("Engine"), lambda status: engines.place(status["engine"])),
        (_("State"), lambda status: engines.judged(status["engine"])),
        (_("Models loaded"), _loaded),
        (_("Answers"), lambda status: _answers(status["turns"])),
        (_("Users"), lambda status: _users(status["users"], status["sockets"])),
        (_("Machine"), lambda status: _machine(status["machine"])),
        (_("Daemon uses"), _used_by_daemon),
        (_("Daemon used"), _spent_by_daemon),
        *([(_("Engine uses"), _used_by_engine)] if status["engine"].get("memory_bytes") else []),
        (_("Daemon restarted"), lambda status: _restarts(status["restarts"]["daemon"])),
        (_("Engine restarted"), lambda status: _restarts(status["restarts"]["engine"])),
        (_("Last incidents"), _incidents),
    )
    rows = []
    for name, part in parts:
        with suppress(BadAnswer):  # a daemon not yet restarted after an update tells less
            rows.append((name, part(status)))
    return f"{render.bold(render.safe(daemon))}\n{render.pairs(rows)}"


def _line(status: "Status") -> str:
    """Return one line for a monitoring program: the word, then why."""
    word, _code = _judged(status)
    why = "; ".join(_(PROBLEMS[name][0]) for name in status["problems"] if name in PROBLEMS)
    turns = status["turns"]
    counts = f"queued={turns['queued']} running={turns['running']}"
    return render.safe(f"{word}: {why} | {counts}" if why else f"{word} | {counts}")


def _health(status: "Status") -> str:
    colours = {"ok": render.green, "degraded": render.yellow}
    words = {"ok": _("good"), "degraded": _("impaired"), "failed": _("no answers")}
    name = status["health"]
    lines = [colours.get(name, render.red)(words.get(name, render.safe(name)))]
    for problem in status["problems"]:
        what, to_do = PROBLEMS.get(problem, (problem, ""))
        lines.append(f"- {render.safe(_(what))} {_(to_do) if to_do else ''}".rstrip())
    return "\n".join(lines)


def _answers(turns: "Turns") -> str:
    shown = _("{running} being written, {queued} waiting").format(
        running=turns["running"], queued=turns["queued"]
    )
    if turns["is_held"] or turns["is_paused"]:
        held = _("the queue is held") if turns["is_held"] else _("the queue is paused")
        return f"{shown}, {render.yellow(held)}"
    return shown


def _users(users: "Users", pages: int) -> str:
    shown = _("{online} on line ({pages}), {total} in all").format(
        online=users["online"],
        pages=ngettext("{n} page", "{n} pages", pages).format(n=pages),
        total=users["total"],
    )
    if not users["pending"]:
        return shown
    waiting = ngettext(
        "{n} waits for approval", "{n} wait for approval", users["pending"]
    ).format(n=users["pending"])  # fmt: skip
    return f"{shown}, {render.yellow(waiting)}"


def _machine(machine: "Machine") -> str:
    return _(
        "load {load} on {cores} cores\n"
        "memory {memory} free of {memory_total}\n"
        "disk {disk} free of {disk_total}"
    ).format(
        load=decimal(machine["load"], 2),
        cores=machine["cores"],
        memory=render.size(machine["memory_available_bytes"]),
        memory_total=render.size(machine["memory_total_bytes"]),
        disk=render.size(machine["disk_free_bytes"]),
        disk_total=render.size(machine["disk_total_bytes"]),
    )


def _loaded(status: "Status") -> str:
    return render.safe(", ".join(status["engine"]["loaded"]) or _("none"))


def _used_by_daemon(status: "Status") -> str:
    return _("{size} of memory").format(size=render.size(status["memory_bytes"]))


def _spent_by_daemon(status: "Status") -> str:
    return _("{duration} of processor time since its start").format(
        duration=render.duration(status["cpu_seconds"])
    )


def _used_by_engine(status: "Status") -> str:
    engine = status["engine"]
    memory = _("{size} of memory").format(size=render.size(engine["memory_bytes"]))
    cores = engine["cpu_cores"]
    return memory if cores is None else f"{engines.usage_of(cores)}, {memory}"


def _incidents(status: "Status") -> str:
    shown = [
        f"{render.moment(each['at'])}  {engines.state(each['before'])} →"
        f" {engines.state(each['after'])}"
        for each in status["incidents"][:SHOWN_INCIDENTS]
    ]
    return "\n".join(map(render.safe, shown)) or _("none")


def _restarts(restarts: "list[Restart]") -> str:
    from textwrap import wrap

    lines = []
    for each in restarts:
        shown = render.safe(f"{render.moment(each['at'])}  {_why(each)}")
        lines += wrap(shown, max(SHORTEST, render.columns() - NAMES), subsequent_indent=HANGING)
    return "\n".join(lines) or _("none")


def _why(restart: "Restart") -> str:
    cause = restart["cause"]
    if cause in CAUSES:
        return _(CAUSES[cause]).format(who=restart["by"])
    return _("by the watchdog: {state}").format(state=engines.state(cause))


def _dead(arguments: "Namespace", error: "DaemonNotRunning") -> int:
    from couachgptd.ctl import dead

    return dead.show(arguments, error)
