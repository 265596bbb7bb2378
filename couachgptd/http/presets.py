"""Presets over HTTP, as saved prompts are: the profile page, which has no socket, manages them."""

import json
from dataclasses import asdict
from typing import Any

from aiohttp import web

from couachgptd.core.errors import BadRequest
from couachgptd.core.presets import Preset, PresetId
from couachgptd.core.wire import Json
from couachgptd.http import forms
from couachgptd.http.keys import PRESETS, USER
from couachgptd.http.routes import add as add_route
from couachgptd.services.presets import PresetService


def set_up_presets(app: web.Application, presets: PresetService) -> None:
    app[PRESETS] = presets
    add_route(app, "GET", "/presets", "preset.list", listed)
    add_route(app, "POST", "/presets/add", "preset.add", add)
    add_route(app, "POST", "/presets/change", "preset.change", change)
    add_route(app, "POST", "/presets/delete", "preset.delete", delete)


async def listed(request: web.Request) -> web.StreamResponse:
    found = await request.app[PRESETS].listed(request[USER])
    return web.json_response({"presets": [_shape(each) for each in found]})


async def add(request: web.Request) -> web.StreamResponse:
    form = await _form(request)
    preset = await request.app[PRESETS].add(
        request[USER], form["name"], _choices(form), is_shared=forms.is_shared(form)
    )
    return web.json_response({"preset": _shape(preset)})


async def change(request: web.Request) -> web.StreamResponse:
    form = await _form(request)
    preset = await request.app[PRESETS].change(
        request[USER], _id(form), form["name"], _choices(form), is_shared=forms.is_shared(form)
    )
    return web.json_response({"preset": _shape(preset)})


async def delete(request: web.Request) -> web.StreamResponse:
    form = await _form(request)
    await request.app[PRESETS].delete(request[USER], _id(form), is_shared=forms.is_shared(form))
    return web.json_response({})


async def _form(request: web.Request) -> dict[str, str]:
    return await forms.texts(request, "preset", "name", "choices", "shared")


def _choices(form: dict[str, str]) -> Any:
    """Return what the JSON in the field says; None where there is none."""
    if form["choices"] == "":
        return None
    try:
        return json.loads(form["choices"])
    except (ValueError, RecursionError):
        raise BadRequest(reason="choices") from None


def _id(form: dict[str, str]) -> PresetId:
    return PresetId(forms.number(form, "preset"))


def _shape(preset: Preset) -> Json:
    return {
        "id": preset.id,
        "name": preset.name,
        "choices": asdict(preset.choices),
        "is_shared": preset.owner_id is None,
    }
