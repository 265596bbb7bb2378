"""Which lives of the daemon and of its engine began anew lately, and what each was called."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from couachgptd.core.incidents import Incident
from couachgptd.core.records import AuditEntry

KEPT = 3  # restarts that are told
RESTORE = "db.restore"
ENDINGS = ("restart", "drain", RESTORE)  # in the audit: who wanted the daemon to end
ENGINE = "engine."  # how the verbs that are an order to the engine begin
ORDERS = frozenset({"engine.start", "engine.restart"})


class End(StrEnum):
    ASKED = "asked"
    FAILED = "failed"


class Cause(StrEnum):
    """Why the daemon began anew; the first three have a person or a process that asked for it."""

    RESTART = "restart"
    DRAIN = "drain"  # somebody let it end, and somebody started it again
    RESTORE = "restore"
    STOPPED = "stopped"  # by a signal: systemd, an upgrade, a terminal
    BOOT = "boot"  # with the machine
    FAILED = "failed"  # by a fault of ours, which its log tells
    KILLED = "killed"  # without a word: a kill, a crash, systemd's watchdog


ORDERED = "ordered"  # the cause of an engine's restart that somebody wanted


@dataclass(frozen=True, slots=True)
class Restart:
    """`cause` is a `Cause`, of the engine a verdict or `ORDERED`; `by` is the audit's actor."""

    at: datetime
    cause: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """One life of the daemon, and its last restarts, newest first.

    `boot` names that of the machine; `end` is None while the life goes on, and after a kill.
    """

    at: datetime
    boot: str | None
    end: End | None = None
    restarts: tuple[Restart, ...] = ()


def begun(before: Life | None, asked: Sequence[AuditEntry], at: datetime, boot: str | None) -> Life:
    """Return the life that begins now; `asked` are the `ENDINGS` since `before` began."""
    if before is None:  # nothing is known that it would be a restart of
        return Life(at, boot)
    restart = _called(before, asked, at, boot)
    return Life(at, boot, restarts=(restart, *before.restarts)[:KEPT])


def _called(before: Life, asked: Sequence[AuditEntry], at: datetime, boot: str | None) -> Restart:
    newest = max(asked, key=lambda entry: entry.id, default=None)
    if newest and newest.verb == RESTORE:
        # Before all: what else is kept is of when the backup was made, a life that went on then.
        return Restart(at, Cause.RESTORE, newest.actor)
    if before.end is End.FAILED:
        return Restart(at, Cause.FAILED)
    if before.end is End.ASKED and newest:
        return Restart(at, Cause(newest.verb), newest.actor)
    if None not in (boot, before.boot) and boot != before.boot:
        return Restart(at, Cause.BOOT)
    return Restart(at, Cause.KILLED if before.end is None else Cause.STOPPED)


def engine_restarts(incidents: Sequence[Incident], orders: Sequence[AuditEntry]) -> list[Restart]:
    """Return the engine's: by the watchdog, of its verdict RESTARTING, and by those who ordered."""
    found = [Restart(each.at, str(each.evidence.get("cause", each.before))) for each in incidents]
    found += [
        Restart(each.at, ORDERED, each.actor)
        for each in orders
        if each.verb in ORDERS and "error" not in each.detail
    ]
    return sorted(found, key=lambda restart: restart.at, reverse=True)[:KEPT]


def saved(life: Life) -> str:
    return json.dumps(
        {
            "at": life.at.isoformat(),
            "boot": life.boot,
            "end": life.end,
            "restarts": [(each.at.isoformat(), each.cause, each.by) for each in life.restarts],
        }
    )


def recalled(text: str | None) -> Life | None:
    """Return what was saved; None where that is nothing that can be read."""
    try:
        document = json.loads(text or "")
        return Life(
            datetime.fromisoformat(document["at"]),
            document["boot"],
            End(document["end"]) if document["end"] else None,
            tuple(
                Restart(datetime.fromisoformat(at), cause, by)
                for at, cause, by in document["restarts"]
            ),
        )
    except (ValueError, TypeError, KeyError):
        return None
