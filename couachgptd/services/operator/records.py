"""The operator's verbs for what is written down: the audit log, samples for charts, ratings."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

from couachgptd.core import wire
from couachgptd.core.csv_lines import HEAD, csv_line
from couachgptd.core.errors import BadRequest
from couachgptd.core.ratings import COUNTED_DAYS, COUNTED_DAYS_MOST
from couachgptd.core.records import AuditEntry, AuditQuery
from couachgptd.core.samples import RANGES, since_of, thinned
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk, Document

PAGE, PAGE_MOST = 50, 500
CSV_MOST = 50_000  # entries: some 10 MB
ID_MOST = 2**63 - 1


async def audit(desk: Desk, call: Call) -> Json:
    limit = call.count("limit", PAGE, PAGE_MOST)
    found = await desk.store.audited(_query(call), limit + 1)
    entries = found[:limit]
    return {
        "entries": [_entry(each) for each in entries],
        "next": entries[-1].id if len(found) > limit else None,
    }


async def audit_csv(desk: Desk, call: Call) -> Document:
    lines = [csv_line(("id", "at", "actor", "verb", "detail"))]
    query = _query(call)
    while len(lines) <= CSV_MOST:
        found = await desk.store.audited(query, PAGE_MOST)
        if not found:
            break
        lines += [
            csv_line(
                (
                    each.id,
                    wire.moment(each.at),
                    each.actor,
                    each.verb,
                    json.dumps(each.detail, ensure_ascii=False),
                )
            )
            for each in found
        ]
        query = replace(query, before=found[-1].id)
    return Document(HEAD + "".join(lines), "text/csv", "audit.csv")


async def samples(desk: Desk, call: Call) -> Json:
    name = call.query.get("range", "1h")
    if name not in RANGES:
        raise BadRequest(reason="range")
    rows = await desk.store.samples(RANGES[name], since_of(name, datetime.now(UTC)))
    points = thinned(rows)
    names = sorted({each for row in points for each in row.figures})
    return {
        "range": name,
        "span_seconds": points[0].span if points else RANGES[name],
        "at": [round(row.at.timestamp()) for row in points],
        "series": {each: [row.figures.get(each) for row in points] for each in names},
    }


async def ratings(desk: Desk, call: Call) -> Json:
    days = call.count("days", COUNTED_DAYS, COUNTED_DAYS_MOST)
    counts = await desk.store.count_ratings(datetime.now(UTC) - timedelta(days=days))
    return {"days": days, "models": [asdict(each) for each in counts]}


def _query(call: Call) -> AuditQuery:
    before = call.query.get("before")
    if before is not None and not (before.isascii() and before.isdecimal()):
        raise BadRequest(reason="before")
    return AuditQuery(
        actor=call.query.get("actor"),
        verb=call.query.get("verb"),
        since=_moment(call, "since"),
        until=_moment(call, "until"),
        text=call.query.get("text"),
        before=None if before is None else min(int(before), ID_MOST),
    )


def _moment(call: Call, name: str) -> datetime | None:
    given = call.query.get(name)
    if not given:
        return None
    try:
        moment = datetime.fromisoformat(given)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    except (ValueError, OverflowError):
        raise BadRequest(reason=name) from None


def _entry(entry: AuditEntry) -> Json:
    return {
        "id": entry.id,
        "at": wire.moment(entry.at),
        "actor": entry.actor,
        "verb": entry.verb,
        "detail": entry.detail,
    }
