"""The operator's verbs for what is kept: the database, its backups, what is old."""

from dataclasses import asdict, replace

from couachgptd.core import wire
from couachgptd.core.errors import BadRequest
from couachgptd.core.upkeep import Backup, Kind
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk, Document

DAYS_MOST = 36_500


async def show(desk: Desk, _call: Call) -> Json:
    maintenance = desk.maintenance
    failure = maintenance.failure
    return {
        "sizes": asdict(await maintenance.sizes()),
        "schema": maintenance.schema,
        "retention": asdict(maintenance.retention),
        "night": {
            "is_backed_up": maintenance.is_nightly,
            "hour": maintenance.hour,
            "done_at": wire.moment(await maintenance.last_night()),
            "error": wire.error(failure) if failure else None,
        },
    }


async def check(desk: Desk, call: Call) -> Json:
    complaints = await desk.maintenance.check(is_quick=call.body.get("is_quick") is True)
    return {"is_well": not complaints, "complaints": complaints}


async def vacuum(desk: Desk, call: Call) -> Json:
    return {"freed_bytes": await desk.maintenance.vacuum(call.actor)}


async def preview(desk: Desk, call: Call) -> Json:
    """Return what is old by the retention in force, or by days that are only thought of."""
    retention = desk.maintenance.retention
    for name in asdict(retention):
        if name in call.query:
            retention = replace(retention, **{name: _days(call.query[name], name)})
    return {"old": await desk.maintenance.preview(retention), "retention": asdict(retention)}


async def clean(desk: Desk, call: Call) -> Json:
    given = call.body.get("kinds")
    kinds = None
    if given is not None:
        try:
            kinds = {Kind(each) for each in given}
        except (TypeError, ValueError):
            raise BadRequest(reason="kinds") from None
    return {"deleted": await desk.maintenance.clean(kinds, call.actor)}


async def backups(desk: Desk, _call: Call) -> Json:
    found = await desk.maintenance.backups()
    return {"backups": [_backup(each) for each in found], "folder": desk.maintenance.folder}


async def back_up(desk: Desk, call: Call) -> Json:
    made = await desk.maintenance.back_up(call.actor)
    return {"backup": _backup(made), "path": f"{desk.maintenance.folder}/{made.name}"}


async def delete_backup(desk: Desk, call: Call) -> Json:
    await desk.maintenance.delete_backup(call.names["backup"], call.actor)
    return {}


async def download(desk: Desk, call: Call) -> Document:
    path = await desk.maintenance.path_of(call.names["backup"])
    await desk.store.audit(call.actor, "db.backup.download", {"name": path.name})
    return Document(path, "application/vnd.sqlite3", path.name)


async def restore(desk: Desk, call: Call) -> Json:
    """Lay a backup ready and restart; where nobody would start us again, the operator does."""
    staged = await desk.maintenance.restore(call.text("backup"), call.actor)
    if desk.shutdown.can_restart:
        desk.shutdown.request(restart=True)
    return {"backup": _backup(staged), "is_restarting": desk.shutdown.can_restart}


def _days(text: str, name: str) -> int:
    if not text.isdecimal() or not text.isascii() or int(text) > DAYS_MOST:
        raise BadRequest(reason=name)
    return int(text)


def _backup(backup: Backup) -> Json:
    return {
        "name": backup.name,
        "kind": backup.kind.value,
        "made_at": wire.moment(backup.made_at),
        "schema": backup.schema,
        "size_bytes": backup.size_bytes,
    }
