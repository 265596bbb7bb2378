"""The operator's verbs for models."""

from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk


async def listed(desk: Desk, _call: Call) -> Json:
    """Raises what keeps the engine from telling."""
    await desk.models.refresh()
    desk.models.require_known()
    return {"models": desk.models.shapes(), "default": desk.models.default}
