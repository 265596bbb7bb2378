"""Reads the forms of what one keeps, one's own or shared; what is not there is blank."""

from collections.abc import Mapping

from aiohttp import web
from aiohttp.web_request import FileField

from couachgptd.core.errors import BadRequest
from couachgptd.core.wire import Json
from couachgptd.http import fields

ID_MAX_LENGTH = 18  # digits: SQLite's integers have 64 bits


async def texts(request: web.Request, *names: str) -> dict[str, str]:
    """Raises BadRequest for what no store could keep."""
    form: Json = dict(await request.post())
    return {
        name: ""
        if name not in form or isinstance(form[name], FileField)
        else fields.text(form, name)
        for name in names
    }


def is_shared(form: Mapping[str, str]) -> bool:
    return form["shared"] == "1"


def number(form: Mapping[str, str], name: str) -> int:
    """Raises BadRequest."""
    given = form[name]
    if not (given.isascii() and given.isdecimal() and len(given) <= ID_MAX_LENGTH):
        raise BadRequest(reason=name)
    return int(given)
