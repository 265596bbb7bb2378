"""Sessions: a cookie with a random id, a row that says whose it is."""

from typing import cast

from aiohttp import web
from aiohttp_session import AbstractStorage, Session, SessionData, get_session, new_session

from couachgptd.core.ids import UserId
from couachgptd.core.users import User
from couachgptd.http.keys import SESSION_ID, USER
from couachgptd.http.origin import client_address, is_secure
from couachgptd.services.accounts import AccountService

COOKIE = "couachgpt"
USER_FIELD = "user"


class SessionStorage(AbstractStorage):
    """aiohttp-session over our own rows; only who is logged in has one."""

    def __init__(self, accounts: AccountService) -> None:
        super().__init__(
            cookie_name=COOKIE,
            max_age=accounts.session_seconds,
            httponly=True,
            samesite="Lax",
        )
        self._accounts = accounts

    async def load_session(self, request: web.Request) -> Session:
        session_id = self.load_cookie(request)
        found = await self._accounts.session(session_id) if session_id else None
        if not session_id or found is None:
            return Session(None, data=None, new=True, max_age=self.max_age)
        user, data = found
        request[USER] = user
        request[SESSION_ID] = session_id
        return Session(session_id, data=cast("SessionData", data), new=False)

    async def save_session(
        self, request: web.Request, response: web.StreamResponse, session: Session
    ) -> None:
        # The library leaves the old row valid when a session is renewed or emptied.
        if old := self.load_cookie(request):
            await self._accounts.close_session(old)
        if session.empty:
            self.save_cookie(response, "")
            return
        session_id = await self._accounts.open_session(
            UserId(session[USER_FIELD]),
            dict(self._get_session_data(session)),
            client_address(request),
            request.headers.get("User-Agent", ""),
        )
        self._cookie_params["secure"] = is_secure(request)
        self.save_cookie(response, session_id, max_age=self.max_age)


async def begin_session(request: web.Request, user: User) -> None:
    """Log a person in: always a new id, so that one set before cannot be shared."""
    session = await new_session(request)
    session[USER_FIELD] = user.id


async def end_session(request: web.Request) -> None:
    (await get_session(request)).invalidate()
