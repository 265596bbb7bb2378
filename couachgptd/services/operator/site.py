"""The operator's verbs for what is changed while the daemon runs: settings, banner, logo."""

import base64
from datetime import UTC, datetime

from couachgptd.core.banner import TEXT_MOST, Banner, Level
from couachgptd.core.errors import BadRequest
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk


async def settings(desk: Desk, _call: Call) -> Json:
    return {"settings": desk.site.shapes()}


async def change(desk: Desk, call: Call) -> Json:
    name = call.text("name")
    return {"setting": await desk.site.change(name, call.body.get("value"), call.actor)}


async def banner(desk: Desk, _call: Call) -> Json:
    return {"banner": desk.site.banner}


async def set_banner(desk: Desk, call: Call) -> Json:
    """Show a banner; one without a text takes it away."""
    text = " ".join(call.text("text").split())
    if len(text) > TEXT_MOST:
        raise BadRequest(reason="text")
    try:
        level = Level(call.text("level", Level.INFO.value))
    except ValueError:
        raise BadRequest(reason="level") from None
    shown = Banner(text, level, _until(call)) if text else None
    await desk.site.show(shown, call.actor)
    return {"banner": desk.site.banner}


async def logo(desk: Desk, _call: Call) -> Json:
    return {"logo": desk.logo.shape}


async def set_logo(desk: Desk, call: Call) -> Json:
    """Raises FileRefused, SandboxMissing, SandboxFailed."""
    try:
        data = base64.b64decode(call.text("data"), validate=True)
    except ValueError:
        raise BadRequest(reason="data") from None
    await desk.logo.change(data, call.actor)
    return {"logo": desk.logo.shape}


async def remove_logo(desk: Desk, call: Call) -> Json:
    await desk.logo.remove(call.actor)
    return {"logo": None}


def _until(call: Call) -> datetime | None:
    if call.body.get("until") is None:
        return None
    try:
        moment = datetime.fromisoformat(call.text("until"))
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadRequest(reason="until") from None
    if moment <= datetime.now(UTC):
        raise BadRequest(reason="until")
    return moment
