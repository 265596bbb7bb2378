"""couachgptctl audit, samples, ratings: who changed what, how the figures and the models did."""

import sys
from collections.abc import Sequence

from couachgptd.ctl import exits, render
from couachgptd.ctl.answers import note, show
from couachgptd.ctl.connection import connected
from couachgptd.ctl.failures import usage
from couachgptd.ctl.texts import _, decimal, mark, ngettext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable
    from typing import Any

SECONDS = {"1h": 3600, "24h": 86_400, "7d": 604_800}
BARS = "▁▂▃▄▅▆▇█"
LEAST_BARS = 8


def _cores(value: float) -> str:
    return decimal(value, 2)


# What the figures are called, and how they are said.
SERIES: "tuple[tuple[str, str, Callable[[float], str]], ...]" = (
    ("machine_cores", mark("Machine, cores"), _cores),
    ("engine_cores", mark("Engine, cores"), _cores),
    ("daemon_cores", mark("Daemon, cores"), _cores),
    ("machine_memory_bytes", mark("Machine, memory"), render.size),
    ("engine_memory_bytes", mark("Engine, memory"), render.size),
    ("daemon_memory_bytes", mark("Daemon, memory"), render.size),
    ("tokens_per_second", mark("Tokens per second"), decimal),
    ("running", mark("Answers under way"), decimal),
    ("queued", mark("Answers waiting"), decimal),
    ("wait_seconds", mark("Wait told"), render.duration),
)


def audit(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        found = client.call(
            "control.audit", before=arguments.before, limit=arguments.limit, **_filter(arguments)
        )
    show(arguments, found, _entries)
    if found["next"] is not None and not arguments.json:
        note(_("There are older ones: --before {id}").format(id=found["next"]))
    return exits.OK


def audit_csv(arguments: "Namespace") -> int:
    if arguments.json:
        raise usage(_("This is CSV."), hint=_("`couachgptctl audit ls --json` writes JSON."))
    with connected(arguments) as client:
        pieces = client.file("control.audit.csv", **_filter(arguments))
        if render.is_terminal(sys.stdout):
            lines = b"".join(pieces).decode("utf-8-sig").replace("\r\n", "\n")
            print(render.safe(lines), end="")
            return exits.OK
        for piece in pieces:
            sys.stdout.buffer.write(piece)
    return exits.OK


def samples(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return show(arguments, client.call("control.samples", range=arguments.range), _figures)


def ratings(arguments: "Namespace") -> int:
    with connected(arguments) as client:
        return show(arguments, client.call("control.ratings", days=arguments.days), _ratings)


def _filter(arguments: "Namespace") -> "dict[str, Any]":
    return {name: getattr(arguments, name) for name in ("actor", "verb", "since", "until", "text")}


def _entries(found: "Any") -> str:
    if not found["entries"]:
        return _("Nothing of this kind was changed.")
    return "\n".join(map(_entry, found["entries"]))


def _entry(entry: "Any") -> str:
    when = render.moment(entry["at"], "seconds")
    head = "  ".join(filter(None, [when, entry["verb"], entry["actor"]]))
    return render.headed(head, entry["detail"])


def _figures(found: "Any") -> str:
    if not found["at"]:
        return _("Nothing has been measured in this time.")
    rows, drawn = [], []
    for name, label, said in SERIES:
        values = found["series"].get(name, [])
        known = [value for value in values if value is not None]
        if known:
            last = "-" if values[-1] is None else said(values[-1])
            rows.append((_(label), last, said(min(known)), said(max(known))))
            drawn.append(values)
    head = (_("FIGURE"), _("LAST"), _("LOWEST"), _("HIGHEST"))
    lines = render.table(head, rows, right=(1, 2, 3)).splitlines()
    room = render.columns() - max(map(render.width, lines[1:])) - 2
    if room >= LEAST_BARS and render.is_terminal(sys.stdout) and _has_bars():
        span = SECONDS[found["range"]]
        lines[1:] = [
            f"{line}  {bars(found['at'], values, span, room)}"
            for line, values in zip(lines[1:], drawn, strict=True)
        ]
    return "\n".join(lines)


def _ratings(found: "Any") -> str:
    if not found["models"]:
        return ngettext(
            "Nobody has rated an answer in the last {n} day.",
            "Nobody has rated an answer in the last {n} days.",
            found["days"],
        ).format(n=found["days"])
    rows = [(each["model"], str(each["up"]), str(each["down"])) for each in found["models"]]
    return render.table((_("MODEL"), _("UP"), _("DOWN")), rows, right=(1, 2))


def bars(at: Sequence[int], values: "Sequence[float | None]", span: int, room: int) -> str:
    """Return the highest of each stretch as a bar; where nothing was measured, a blank."""
    begin = at[-1] - span
    highest: list[float | None] = [None] * room
    for moment, value in zip(at, values, strict=True):
        place = min(room - 1, max(0, (moment - begin) * room // span))
        if value is not None:
            highest[place] = max(value, highest[place] or 0.0)
    top = max((each for each in highest if each is not None), default=0) or 1
    return "".join(
        " " if each is None else BARS[round(each / top * (len(BARS) - 1))] for each in highest
    ).rstrip()


def _has_bars() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
