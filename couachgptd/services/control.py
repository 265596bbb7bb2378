"""The operator's verbs: what the control socket offers, and with it the command line."""

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from couachgptd.core import wire
from couachgptd.core.errors import BadRequest
from couachgptd.core.ports import Store
from couachgptd.core.users import Role, User, UserState
from couachgptd.core.wire import Json
from couachgptd.services.accounts import AccountService
from couachgptd.services.chat import ChatService
from couachgptd.services.live import LiveTurn
from couachgptd.services.models import ModelService
from couachgptd.services.runner import TurnRunner
from couachgptd.services.topics import Topics
from couachgptd.services.watch import Watch

STATUS_SECONDS = 1.0  # what is known must not wait for an engine that hangs


class ControlService:
    """`address` is where people find the chat, known once the listener is open."""

    def __init__(
        self,
        accounts: AccountService,
        chat: ChatService,
        models: ModelService,
        runner: TurnRunner,
        topics: Topics,
        watch: Watch,
        store: Store,
        version: str,
    ) -> None:
        self._accounts = accounts
        self._chat = chat
        self._models = models
        self._runner = runner
        self._topics = topics
        self._watch = watch
        self._store = store
        self._version = version
        self._started = time.monotonic()
        self._started_at = datetime.now(UTC)
        self.address = ""

    async def status(self) -> Json:
        with suppress(TimeoutError):
            async with asyncio.timeout(STATUS_SECONDS):
                await self._models.refresh()
        users = await self._accounts.users()
        engine = self._models.status
        state, reason, since = self._models.state
        return {
            "version": self._version,
            "pid": os.getpid(),
            "started_at": wire.moment(self._started_at),
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "address": self.address,
            "memory_bytes": resident_bytes(),
            "sockets": self._topics.sockets,
            "engine": {
                "kind": engine.kind,
                "address": engine.address,
                "is_up": engine.is_up,
                "version": engine.version,
                "detail": engine.detail,
                "model": self._models.default,
                "loaded": self._models.loaded_names,
                "state": state,
                "reason": reason,
                "since": wire.moment(since),
            },
            "turns": {
                "queued": self._runner.queued,
                "running": self._runner.running_turns,
                "is_paused": self._runner.is_paused,
            },
            "users": {
                "total": len(users),
                "pending": sum(user.state is UserState.PENDING for user in users),
            },
        }

    async def users(self) -> list[Json]:
        return [operator_user(user) for user in await self._accounts.users()]

    async def add_user(self, body: Json, actor: str) -> Json:
        role = role_of(body, Role.MEMBER.value)
        language = body.get("language", "fr")
        if language not in ("fr", "en"):
            raise BadRequest(reason="language")
        user = await self._accounts.add(
            login=text_of(body, "login"),
            name=text_of(body, "name", ""),
            password=text_of(body, "password"),
            role=role,
            language=language,
            actor=actor,
        )
        return operator_user(user)

    async def approve(self, login: str, actor: str) -> Json:
        return operator_user(await self._accounts.approve(login, actor))

    async def set_state(self, login: str, body: Json, actor: str) -> Json:
        state = text_of(body, "state")
        if state not in (UserState.ACTIVE, UserState.SUSPENDED):
            raise BadRequest(reason="state")
        user = await self._accounts.set_state(login, UserState(state), actor)
        if not user.is_active:
            await self._chat.stop_all(user.id)
        return operator_user(user)

    async def set_role(self, login: str, body: Json, actor: str) -> Json:
        return operator_user(await self._accounts.set_role(login, role_of(body), actor))

    async def set_password(self, login: str, body: Json, actor: str) -> Json:
        password = text_of(body, "password")
        return operator_user(await self._accounts.set_password(login, password, actor))

    async def setup_link(self, actor: str) -> Json:
        token = await self._accounts.setup_link(actor)
        return {"url": f"{self.address}/setup/{token}"}

    async def models(self) -> Json:
        """Raises what keeps the engine from telling."""
        await self._models.refresh()
        self._models.require_known()
        return {"models": self._models.shapes(), "default": self._models.default}

    async def queue(self) -> Json:
        """Return who runs and who waits, without a word of what they asked."""
        lives = self._runner.lives()
        return {
            "paused": self._runner.is_paused,
            "running": [await self._line(each) for each in lives if not each.is_queued],
            "waiting": [await self._line(each) for each in lives if each.is_queued],
        }

    async def _line(self, live: LiveTurn) -> Json:
        asker = live.turn.asker_id
        user = None if asker is None else await self._store.user(asker)
        shape = live.shape()
        names = ("state", "attempt", "model", "source", "place", "wait_seconds", "is_healing")
        return {
            "turn": live.turn.id,
            "asker": user.login if user else None,
            **{name: shape[name] for name in names},
        }

    async def incidents(self, limit: int) -> list[Json]:
        return [
            {
                "at": wire.moment(each.at),
                "before": each.before,
                "after": each.after,
                "evidence": each.evidence,
            }
            for each in await self._store.incidents(limit)
        ]

    async def reset_engine(self, actor: str) -> Json:
        """Forget failures, restarts, quarantines: somebody says that it is mended."""
        await self._store.audit(actor, "engine.reset", {})
        self._watch.reset()
        return self._models.engine_shape()

    async def set_maintenance(self, is_on: bool, actor: str) -> Json:  # noqa: FBT001 -- the verb's body
        await self._store.audit(actor, "engine.maintenance", {"is_on": is_on})
        self._watch.maintain(is_on=is_on)
        return self._models.engine_shape()

    def ask(self, body: Json) -> AsyncGenerator[Json]:
        model = None if body.get("model") is None else text_of(body, "model")
        return self._chat.ask_operator(text_of(body, "text"), model)


def text_of(body: Json, name: str, default: str | None = None) -> str:
    """Return a text field of a body. Raises BadRequest that names it."""
    value: Any = body.get(name, default)
    if not isinstance(value, str):
        raise BadRequest(reason=name)
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a pair, which the store could not take
        raise BadRequest(reason=name) from None
    return value


def role_of(body: Json, default: str | None = None) -> Role:
    """Return the role that a body names. Raises BadRequest."""
    try:
        return Role(text_of(body, "role", default))
    except ValueError:
        raise BadRequest(reason="role") from None


def operator_user(user: User) -> Json:
    return {
        **wire.user(user),
        "state": user.state.value,
        "created_at": wire.moment(user.created_at),
    }


def resident_bytes() -> int:
    """Return our own resident memory; what psutil would say, for a thousandth of its import."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
