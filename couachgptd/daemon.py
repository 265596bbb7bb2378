"""The composition root: opens each part in order, says ready, and closes them in reverse."""

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import asdict, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from couachgptd import __version__, catalogue, logs, tls
from couachgptd.changeable import apply, recalled_site
from couachgptd.config import ConfigError
from couachgptd.configuration import Configuration
from couachgptd.control.aclient import opened_client
from couachgptd.control.app import create_control_app
from couachgptd.control.limits import serving_control
from couachgptd.control.peer import bound_socket
from couachgptd.core.budgets import Limits
from couachgptd.core.errors import ConfigInvalid, SetupDone
from couachgptd.core.ports import Store
from couachgptd.core.starters import Starter
from couachgptd.core.upkeep import Retention
from couachgptd.engine.machine import MachineMeter
from couachgptd.engine.selection import opened_control, opened_engine
from couachgptd.http.app import create_app
from couachgptd.http.socket import warn_of_restart
from couachgptd.listeners import address_of, knock, opened_listeners
from couachgptd.log_tail import opened_tail
from couachgptd.notify import more_time, notify, watchdog_seconds
from couachgptd.sandbox.walls import Bubblewrap, FirstThatIsThere, Unit
from couachgptd.services.accounts import AccountService
from couachgptd.services.attached import Attached
from couachgptd.services.attachments import AttachmentService
from couachgptd.services.attachments import Limits as FileLimits
from couachgptd.services.chat import ChatService
from couachgptd.services.choosing import ChoosingService
from couachgptd.services.conversations import ConversationService
from couachgptd.services.exports import ExportService
from couachgptd.services.fitting import Fitting
from couachgptd.services.folders import FolderService
from couachgptd.services.form_secret import form_secret
from couachgptd.services.heartbeat import Heartbeat
from couachgptd.services.imports import ImportService
from couachgptd.services.links import LinkService
from couachgptd.services.lives import kept_life
from couachgptd.services.logo import Logo
from couachgptd.services.machine import boot
from couachgptd.services.maintenance import Maintenance
from couachgptd.services.model_rules import Rules
from couachgptd.services.models import ModelService
from couachgptd.services.operator import people
from couachgptd.services.operator.desk import Call, Desk
from couachgptd.services.orders import Orders
from couachgptd.services.presets import PresetService
from couachgptd.services.profile import ProfileService
from couachgptd.services.prompts import Prompts
from couachgptd.services.ratings import RatingService
from couachgptd.services.runner import TurnRunner
from couachgptd.services.sampler import Sampler
from couachgptd.services.saved_prompts import SavedPromptService
from couachgptd.services.search import SearchService
from couachgptd.services.shares import ShareService
from couachgptd.services.shutdown import EXIT_RESTART, Shutdown
from couachgptd.services.starters import Starters
from couachgptd.services.titles import TitleService
from couachgptd.services.topics import Topics
from couachgptd.services.watch import Watch
from couachgptd.settings import Config, Server
from couachgptd.storage.passwords import Argon2Passwords
from couachgptd.storage.store import opened_store, restored
from couachgptd.storage.uploads import UploadFolder

log = logging.getLogger(__name__)

CLOSE_SECONDS = 5.0
LINGER_SECONDS = 0.2  # a request that was on its way when we stopped to accept comes within that
OPENING_SECONDS, OPENING_STEP_SECONDS = 3600.0, 10.0
END_SECONDS = 20.0  # what may come after the answers under way have ended


async def migrate(config: Config) -> int:
    """Open the store as a start does, and nothing else: an upgrade tries a copy first."""
    async with opened_store(config.storage.directory):
        return 0


async def restore(config: Config, backup: Path) -> int:
    """Put a backup in place of the store, which no daemon may have open."""
    await restored(config.storage.directory, backup)
    return 0


