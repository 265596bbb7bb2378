"""Saved prompts over HTTP, not over the socket: the profile page, which has none, manages them."""

from aiohttp import web

from couachgptd.core.saved_prompts import SavedPrompt, SavedPromptId
from couachgptd.core.wire import Json
from couachgptd.http import forms
from couachgptd.http.keys import SAVED_PROMPTS, USER
from couachgptd.http.routes import add as add_route


def set_up_saved_prompts(app: web.Application) -> None:
    add_route(app, "GET", "/prompts", "prompt.list", listed)
    add_route(app, "POST", "/prompts/add", "prompt.add", add)
    add_route(app, "POST", "/prompts/change", "prompt.change", change)
    add_route(app, "POST", "/prompts/delete", "prompt.delete", delete)


async def listed(request: web.Request) -> web.StreamResponse:
    found = await request.app[SAVED_PROMPTS].listed(request[USER])
    return web.json_response({"prompts": [_shape(each) for each in found]})


async def add(request: web.Request) -> web.StreamResponse:
    form = await _form(request)
    prompt = await request.app[SAVED_PROMPTS].add(
        request[USER], form["title"], form["text"], is_shared=forms.is_shared(form)
    )
    return web.json_response({"prompt": _shape(prompt)})


async def change(request: web.Request) -> web.StreamResponse:
    form = await _form(request)
    prompt = await request.app[SAVED_PROMPTS].change(
        request[USER], _id(form), form["title"], form["text"], is_shared=forms.is_shared(form)
    )
    return web.json_response({"prompt": _shape(prompt)})


async def delete(request: web.Request) -> web.StreamResponse:
    form = await _form(request)
    await request.app[SAVED_PROMPTS].delete(
        request[USER], _id(form), is_shared=forms.is_shared(form)
    )
    return web.json_response({})


async def _form(request: web.Request) -> dict[str, str]:
    return await forms.texts(request, "prompt", "title", "text", "shared")


def _id(form: dict[str, str]) -> SavedPromptId:
    return SavedPromptId(forms.number(form, "prompt"))


def _shape(prompt: SavedPrompt) -> Json:
    return {
        "id": prompt.id,
        "title": prompt.title,
        "text": prompt.text,
        "is_shared": prompt.owner_id is None,
    }
