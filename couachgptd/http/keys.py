"""What hangs on the application and on a request, each with its type."""

from collections.abc import Callable

from aiohttp import web

from couachgptd.core.ports import ControlClient
from couachgptd.core.users import User
from couachgptd.http.assets import Assets
from couachgptd.services.accounts import AccountService
from couachgptd.services.chat import ChatService
from couachgptd.services.confirmations import Confirmations
from couachgptd.services.conversations import ConversationService
from couachgptd.services.links import LinkService
from couachgptd.services.logo import Logo
from couachgptd.services.models import ModelService
from couachgptd.services.search import SearchService
from couachgptd.services.site import Site
from couachgptd.services.topics import Topics
from couachgptd.settings import Brand, Server

ACCOUNTS = web.AppKey("ACCOUNTS", AccountService)
ASSETS = web.AppKey("ASSETS", Assets)
BRAND = web.AppKey[Callable[[], Brand]]("BRAND")  # asked anew each time: it may be changed
CHAT = web.AppKey("CHAT", ChatService)
CONFIRMATIONS = web.AppKey("CONFIRMATIONS", Confirmations)
CONTROL: web.AppKey[ControlClient] = web.AppKey("CONTROL", ControlClient)
CONVERSATIONS = web.AppKey("CONVERSATIONS", ConversationService)
CSRF_SECRET = web.AppKey("CSRF_SECRET", bytes)
LINKS = web.AppKey("LINKS", LinkService)
LOGO = web.AppKey("LOGO", Logo)
MODELS = web.AppKey("MODELS", ModelService)
SEARCH = web.AppKey("SEARCH", SearchService)
SITE = web.AppKey("SITE", Site)
SERVER = web.AppKey("SERVER", Server)
TOPICS = web.AppKey("TOPICS", Topics)
ANSWER_TOKENS = web.AppKey("ANSWER_TOKENS", int)

REQUEST_ID = web.RequestKey("REQUEST_ID", str)
USER = web.RequestKey("USER", User)
SESSION_ID = web.RequestKey("SESSION_ID", str)
