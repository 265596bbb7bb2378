"""The socket's verb of thumbs up and down."""

from collections.abc import Mapping

from couachgptd.core.users import User
from couachgptd.http import areas, fields
from couachgptd.http.fields import Json
from couachgptd.services.ratings import RatingService


async def _rate(service: RatingService, user: User, request: Json) -> Json:
    word = fields.optional_text(request, "word") or ""
    await service.rate(user, fields.number(request, "message"), request.get("value"), word)
    return {}


VERBS: Mapping[str, areas.Act] = {"chat.rate": _rate}
