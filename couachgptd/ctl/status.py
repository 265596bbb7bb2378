"""couachgptctl status: how the daemon, its engine and its queue are."""

from couachgptd.ctl import engine as engines
from couachgptd.ctl import exits, render
from couachgptd.ctl.connection import connected
from couachgptd.ctl.failures import why_down
from couachgptd.ctl.texts import _, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from couachgptd.control.shapes import EngineStatus, Status, Turns


def show(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        status = client.call("control.status")
    print(render.as_json(status) if arguments.json else text(status))
    return exits.OK


def text(status: "Status") -> str:
    turns, users = status["turns"], status["users"]
    daemon = _("couachgptd {version}, up for {duration}, process {pid}").format(
        version=status["version"],
        duration=render.duration(status["uptime_seconds"]),
        pid=status["pid"],
    )
    rows = [
        (_("Address"), status["address"]),
        (_("Engine"), _engine(status["engine"])),
        *([(_("State"), _state(status["engine"]))] if "state" in status["engine"] else []),
        (_("Models loaded"), ", ".join(status["engine"]["loaded"]) or _("none")),
        (_("Answers"), _answers(turns)),
        (_("Users"), _users(users["total"], users["pending"])),
        (_("Open pages"), str(status["sockets"])),
        (_("Memory"), render.size(status["memory_bytes"])),
    ]
    return f"{render.bold(render.safe(daemon))}\n{render.pairs(rows)}"


def _engine(engine: "EngineStatus") -> str:
    state = render.green(_("up")) if engine["is_up"] else render.red(_("down"))
    detail = f": {render.safe(why_down(engine['detail']))}" if engine["detail"] else ""
    return f"{render.safe(_place(engine))}, {state}{detail}"


# A daemon that was not yet restarted after an update knows nothing of its engine's state.
def _state(engine: "EngineStatus") -> str:
    """Say what the watchdog thinks of it, since when and, where it gave up, why."""
    name = engine["state"]
    colour = render.green if name in engines.WELL else render.yellow
    word = (render.red if name == "failed" else colour)(render.safe(engines.state(name)))
    text = _("{state}, since {moment}").format(
        state=word, moment=render.safe(render.moment(engine["since"]))
    )
    if engine["reason"]:
        text += f": {render.safe(engines.reason(engine['reason']))}"
    if name == "failed":
        hint = _("Once the cause is mended, `couachgptctl engine reset` tries again.")
        text += f"\n{hint}"
    return text


def _answers(turns: "Turns") -> str:
    text = _("{running} being written, {queued} waiting").format(
        running=turns["running"], queued=turns["queued"]
    )
    if not turns.get("is_paused"):
        return text
    paused = _("the queue is paused")
    return f"{text}, {render.yellow(paused)}"


def _place(engine: "EngineStatus") -> str:
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


def _users(total: int, pending: int) -> str:
    if not pending:
        return str(total)
    waiting = ngettext(
        "{n} waits for approval", "{n} wait for approval", pending
    ).format(n=pending)  # fmt: skip
    return f"{total}, {render.yellow(waiting)}"
