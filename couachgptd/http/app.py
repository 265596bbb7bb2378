"""The public application: middlewares, routes, static files; given services, it decides nothing."""

from collections.abc import Callable
from pathlib import Path

import aiohttp_session
from aiohttp import web

from couachgptd import __version__, paths
from couachgptd.core import wire
from couachgptd.core.ids import ConversationId
from couachgptd.core.ports import ControlClient
from couachgptd.http import admin, assets, csrf, middlewares, pages
from couachgptd.http.accounts import set_up_accounts
from couachgptd.http.attachments import set_up_attachments
from couachgptd.http.installable import set_up_installable
from couachgptd.http.keys import (
    ACCOUNTS,
    ANSWER_TOKENS,
    ASSETS,
    ATTACHMENTS,
    BRAND,
    CHAT,
    CHOOSING,
    CONFIRMATIONS,
    CONTROL,
    CONVERSATIONS,
    CSRF_SECRET,
    FOLDERS,
    LINKS,
    LOGO,
    MODELS,
    PROFILE,
    RATINGS,
    SAVED_PROMPTS,
    SEARCH,
    SERVER,
    SHARES,
    SITE,
    TOPICS,
    USER,
)
from couachgptd.http.links import set_up_links
from couachgptd.http.looks import set_up_looks
from couachgptd.http.portable import set_up_portable
from couachgptd.http.presets import set_up_presets
from couachgptd.http.profile import set_up_profile
from couachgptd.http.routes import add, require_all_guarded
from couachgptd.http.saved_prompts import set_up_saved_prompts
from couachgptd.http.sessions import SessionStorage
from couachgptd.http.socket import open_socket, refuse_socket, set_up_sockets
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

BODY_MAX_BYTES = 512 * 1024  # forms, the largest being a logo of 256 KiB in base64


def create_app(
    *,
    accounts: AccountService,
    links: LinkService,
    attachments: AttachmentService,
    chat: ChatService,
    choosing: ChoosingService,
    conversations: ConversationService,
    exports: ExportService,
    imports: ImportService,
    folders: FolderService,
    models: ModelService,
    presets: PresetService,
    ratings: RatingService,
    saved_prompts: SavedPromptService,
    profile: ProfileService,
    search: SearchService,
    shares: ShareService,
    topics: Topics,
    control: ControlClient,
    server: Server,
    brand: Callable[[], Brand],
    site: Site,
    logo: Logo,
    answer_tokens: int,
    csrf_secret: bytes,
    spool: Path,
    dist: Path | None = None,
) -> web.Application:
    """Put the application together. Raises UnknownVerb, AssetsMissing, ValueError (a colour)."""
    app = web.Application(
        client_max_size=BODY_MAX_BYTES,
        middlewares=[
            middlewares.identify,
            middlewares.explain_errors,
            aiohttp_session.session_middleware(SessionStorage(accounts)),
        ],
    )
    app[ACCOUNTS] = accounts
    app[LINKS] = links
    app[ATTACHMENTS] = attachments
    app[CHAT] = chat
    app[CHOOSING] = choosing
    app[CONVERSATIONS] = conversations
    app[FOLDERS] = folders
    app[MODELS] = models
    app[RATINGS] = ratings
    app[SAVED_PROMPTS] = saved_prompts
    app[PROFILE] = profile
    app[SEARCH] = search
    app[SHARES] = shares
    app[TOPICS] = topics
    app[SERVER] = server
    app[BRAND] = brand
    app[SITE] = site
    app[LOGO] = logo
    app[ANSWER_TOKENS] = answer_tokens
    app[CONFIRMATIONS] = Confirmations(accounts)
    app[CONTROL] = control
    app[CSRF_SECRET] = csrf_secret
    app[ASSETS] = assets.Assets(dist or paths.web_dir() / "dist")
    pages.brand_css(brand())  # a wrong colour is told at start, not to the first visitor
    pages.set_up_templates(app)
    app.on_response_prepare.extend(
        (middlewares.mark_begun, middlewares.add_headers, assets.cache_static)
    )
    add(app, "GET", "/", "page.chat", chat_page)
    add(app, "GET", "/c/{conversation}", "page.chat", chat_page)
    set_up_accounts(app)
    set_up_links(app)
    set_up_attachments(app)
    set_up_portable(app, exports, imports, spool)
    set_up_presets(app, presets)
    set_up_saved_prompts(app)
    set_up_installable(app)
    set_up_profile(app)
    add(app, "GET", "/ws", "socket.open", open_socket, refuse_upgrade=refuse_socket)
    set_up_sockets(app)
    set_up_looks(app)
    add(app, "GET", admin.ROOT, "page.admin", admin.without_slash)
    app.add_subapp(admin.ROOT, admin.create_admin_app())
    add(app, "GET", "/healthz", "page.health", health)
    add(app, "GET", "/brand.css", "page.static", pages.brand_stylesheet)
    add(app, "GET", pages.LOGO_PATH, "page.static", pages.brand_logo)
    add(app, "GET", "/favicon.ico", "page.static", pages.favicon)
    app.router.add_static(assets.BASE.rstrip("/"), app[ASSETS].dist)
    require_all_guarded(app)
    return app


async def chat_page(request: web.Request) -> web.StreamResponse:
    user = request[USER]
    conversation_id = request.match_info.get("conversation")
    if conversation_id is not None:
        conversation = await request.config_dict[CHAT].conversation(user, conversation_id)
        conversation_id = ConversationId(conversation.id)
    brand = pages.brand_of(request.config_dict)
    props = {
        "user": wire.own_user(user),
        "brand": {"name": brand["name"], "logo": brand["logo"]},
        "language": pages.language_of(request),
        "theme": pages.theme_of(request),
        "csrf": csrf.token(request),
        "conversation": conversation_id,
        "answer_tokens": request.config_dict[ANSWER_TOKENS],
        "files_per_question": request.config_dict[ATTACHMENTS].limits.per_question,
        "version": __version__,
    }
    return pages.render(request, "chat.html", props=props)


async def health(_request: web.Request) -> web.StreamResponse:
    """Answer while the listener and the event loop work; the engine's health is not ours."""
    return web.Response(text="ok\n")
