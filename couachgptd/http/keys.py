"""What hangs on the application and on a request, each with its type."""

from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from couachgptd.core.ports import ControlClient
from couachgptd.core.users import User
from couachgptd.http.assets import Assets
from couachgptd.services.accounts import AccountService
from couachgptd.services.attachments import AttachmentService
from couachgptd.services.chat import ChatService
from couachgptd.services.choosing import ChoosingService
from couachgptd.services.confirmations import Confirmations
from couachgptd.services.conversations import ConversationService
from couachgptd.services.exports import ExportService
from couachgptd.services.folders import FolderService
from couachgptd.services.imports import ImportService
from couachgptd.services.links import LinkService
from couachgptd.services.logo import Logo
from couachgptd.services.models import ModelService
from couachgptd.services.presets import PresetService
from couachgptd.services.profile import ProfileService
from couachgptd.services.ratings import RatingService
from couachgptd.services.saved_prompts import SavedPromptService
from couachgptd.services.search import SearchService
from couachgptd.services.shares import ShareService
from couachgptd.services.site import Site
from couachgptd.services.topics import Topics
from couachgptd.settings import Brand, Server

ACCOUNTS = web.AppKey("ACCOUNTS", AccountService)
ASSETS = web.AppKey("ASSETS", Assets)
ATTACHMENTS = web.AppKey("ATTACHMENTS", AttachmentService)
BRAND = web.AppKey[Callable[[], Brand]]("BRAND")  # asked anew each time: it may be changed
CHAT = web.AppKey("CHAT", ChatService)
CHOOSING = web.AppKey("CHOOSING", ChoosingService)
CONFIRMATIONS = web.AppKey("CONFIRMATIONS", Confirmations)
CONTROL: web.AppKey[ControlClient] = web.AppKey("CONTROL", ControlClient)
CONVERSATIONS = web.AppKey("CONVERSATIONS", ConversationService)
FOLDERS = web.AppKey("FOLDERS", FolderService)
RATINGS = web.AppKey("RATINGS", RatingService)
CSRF_SECRET = web.AppKey("CSRF_SECRET", bytes)
EXPORTS = web.AppKey("EXPORTS", ExportService)
IMPORTS = web.AppKey("IMPORTS", ImportService)
LINKS = web.AppKey("LINKS", LinkService)
LOGO = web.AppKey("LOGO", Logo)
MODELS = web.AppKey("MODELS", ModelService)
PRESETS = web.AppKey("PRESETS", PresetService)
SAVED_PROMPTS = web.AppKey("SAVED_PROMPTS", SavedPromptService)
PROFILE = web.AppKey("PROFILE", ProfileService)
SEARCH = web.AppKey("SEARCH", SearchService)
SHARES = web.AppKey("SHARES", ShareService)
SITE = web.AppKey("SITE", Site)
SERVER = web.AppKey("SERVER", Server)
SPOOL = web.AppKey("SPOOL", Path)  # where what comes is put, nameless, while it is looked at
TOPICS = web.AppKey("TOPICS", Topics)
ANSWER_TOKENS = web.AppKey("ANSWER_TOKENS", int)

REQUEST_ID = web.RequestKey("REQUEST_ID", str)
USER = web.RequestKey("USER", User)
SESSION_ID = web.RequestKey("SESSION_ID", str)
HAS_BEGUN = web.RequestKey("HAS_BEGUN", bool)  # the head of its answer is on its way
