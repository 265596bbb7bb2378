"""The operator's verbs for accounts."""

from couachgptd.core import wire
from couachgptd.core.errors import BadRequest
from couachgptd.core.users import Role, User, UserState
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk


async def listed(desk: Desk, _call: Call) -> Json:
    return {"users": [shape(user) for user in await desk.accounts.users()]}


async def add(desk: Desk, call: Call) -> Json:
    role = call.role(Role.MEMBER.value)
    language = call.body.get("language", "fr")
    if language not in ("fr", "en"):
        raise BadRequest(reason="language")
    user = await desk.accounts.add(
        login=call.text("login"),
        name=call.text("name", ""),
        password=call.text("password"),
        role=role,
        language=language,
        actor=call.actor,
    )
    return {"user": shape(user)}


async def approve(desk: Desk, call: Call) -> Json:
    return {"user": shape(await desk.accounts.approve(call.names["login"], call.actor))}


async def set_state(desk: Desk, call: Call) -> Json:
    state = call.text("state")
    if state not in (UserState.ACTIVE, UserState.SUSPENDED):
        raise BadRequest(reason="state")
    user = await desk.accounts.set_state(call.names["login"], UserState(state), call.actor)
    if not user.is_active:
        await desk.chat.stop_all(user.id)
    return {"user": shape(user)}


async def set_role(desk: Desk, call: Call) -> Json:
    user = await desk.accounts.set_role(call.names["login"], call.role(), call.actor)
    return {"user": shape(user)}


async def set_password(desk: Desk, call: Call) -> Json:
    login, password = call.names["login"], call.text("password")
    return {"user": shape(await desk.accounts.set_password(login, password, call.actor))}


async def setup_link(desk: Desk, call: Call) -> Json:
    token = await desk.accounts.setup_link(call.actor)
    return {"url": f"{desk.address}/setup/{token}"}


def shape(user: User) -> Json:
    return {
        **wire.user(user),
        "state": user.state.value,
        "created_at": wire.moment(user.created_at),
    }