async def run(config: Config, configuration: Configuration | None = None) -> int:
    """Serve until somebody asks for the end, and return the exit code.

    `configuration` knows where `config` comes from. Raises StoreError, SocketUnusable, PortTaken, …
    """
    settings = configuration or Configuration(config)
    # Only a service manager starts us again.
    shutdown = Shutdown(config.server.drain_seconds, can_restart="NOTIFY_SOCKET" in os.environ)
    async with AsyncExitStack() as stack:
        certificate = tls.context(config.server)
        listeners = stack.enter_context(opened_listeners(config.server))
        async with _background(_ask_for_time(), "start"):
            store = await stack.enter_async_context(
                opened_store(config.storage.directory, make_parents=not config.storage.data_dir)
            )
        # After the store: the socket may lie in its directory, which is private from birth.
        control_socket = stack.enter_context(bound_socket(config.control_socket))
        passwords = stack.enter_context(closing(Argon2Passwords()))
        rules = await _recalled_rules(store, config)
        engine = await stack.enter_async_context(opened_engine(config, rules.context_tokens))
        topics = Topics()
        models = ModelService(engine, config.engine.model, store, rules.of)
        await models.recall()
        logs.standing["engine_state"] = lambda: models.state[0]
        runner = TurnRunner(
            engine,
            store,
            slots=config.engine.slots,
            per_person=config.chat.waiting_per_person,
            in_all=config.chat.waiting_in_all,
            pass_over_seconds=config.chat.pass_over_seconds,
        )
        _on_signals(shutdown, certificate, config.server)
        site = await recalled_site(store, config)
        uploads = UploadFolder(config.storage.directory)
        prompts = Prompts(
            engine,
            attached=Attached(engine, store, uploads, config.files.per_question),
            own_system_prompt=config.chat.system_prompt,
            exchanges=config.chat.context_exchanges,
            answer_tokens=config.chat.answer_tokens,
            temperature=config.chat.temperature,
            rules_of=rules.of,
        )
        accounts = AccountService(
            store,
            passwords,
            registration=config.accounts.registration,
            min_length=config.accounts.password_min_length,
            session_days=config.accounts.session_days,
            attempts=config.accounts.login_attempts,
            window_seconds=config.accounts.login_window_seconds,
        )
        links = LinkService(store, passwords, accounts)
        chat = ChatService(store, topics, runner, models, prompts)
        engine_control = await stack.enter_async_context(opened_control(config, engine))
        watch = Watch(engine_control, runner, models, store, Limits(**asdict(config.watchdog)))
        maintenance = Maintenance(
            store.upkeep(config.models_dir),
            store,
            is_nightly=config.backup.nightly,
            hour=config.backup.hour,
            retention=lambda: Retention(
                *(site[f"retention.{each.name}"] for each in fields(Retention))
            ),
        )
        apply(settings, site, accounts, maintenance)
        orders = await Orders.recalled(engine, engine_control, models, runner, watch, store)
        sandbox = FirstThatIsThere(Unit(), Bubblewrap())
        desk = Desk(
            accounts=accounts,
            links=links,
            chat=chat,
            conversations=ConversationService(
                store, topics, runner, bin_days=lambda: site["retention.bin_days"]
            ),
            models=models,
            runner=runner,
            topics=topics,
            watch=watch,
            maintenance=maintenance,
            site=site,
            logo=await Logo.recalled(store, sandbox),
            orders=orders,
            fitting=Fitting(engine, models, catalogue.size_in_catalogue),
            starters=Starters(partial(_starters, config), orders, models),
            rules=rules,
            shutdown=shutdown,
            settings=settings,
            log=stack.enter_context(opened_tail()),
            store=store,
            restarts=await stack.enter_async_context(kept_life(store, boot())),
            directory=config.storage.directory,
            version=__version__,
        )
        attachments = AttachmentService(
            store, uploads, sandbox, models, prompts, FileLimits(**asdict(config.files))
        )
        app = create_app(
            accounts=accounts,
            attachments=attachments,
            links=links,
            chat=chat,
            choosing=ChoosingService(store, topics, engine, models, prompts, watch.rates),
            conversations=desk.conversations,
            exports=ExportService(store, uploads),
            imports=ImportService(store, desk.conversations, attachments),
            folders=FolderService(store, topics),
            models=models,
            presets=PresetService(store, topics, prompts),
            ratings=RatingService(store, topics),
            saved_prompts=SavedPromptService(store),
            profile=ProfileService(store, passwords, accounts),
            search=SearchService(store),
            shares=ShareService(store, topics),
            topics=topics,
            control=await stack.enter_async_context(opened_client(config.control_socket)),
            server=config.server,
            brand=lambda: replace(
                config.brand,
                **{name: site[f"brand.{name}"] for name in ("name", "accent", "accent_dark")},
            ),
            site=site,
            logo=desk.logo,
            answer_tokens=config.chat.answer_tokens,
            csrf_secret=await form_secret(store),
            spool=config.storage.directory,
        )
        for name, work in {
            "models": models.keep_fresh(),
            "sessions-seen": accounts.keep_seen(),
            "sampler": Sampler(store, runner, watch, MachineMeter().sample).keep(),
            "maintenance": maintenance.keep(),
            "attachments": attachments.keep(),
        }.items():
            await stack.enter_async_context(_background(work, name))
        await stack.enter_async_context(
            _serving(app, *listeners, certificate=certificate, linger_seconds=LINGER_SECONDS)
        )
        await stack.enter_async_context(
            serving_control(create_control_app(desk), control_socket, CLOSE_SECONDS)
        )
        heartbeat = Heartbeat(
            runner,
            watch,
            models,
            store,
            knock=partial(knock, listeners[0], with_tls=certificate is not None),
            notify=notify,
            watchdog_seconds=watchdog_seconds(),
        )
        titles = TitleService(
            store,
            topics,
            engine,
            models,
            prompts,
            runner,
            lambda: watch.state,
            idle_seconds=config.chat.title_idle_seconds,
        )
        # They end in reverse: a title is not waited for, answers under way are, and the watchdog
        # sees the last of them to its end.
        for part in (
            heartbeat.running(),
            watch.running(),
            runner.running(shutdown),
            _background(titles.keep(), "titles"),
        ):
            await stack.enter_async_context(part)
        await chat.recover()
        models.refresh_soon()
        desk.address = config.server.public_url or address_of(listeners[0], certificate)
        log.info("ready", extra={"address": desk.address, "socket": str(config.control_socket)})
        await _invite_first_admin(desk)
        notify("READY=1")
        shutdown.on_request(lambda: warn_of_restart(app))
        await shutdown.requested()
        log.info("stopping", extra={"restarts": shutdown.exit_code == EXIT_RESTART})
        notify("STOPPING=1", more_time(shutdown.drain_seconds + END_SECONDS))
    return shutdown.exit_code


