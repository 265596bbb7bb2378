"""Where a turn is and how long it will wait, in words."""

from couachgptd.ctl.texts import _, mark, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

MINUTE, HOUR = 60, 3600

STAGES = {
    "queued": mark("Waiting"),
    "loading": mark("Loading the model"),
    "reading": mark("Reading the question"),
    "thinking": mark("Thinking"),
    "writing": mark("Writing"),
}


def stage(turn: "dict[str, Any]") -> str:
    """Return such as "Waiting, 2 answers ahead, between 20 s and 1 min", "" once it has ended."""
    if turn["state"] not in STAGES:
        return ""
    return f"{_(STAGES[turn['state']])}{_detail(turn)}"


def expected_wait(seconds: "Sequence[int]") -> str:
    """Return such as "between 20 s and 1 min", "less than 20 s" or "about 5 min"."""
    low, high = seconds
    if low <= 0:
        return _("less than {duration}").format(duration=_duration(high))
    if low >= high:
        return _("about {duration}").format(duration=_duration(high))
    return _("between {low} and {high}").format(low=_duration(low), high=_duration(high))


def _detail(turn: "dict[str, Any]") -> str:
    match turn["state"]:
        case "queued":
            return _waiting(turn.get("place"), turn.get("wait_seconds"))
        case "loading" if turn.get("model"):
            return f" {turn['model']}"
        case "reading" if turn.get("read_tokens") and turn.get("prompt_tokens"):
            return f", {100 * turn['read_tokens'] // turn['prompt_tokens']} %"
    return ""


def _waiting(place: int | None, wait: "Sequence[int] | None") -> str:
    parts = [""]
    if place:
        parts.append(ngettext("{n} answer ahead", "{n} answers ahead", place).format(n=place))
    if wait:
        parts.append(expected_wait(wait))
    return ", ".join(parts)


def _duration(seconds: int) -> str:
    """Return it as people say it: "45 s", "1 min 30", "2 h"."""
    if seconds < MINUTE:
        return _("{n} s").format(n=seconds)
    text, size, small = (_("{n} h"), HOUR, MINUTE) if seconds >= HOUR else (_("{n} min"), MINUTE, 1)
    rest = seconds % size // small
    return text.format(n=seconds // size) + (f" {rest}" if rest else "")
