"""The operator's verbs for who leaves, who is logged in, and who is invited."""

from dataclasses import asdict

from couachgptd.core import wire
from couachgptd.core.errors import BadRequest
from couachgptd.core.ids import ConversationId
from couachgptd.core.links import Link
from couachgptd.core.users import Session
from couachgptd.core.wire import Json
from couachgptd.services.operator.desk import Call, Desk


async def remove(desk: Desk, call: Call) -> Json:
    """Delete a person, or only say what would go."""
    user = await desk.accounts.named(call.names["login"])
    if call.body.get("is_dry_run", False):
        return asdict(await desk.store.belongings(user.id))
    heir = None if call.body.get("heir") is None else call.text("heir")
    await desk.chat.stop_all(user.id)
    return asdict(await desk.accounts.remove(user.login, heir, call.actor))


async def purge(desk: Desk, call: Call) -> Json:
    """Delete one conversation, or all of a person, or only say what would go."""
    is_dry_run = call.body.get("is_dry_run", False)
    if call.body.get("conversation") is not None:
        name = call.text("conversation")
        if is_dry_run:
            return asdict(await desk.store.count_conversation(ConversationId(name)))
        return asdict(await desk.conversations.purge(ConversationId(name), call.actor))
    user = await desk.accounts.named(call.text("user"))
    if is_dry_run:
        return asdict(await desk.store.belongings(user.id))
    return asdict(await desk.conversations.purge_all(user, call.actor))


async def reset_link(desk: Desk, call: Call) -> Json:
    token, link = await desk.links.password_link(call.names["login"], call.actor)
    return {
        "url": f"{desk.address}/password/{token}",
        "expires_at": wire.moment(link.expires_at),
    }


async def sessions(desk: Desk, _call: Call) -> Json:
    return {"sessions": [_session(desk, each) for each in await desk.accounts.sessions()]}


async def kick(desk: Desk, call: Call) -> Json:
    """End one session, or all of a person."""
    if call.body.get("session") is not None:
        await desk.accounts.kick(call.text("session"), call.actor)
        return {"ended": 1}
    return {"ended": await desk.accounts.kick_all(call.text("user"), call.actor)}


async def invitations(desk: Desk, _call: Call) -> Json:
    return {"invitations": [_invitation(each) for each in await desk.links.invitations()]}


async def invite(desk: Desk, call: Call) -> Json:
    uses, days = (call.body.get(name) for name in ("uses", "days"))
    if type(uses) is not int:
        raise BadRequest(reason="uses")
    if type(days) is not int:
        raise BadRequest(reason="days")
    token, link = await desk.links.invite(uses, days, call.actor)
    return {"invitation": _invitation(link), "url": f"{desk.address}/register/{token}"}


async def revoke(desk: Desk, call: Call) -> Json:
    await desk.links.revoke(call.names["invitation"], call.actor)
    return {}


def _session(desk: Desk, session: Session) -> Json:
    return {
        "id": session.id,
        "user": session.login,
        "address": session.address,
        "created_at": wire.moment(session.created_at),
        "seen_at": wire.moment(session.seen_at),
        "expires_at": wire.moment(session.expires_at),
        "open_pages": desk.topics.pages_of(session.user_id),
    }


def _invitation(link: Link) -> Json:
    return {
        "id": link.id,
        "uses_left": link.uses_left,
        "created_by": link.created_by,
        "created_at": wire.moment(link.created_at),
        "expires_at": wire.moment(link.expires_at),
    }