async def _ask_for_time() -> None:
    """While the store is checked and migrated, have systemd wait, but not for ever."""
    notify("STATUS=opening the store")
    for _ in range(round(OPENING_SECONDS / OPENING_STEP_SECONDS)):
        notify(more_time(3 * OPENING_STEP_SECONDS))
        await asyncio.sleep(OPENING_STEP_SECONDS)


def _starters(config: Config) -> list[Starter]:
    try:
        known = catalogue.load(*([Path(given)] if (given := config.embedded.catalogue) else []))
    except catalogue.CatalogueError as error:
        raise ConfigInvalid(reason=str(error)) from None
    names = [each.name for each in fields(Starter)]
    return [Starter(**{name: getattr(each, name) for name in names}) for each in known.models]


async def _recalled_rules(store: Store, config: Config) -> Rules:
    defaults = {
        "temperature": config.chat.temperature,
        "top_p": None,
        "answer_tokens": config.chat.answer_tokens,
        "context_tokens": config.engine.context_tokens,
    }
    return await Rules.recalled(store, defaults)


def _on_signals(shutdown: Shutdown, certificate: ssl.SSLContext | None, server: Server) -> None:
    """Stop at the first signal; at a second, no longer wait for the answers under way."""

    def end() -> None:
        (shutdown.hurry if shutdown.is_requested else shutdown.request)()

    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, end)
    _on_hang_up(certificate, server)


def _on_hang_up(certificate: ssl.SSLContext | None, server: Server) -> None:
    """At SIGHUP read the certificate again: renewed ones come every few weeks."""

    def renew() -> None:
        if certificate is None:
            return
        try:
            tls.reload(certificate, server)
        except ConfigError as error:
            log.warning("the old certificate stays in use", extra={"error": str(error)})
        else:
            log.info("certificate read again", extra={"path": server.tls_certificate})

    if sys.stdin is None or not sys.stdin.isatty():  # else it says that the terminal has gone
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, renew)


@asynccontextmanager
async def _serving(
    app: web.Application,
    *listeners: socket.socket,
    certificate: ssl.SSLContext | None = None,
    linger_seconds: float = 0.0,
) -> AsyncGenerator[None]:
    """Serve for as long as the block; what was accepted before its end is still answered."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_SECONDS)
    await runner.setup()
    try:
        for listener in listeners:
            await web.SockSite(runner, listener, ssl_context=certificate).start()
        yield
        for site in runner.sites:
            await site.stop()
        await asyncio.sleep(linger_seconds)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _background(work: Coroutine[Any, Any, None], name: str) -> AsyncGenerator[None]:
    """Run work for as long as the block; if it fails, so does the daemon."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work, name=name)
        yield
        task.cancel()


async def _invite_first_admin(desk: Desk) -> None:
    """Print the one-time link on the terminal; it is a secret, so it is not logged.

    A service has no terminal, only a journal, which more people read.
    """
    if "JOURNAL_STREAM" in os.environ:
        return
    try:
        link = await people.setup_link(desk, Call("daemon"))
    except SetupDone:
        return
    invitation = "Créez le premier administrateur ici / Create the first administrator here:"
    print(f"\n{invitation}\n\n    {link['url']}\n", flush=True)  # noqa: T201 -- above
