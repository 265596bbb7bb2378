"""couachgptctl queue: who waits, and a person's word about it."""

from couachgptd.ctl import answers, render
from couachgptd.ctl.connection import connected
from couachgptd.ctl.stages import STAGES, expected_wait
from couachgptd.ctl.texts import _

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from couachgptd.control.shapes import Queue, QueuedTurn


def show(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return answers.show(arguments, client.call("control.queue"), _table)


def pause(arguments: "Namespace") -> int:
    text = _("The queue is held: no answer is begun, and questions are kept.")
    return _hold(arguments, text, is_on=True)


def resume(arguments: "Namespace") -> int:
    return _hold(arguments, _("The queue goes on."), is_on=False)


def cancel(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        answer = client.call("control.queue.cancel", turn=arguments.turn)
    who = answer["turn"]["asker"] or _("(operator)")
    return answers.say(arguments, answer, _("Stopped: the answer to {who}.").format(who=who))


def _hold(arguments: "Namespace", text: str, *, is_on: bool) -> int:
    with connected(arguments) as client:
        return answers.say(arguments, client.call("control.queue.pause", {"is_on": is_on}), text)


def _table(queue: "Queue") -> str:
    lines = []
    if queue["is_held"]:
        held = _("The queue is held: `couachgptctl queue resume` lets it go on.")
        lines.append(render.yellow(held))
    elif queue["paused"]:
        paused = _("The queue is paused: the engine can take no question now.")
        lines.append(render.yellow(paused))
    turns = [*queue["running"], *queue["waiting"]]
    if turns:
        head = (_("PLACE"), _("WHO"), _("STAGE"), _("WAIT"), _("MODEL"), _("SOURCE"), _("TURN"))
        lines.append(render.table(head, [_row(each) for each in turns], right=(0,)))
    else:
        lines.append(_("Nobody waits, and no answer is being written."))
    return "\n".join(lines)


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
