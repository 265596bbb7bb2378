"""couachgptctl engine and queue: what happened, who waits, and a person's word about it."""

import sys

from couachgptd.ctl import exits, render
from couachgptd.ctl.connection import connected
from couachgptd.ctl.stages import STAGES, expected_wait
from couachgptd.ctl.texts import _, mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from couachgptd.control.shapes import Engine, Incident, QueuedTurn

# The states of docs/protocol.md; one of a newer daemon is shown as it is.
STATES = {
    "starting": mark("starting"),
    "ready": mark("ready"),
    "busy": mark("at work"),
    "slow": mark("slow"),
    "loading": mark("loading"),
    "thrashing": mark("short of memory"),
    "suspect": mark("suspect"),
    "hung_idle": mark("hung"),
    "hung_spin": mark("hung, computing"),
    "dead": mark("ended"),
    "cancelling": mark("cancelling"),
    "unloading": mark("unloading"),
    "backoff": mark("waiting to restart"),
    "restarting": mark("restarting"),
    "failed": mark("failed"),
    "unreachable": mark("unreachable"),
    "stopped": mark("stopped by a person"),
    "maintenance": mark("maintenance"),
}
REASONS = {
    "budget_spent": mark("it was restarted too often, in vain"),
    "cannot_restart": mark(
        "it does not answer, and may not be restarted from here: restart it yourself"
    ),
    "crash_loop": mark("it starts and ends again and again"),
    "port_taken": mark("another program uses its port"),
    "restart_stuck": mark("its restart does not come to an end"),
}
WELL = frozenset({"ready", "busy", "loading"})
TELLING = (
    "reason",
    "refusal",
    "cause",
    "phase",
    "silence_seconds",
)  # of the evidence, what is read first
INDENT = "    "


def incidents(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        found = client.call("control.engine.incidents", limit=arguments.limit)["incidents"]
    if arguments.json:
        print(render.as_json({"incidents": found}))
    elif found:
        print("\n".join(_incident(each) for each in found))
    else:
        print(_("Nothing has happened to the engine."))
    return exits.OK


def reset(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        engine = client.call("control.engine.reset")["engine"]
    text = _("The engine's failures, restarts and quarantines are forgotten; it is tried again.")
    return _say(arguments, engine, text)


def maintenance(arguments: "Namespace") -> int:
    is_on = arguments.switch == "on"
    with connected(arguments) as client:
        engine = client.call("control.engine.maintenance", {"is_on": is_on})["engine"]
    text = (
        _("The engine is under maintenance: questions are kept, and it is left alone.")
        if is_on
        else _("The maintenance is over: the engine is used and watched again.")
    )
    return _say(arguments, engine, text)


def show_queue(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        queue = client.call("control.queue")
    if arguments.json:
        print(render.as_json(queue))
        return exits.OK
    if queue["paused"]:
        print(render.yellow(_("The queue is paused: the engine can take no question now.")))
    turns = [*queue["running"], *queue["waiting"]]
    if turns:
        head = (_("PLACE"), _("WHO"), _("STAGE"), _("WAIT"), _("MODEL"), _("SOURCE"), _("TURN"))
        print(render.table(head, [_row(each) for each in turns], right=(0,)))
    else:
        print(_("Nobody waits, and no answer is being written."))
    return exits.OK


def state(name: str) -> str:
    """Return a state of the engine in a word or two."""
    return _(STATES[name]) if name in STATES else name


def reason(name: str) -> str:
    """Return why the engine failed, in a sentence without its end."""
    return _(REASONS[name]) if name in REASONS else name


def _incident(incident: "Incident") -> str:
    """Return a line for a program; for a person the figures stand below, within the terminal."""
    when = render.moment(incident["at"], "seconds")
    change = f"{state(incident['before'])} → {state(incident['after'])}"
    head = render.safe(f"{when}  {change}")
    evidence = incident["evidence"]
    names = [*(name for name in TELLING if name in evidence), *evidence]
    figures = [f"{name}={evidence[name]}" for name in dict.fromkeys(names)]
    if not render.is_terminal(sys.stdout):
        return "  ".join([head, render.safe(" ".join(figures))]).rstrip()
    from textwrap import wrap

    lines = wrap(
        render.safe(" ".join(figures)), render.columns(),
        initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False,
    )  # fmt: skip
    return "\n".join([render.bold(head), *map(render.dim, lines)])


def _row(turn: "QueuedTurn") -> tuple[str, ...]:
    stage = STAGES.get(turn["state"])
    place, wait = turn["place"], turn["wait_seconds"]
    shown = _(stage) if stage else turn["state"]
    return (
        "-" if place is None else str(place + 1),
        turn["asker"] or _("(operator)"),
        _("{stage}, again").format(stage=shown) if turn["is_healing"] else shown,
        expected_wait(wait) if wait else "",
        turn["model"],
        turn["source"],
        str(turn["turn"]),
    )


def _say(arguments: "Namespace", engine: "Engine", text: str) -> int:
    print(render.as_json({"engine": engine}) if arguments.json else text)
    return exits.OK
