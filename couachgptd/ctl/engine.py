"""couachgptctl engine: how it is, what happened to it, and a person's word about it."""

from couachgptd.ctl import answers, render
from couachgptd.ctl.connection import connected
from couachgptd.ctl.failures import why_down
from couachgptd.ctl.long import patient, shown
from couachgptd.ctl.texts import _, decimal, mark, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from couachgptd.control.shapes import EngineDetail, EngineStatus, Incident, IncidentList

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
# What to do about a state that stays as it is until somebody does something.
HINTS = {
    "failed": mark("Once the cause is mended, `couachgptctl engine reset` tries again."),
    "stopped": mark("`couachgptctl engine start` starts it."),
    "maintenance": mark("`couachgptctl engine maintenance off` ends it."),
    "unreachable": mark("It runs elsewhere, or by hand: see there."),
}
WELL = frozenset({"ready", "busy", "loading"})
TELLING = (
    "reason",
    "refusal",
    "cause",
    "phase",
    "silence_seconds",
)  # of the evidence, what is read first


def show(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return answers.show(arguments, client.call("control.engine.show"), _detail)


def start(arguments: "Namespace") -> int:
    return _order(
        arguments,
        "control.engine.start",
        _("The engine is starting:"),
        _("The engine is started: questions that wait go on."),
    )


def stop(arguments: "Namespace") -> int:
    return _order(
        arguments,
        "control.engine.stop",
        _("The engine is stopping:"),
        _("The engine is stopped. Questions are kept until `couachgptctl engine start`."),
    )


def restart(arguments: "Namespace") -> int:
    return _order(
        arguments,
        "control.engine.restart",
        _("The engine is restarting:"),
        _("The engine has restarted; what it was answering is tried again."),
    )


def unload(arguments: "Namespace") -> int:
    with connected(patient(arguments)) as client, shown(_("Unloading:")):
        answer = client.call("control.engine.unload")
    names = ", ".join(answer["unloaded"])
    text = (
        _("Out of memory: {models}.").format(models=names)
        if names
        else _("No model was in memory.")
    )
    return answers.say(arguments, answer, text)


def incidents(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        found = client.call("control.engine.incidents", limit=arguments.limit)
    return answers.show(arguments, found, _incidents)


def reset(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.engine.reset")
    text = _("The engine's failures, restarts and quarantines are forgotten; it is tried again.")
    return answers.say(arguments, answer, text)


def maintenance(arguments: "Namespace") -> int:
    is_on = arguments.switch == "on"
    with connected(arguments) as client:
        answer = client.call("control.engine.maintenance", {"is_on": is_on})
    text = (
        _("The engine is under maintenance: questions are kept, and it is left alone.")
        if is_on
        else _("The maintenance is over: the engine is used and watched again.")
    )
    return answers.say(arguments, answer, text)


def state(name: str) -> str:
    """Return a state of the engine in a word or two."""
    return _(STATES[name]) if name in STATES else name


def reason(name: str) -> str:
    """Return why the engine failed, in a sentence without its end."""
    return _(REASONS[name]) if name in REASONS else name


def _order(arguments: "Namespace", verb: str, doing: str, done: str) -> int:
    with connected(patient(arguments)) as client, shown(doing):
        answer = client.call(verb)
    return answers.say(arguments, answer, done)


def _incidents(found: "IncidentList") -> str:
    shown = "\n".join(map(incident, found["incidents"]))
    return shown or _("Nothing has happened to the engine.")


def _detail(engine: "EngineDetail") -> str:
    loaded = [f"{each['name']} ({render.size(each['memory_bytes'])})" for each in engine["loaded"]]
    cores = engine["cpu_cores"]
    set_aside = ", ".join(engine["quarantined"])
    rows = [
        (_("Engine"), place(engine)),
        (_("State"), judged(engine)),
        (_("Process"), str(engine["pid"] or "?")),
        (_("Default model"), render.safe(engine["model"] or _("none"))),
        (_("Models loaded"), render.safe(", ".join(loaded) or _("none"))),
        *([(_("Set aside"), render.safe(set_aside))] if set_aside else []),
        (_("Processor"), "?" if cores is None else usage_of(cores)),
        (_("Memory"), render.size(engine["memory_bytes"])),
    ]
    return render.pairs(rows)


def usage_of(cores: float) -> str:
    return ngettext("{n} core", "{n} cores", 1 if cores <= 1 else 2).format(n=decimal(cores))


def place(engine: "EngineStatus | EngineDetail") -> str:
    """Return which engine it is, where, and whether it answers."""
    word = render.green(_("up")) if engine["is_up"] else render.red(_("down"))
    detail = f": {render.safe(why_down(engine['detail']))}" if engine["detail"] else ""
    return f"{render.safe(_where(engine))}, {word}{detail}"


def judged(engine: "EngineStatus | EngineDetail") -> str:
    """Say what the watchdog thinks of it, since when and, where it gave up, why."""
    name = engine["state"]
    colour = render.green if name in WELL else render.yellow
    word = (render.red if name == "failed" else colour)(render.safe(state(name)))
    text = _("{state}, since {moment}").format(
        state=word, moment=render.safe(render.moment(engine["since"]))
    )
    if engine["reason"]:
        text += f": {render.safe(reason(engine['reason']))}"
    if name in HINTS:
        text += f"\n{_(HINTS[name])}"
    return text


def _where(engine: "EngineStatus | EngineDetail") -> str:
    name = " ".join(part for part in (engine["kind"], engine["version"]) if part)
    if not engine["address"]:
        return name
    # Our own child has no address for others: what one wants to know is where its models go.
    text = (
        _("{engine}, models in {place}")
        if engine["kind"] == "embedded"
        else _("{engine} at {place}")
    )
    return text.format(engine=name, place=engine["address"])


def incident(incident: "Incident") -> str:
    when = render.moment(incident["at"], "seconds")
    change = f"{state(incident['before'])} → {state(incident['after'])}"
    evidence = incident["evidence"]
    names = [*(name for name in TELLING if name in evidence), *evidence]
    return render.headed(
        f"{when}  {change}", {name: evidence[name] for name in dict.fromkeys(names)}
    )
